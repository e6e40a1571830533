import pytest

from provisioning.domain.ids import SkuId
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import Addition, Change
from provisioning.domain.tenancy import Policy, SkuPolicy
from provisioning.planning.losses import LossCount, after_change, kinds_of
from provisioning.planning.plan import Losses
from tests.unit.planning.scene import A1, A1_PLUS, A3, EMS, FOREIGN, GROUP, MAPPINGS, held, plan_of, policy

YAMMER, SWAY = plan_of(A3, "YAMMER_EDU"), plan_of(A3, "SWAY")
SHAREPOINT_A1, SHAREPOINT_A3 = plan_of(A1, "SHAREPOINTSTANDARD_EDU"), plan_of(A3, "SHAREPOINTENTERPRISE_EDU")


def swap(*off: str, old: SkuId = A1) -> Change:
    return Change(add_sku=A3, disabled_plans=frozenset(off), remove_skus=(old,))  # type: ignore[arg-type]


def lost(
    licences: tuple[HeldLicence, ...], change: Change, rules: Policy | None = None, not_carried: tuple[str, ...] = ()
) -> Losses:
    losses = LossCount(MAPPINGS, {A1, A1_PLUS}, rules or policy())
    losses.add(licences, change, not_carried=not_carried)
    return losses.total


class TestLossCount:
    @pytest.mark.parametrize(
        ("licences", "change", "expected"),
        [
            pytest.param((held(A1),), swap(), Losses(), id="an upgrade loses nothing"),
            pytest.param((), Change(add_sku=A3), Losses(), id="neither does a first licence"),
            pytest.param((held(A1),), swap(YAMMER), Losses(families={"yammer": 1}), id="a service is lost"),
            pytest.param((held(A1, YAMMER),), swap(YAMMER), Losses(), id="what was off is not lost"),
            pytest.param(
                (held(A1, YAMMER),), swap(), Losses(switched_on={"YAMMER_EDU": 1}), id="what was off comes on: a plan"
            ),
            pytest.param(
                (held(A1, SHAREPOINT_A1),), swap(),
                Losses(switched_on={"SHAREPOINTENTERPRISE_EDU": 1}), id="what was off comes on: a service",
            ),
            pytest.param(
                (held(A1, YAMMER), held(A1_PLUS)), swap(), Losses(), id="off in one, on in the other: it was on"
            ),
            pytest.param(
                (held(FOREIGN, YAMMER),), Change(add_sku=A3),
                Losses(switched_on={"YAMMER_EDU": 1}), id="off in a product that is not ours",
            ),
            pytest.param(
                (held(FOREIGN),), swap(old=FOREIGN), Losses(unreplaced_swaps=1), id="a product not to be replaced"
            ),
        ],
    )  # fmt: skip
    def test_what_one_person_loses(self, licences: tuple[HeldLicence, ...], change: Change, expected: Losses) -> None:
        assert lost(licences, change) == expected

    def test_a_removal_loses_every_service_that_nothing_else_brings(self) -> None:
        removal = lost((held(A1), held(A3, group=GROUP)), Change(remove_skus=(A1,)))
        assert removal.removals_without_replacement == 1
        assert "exchange" not in removal.families
        assert "exchange" in lost((held(A1),), Change(remove_skus=(A1,))).families

    def test_what_the_policy_has_off_must_not_come_on(self) -> None:
        decided = policy(skus={A3: SkuPolicy(frozenset({SWAY}))})
        assert lost((), Change(add_sku=A3), decided).switched_on == {"SWAY": 1}

    def test_people_add_up(self) -> None:
        losses = LossCount(MAPPINGS, {A1}, policy())
        losses.add((held(A1),), swap(YAMMER), not_carried=("X",), people=3)
        losses.add((held(A1_PLUS),), swap(YAMMER, SWAY, old=A1_PLUS), not_carried=("X", "Y"))
        assert losses.total == Losses(
            families={"sway": 1, "yammer": 4}, not_carried={"X": 4, "Y": 1}, unreplaced_swaps=1
        )


class TestAfterChange:
    @pytest.mark.parametrize(
        ("licences", "change", "expected"),
        [
            pytest.param((held(A1), held(EMS)), swap(), [held(EMS), held(A3)], id="the old one goes, others stay"),
            pytest.param(
                (held(A1, group=GROUP),), swap(), [held(A1, group=GROUP), held(A3)], id="what a group gives stays"
            ),
            pytest.param((held(A3),), Change(add_sku=A3, disabled_plans=frozenset({SWAY})), [held(A3, SWAY)], id="off"),
            pytest.param((held(A1),), Change(remove_skus=(A1,)), [], id="a removal"),
            pytest.param((held(A1),), Change(usage_location="NL"), [held(A1)], id="a location changes no licence"),
        ],
    )
    def test_how_the_licences_look_then(
        self, licences: tuple[HeldLicence, ...], change: Change, expected: list[HeldLicence]
    ) -> None:
        assert after_change(licences, change) == expected


class TestRealArticles:
    """Over the mappings that ship: an order for staff or pupils on Office 365 A1 goes by itself."""

    @pytest.mark.parametrize("article", ["MS-BP-A3-MED", "MS-BP-A3-LLN", "MS-A3-LLN-BETAALD"])
    def test_an_upgrade_from_a1_takes_no_service_away(self, article: str) -> None:
        row = next(one for one in MAPPINGS.articles if one.code == article and one.sku_id)
        replaced = [sku for sku in row.replaces if MAPPINGS.skus[sku].part_number.startswith("STANDARDWOFFPACK_")]
        count = LossCount(MAPPINGS, row.replaces, policy())
        for sku in replaced:
            count.add((HeldLicence(sku),), Change(add_sku=row.sku_id, remove_skus=(sku,)))
        assert replaced
        assert count.total.families == {}


class TestAddOnsThatComeAlong:
    ADDON = Change(add_sku=A3, remove_skus=(A1, EMS), also_add=(Addition(FOREIGN, frozenset({YAMMER})),))

    def test_they_are_there_afterwards_and_their_old_selves_are_not(self) -> None:
        after = after_change((held(A1), held(EMS), held(EMS, group=GROUP)), self.ADDON)
        assert after == [held(EMS, group=GROUP), held(A3), held(FOREIGN, YAMMER)]

    def test_an_add_on_that_nothing_takes_the_place_of_is_no_replacement_of_the_product(self) -> None:
        assert lost((held(A1), held(EMS)), self.ADDON).unreplaced_swaps == 1

    def test_what_the_policy_has_off_in_the_add_on_must_stay_off(self) -> None:
        on = Change(add_sku=A1, also_add=(Addition(A3),))
        rules = policy(skus={A3: SkuPolicy(frozenset({YAMMER}))})
        assert "YAMMER_EDU" in lost((), on, rules).switched_on


def test_the_kinds_of_loss_carry_no_numbers() -> None:
    losses = Losses(
        removals_without_replacement=3,
        families={"yammer": 2},
        switched_on={"SWAY": 1},
        not_carried={"OLD": 4},
        unreplaced_swaps=5,
    )
    kinds = {"removals", "unreplaced_swaps", "family:yammer", "switched_on:SWAY", "not_carried:OLD"}
    assert kinds_of(losses) == kinds
    assert kinds_of(Losses()) == frozenset()
