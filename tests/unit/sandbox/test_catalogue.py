from provisioning.sandbox.catalogue import Dependency, PlanRules, read_catalogue

A1_FACULTY, A3_FACULTY = "94763226-9b3c-4e75-a931-5c89701abe66", "4b590615-0888-425a-a965-b3bf7789848d"


class TestReadCatalogue:
    def test_knows_the_education_products(self) -> None:
        parts = {sku.skuPartNumber: len(sku.servicePlans) for sku in read_catalogue().skus.values()}
        assert len(parts) == 17
        assert (parts["STANDARDWOFFPACK_FACULTY"], parts["M365EDU_A3_FACULTY"]) == (30, 46)
        assert (parts["M365EDU_A5_FACULTY"], parts["M365EDU_A3_STUUSEBNFT"], parts["MCOEV_FACULTY"]) == (87, 37, 1)

    def test_every_product_works_on_its_own_except_the_phone(self) -> None:
        catalogue = read_catalogue()
        refused = {
            sku.skuPartNumber
            for sku in catalogue.skus.values()
            if any(catalogue.rules.conflicts(sku.plan_ids)) or any(catalogue.rules.unmet(sku.plan_ids))
        }
        assert refused == {"MCOEV_FACULTY"}

    def test_a1_and_a3_clash_in_sharepoint_only(self) -> None:
        catalogue = read_catalogue()
        both = catalogue.skus[A1_FACULTY].plan_ids | catalogue.skus[A3_FACULTY].plan_ids
        pairs = [pair for pair in catalogue.rules.exclusive if set(pair) <= both]
        assert len(pairs) == 1


class TestPlanRules:
    def test_added_rules_leave_the_old_ones_alone(self) -> None:
        old = PlanRules([("a", "b")])
        new = old.extended([("c", "d")], [Dependency("e", ("f",))])
        assert (list(old.conflicts(frozenset("cd"))), list(new.conflicts(frozenset("cd")))) == ([], [("c", "d")])
        assert list(new.conflicts(frozenset("abcd"))) == [("a", "b"), ("c", "d")]
        assert list(new.unmet(frozenset("e"))) == [Dependency("e", ("f",))]
