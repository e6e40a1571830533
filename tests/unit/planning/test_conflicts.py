import pytest

from provisioning.domain.catalogue import Audience, PlanRelation, PlanRule, ServicePlan, Sku
from provisioning.domain.ids import GroupId, ServicePlanId, SkuId
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change
from provisioning.domain.reasons import Reason
from provisioning.planning.conflicts import Compatibility
from tests.unit.planning.scene import A1, A3, MAPPINGS, held, person, replaced


def sku(name: str, *plans: str, audience: Audience = Audience.FACULTY) -> Sku:
    return Sku(
        sku_id=SkuId(name),
        part_number=name.upper(),
        name=name,
        family="",
        audience=audience,
        product_line="",
        is_student_use_benefit=False,
        lifecycle="listed",
        plans=tuple(ServicePlan(ServicePlanId(plan), plan, plan.rpartition(".")[0]) for plan in plans),
    )


SKUS = [
    sku("small", "mail.1", "web.1"),
    sku("large", "mail.2", "web.1", "phone.1"),
    sku("pupils", "mail.2", "web.1", "phone.1", audience=Audience.STUDENT),
    sku("phone", "phone.1"),
    sku("empty"),
    sku("mute", "7"),
]
RULES = (
    PlanRule(PlanRelation.MUTUALLY_EXCLUSIVE, ServicePlanId("mail.1"), frozenset({ServicePlanId("mail.2")})),
    PlanRule(
        PlanRelation.REQUIRES_ANY,
        ServicePlanId("phone.1"),
        frozenset({ServicePlanId("mail.1"), ServicePlanId("mail.2")}),
    ),
)
SMALL, LARGE = SkuId("small"), SkuId("large")
COMPATIBILITY = Compatibility(replaced(MAPPINGS, skus={one.sku_id: one for one in SKUS}, plan_rules=RULES))


def has(name: str, *off: str, group: str | None = None, state: str = "Active") -> HeldLicence:
    return HeldLicence(SkuId(name), frozenset(map(ServicePlanId, off)), GroupId(group) if group else None, state)


def change(add: str | None, *off: str, remove: tuple[str, ...] = ()) -> Change:
    return Change(
        add_sku=SkuId(add) if add else None,
        disabled_plans=frozenset(map(ServicePlanId, off)),
        remove_skus=tuple(map(SkuId, remove)),
    )


class TestObstacle:
    @pytest.mark.parametrize(
        ("licences", "wanted", "reason"),
        [
            pytest.param((), change("large"), None, id="nothing in the way"),
            pytest.param((has("small"),), change("large"), Reason.MUTUALLY_EXCLUSIVE, id="added beside: they clash"),
            pytest.param((has("large"),), change("small"), Reason.MUTUALLY_EXCLUSIVE, id="and the other way round"),
            pytest.param((has("small"),), change("large", remove=("small",)), None, id="swapped: they do not"),
            pytest.param((has("small", "mail.1"),), change("large"), None, id="off there: they do not"),
            pytest.param((has("small"),), change("large", "mail.2"), None, id="off here: they do not"),
            pytest.param((has("small", state="Error"),), change("large"), None, id="a failed one does not clash"),
            pytest.param(
                (has("small"), has("small", group="g")), change("large", remove=("small",)),
                Reason.MUTUALLY_EXCLUSIVE, id="what a group gives stays and clashes",
            ),
            pytest.param((), change("phone"), Reason.DEPENDENCY, id="it needs what nobody gives"),
            pytest.param((has("small"),), change("phone"), None, id="it needs what is there"),
            pytest.param((has("small", "mail.1"),), change("phone"), Reason.DEPENDENCY, id="it needs what is off"),
            pytest.param(
                (has("small"), has("phone")), change(None, remove=("small",)),
                Reason.DEPENDENCY, id="a removal takes what another needs",
            ),
            pytest.param(
                (has("small"), has("phone")), change("large", remove=("small",)), None, id="a swap gives it anew"
            ),
            pytest.param((has("phone"),), change("mute"), None, id="who lacked it lacks it in peace"),
            pytest.param((has("unknown"),), change("large"), None, id="what no list knows is left to Graph"),
        ],
    )  # fmt: skip
    def test_what_graph_would_refuse(
        self, licences: tuple[HeldLicence, ...], wanted: Change, reason: Reason | None
    ) -> None:
        found = COMPATIBILITY.obstacle(licences, wanted)
        assert (found[0] if found else None) is reason

    def test_both_sides_of_a_clash_are_named(self) -> None:
        assert COMPATIBILITY.obstacle((has("small"),), change("large")) == (
            Reason.MUTUALLY_EXCLUSIVE,
            "mail.2 and mail.1",
        )


class TestRealRules:
    def test_a1_and_a3_clash_unless_swapped(self) -> None:
        real, anne = Compatibility(MAPPINGS), person("anne", held(A1))
        beside, instead = Change(add_sku=A3), Change(add_sku=A3, remove_skus=(A1,))
        assert real.obstacle(anne.licences, beside) is not None
        assert real.obstacle(anne.licences, instead) is None


class TestLargerProduct:
    @pytest.mark.parametrize(
        ("anne", "target", "replaced_skus", "larger"),
        [
            pytest.param(person("anne", has("large")), "small", (), "LARGE", id="it brings all of it and more"),
            pytest.param(person("anne", has("small")), "large", (), None, id="it brings less"),
            pytest.param(person("anne", has("large", group="g")), "small", (), "LARGE", id="through a group"),
            pytest.param(person("anne", has("large", state="Error")), "small", (), None, id="not when it failed"),
            pytest.param(person("anne", has("large")), "small", ("large",), None, id="not when it is to be replaced"),
            pytest.param(person("anne", has("pupils")), "small", (), None, id="not for another audience"),
            pytest.param(person("anne", has("unknown")), "small", (), None, id="not when no list knows it"),
            pytest.param(person("anne", has("large")), "empty", (), None, id="nothing beats the unknown"),
            pytest.param(person("anne", has("large")), "mute", (), None, id="nor plans of no known service"),
        ],
    )
    def test_when_the_ordered_product_is_not_needed(
        self, anne: Person, target: str, replaced_skus: tuple[str, ...], larger: str | None
    ) -> None:
        wanted = next(one for one in SKUS if one.sku_id == target)
        assert COMPATIBILITY.larger_product(anne, wanted, frozenset(map(SkuId, replaced_skus))) == larger
