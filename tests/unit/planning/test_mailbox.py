"""Which plans wait for the mailbox, and what is carried across."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.catalogue import PlanRelation, PlanRule, ServicePlan
from provisioning.domain.ids import ServicePlanId
from provisioning.domain.observation import HeldLicence
from provisioning.planning.carry import KnownPlans
from provisioning.planning.mailbox import Origin, carried_across, exchange_plans, has_mailbox, withheld
from tests.unit.planning.migration_scene import EXCHANGE_A3, EXCHANGE_A5, THREATS_A5, YAMMER
from tests.unit.planning.scene import A1, A3, A5, EMS, FOREIGN, MAPPINGS, held, plan_of, replaced

SKUS, RULES = MAPPINGS.skus, MAPPINGS.plan_rules
NOTHING = frozenset[str]()


class TestHasMailbox:
    @pytest.mark.parametrize(
        ("licences", "has"),
        [
            pytest.param((), False, id="nothing"),
            pytest.param((held(A3),), True, id="on"),
            pytest.param((held(A3, EXCHANGE_A3),), False, id="off"),
            pytest.param((held(A3, EXCHANGE_A3), held(A1)), True, id="by something else"),
            pytest.param((held(A3, state="Error"),), False, id="in error"),
            pytest.param((held(EMS), held(FOREIGN)), False, id="products without one"),
        ],
    )
    def test_is_said_by_the_plans(self, licences: tuple[HeldLicence, ...], has: bool) -> None:
        assert has_mailbox(licences, SKUS) is has


class TestWithheld:
    def test_the_foundation_is_no_mailbox(self) -> None:
        names = {plan.name for plan in SKUS[A3].plans if plan.plan_id in exchange_plans(SKUS[A3])}
        assert names == {"EXCHANGE_S_ENTERPRISE"}

    @pytest.mark.parametrize(
        ("sku", "off", "elsewhere", "back"),
        [
            pytest.param(A3, NOTHING, NOTHING, {EXCHANGE_A3}, id="Exchange"),
            pytest.param(A3, {EXCHANGE_A3}, NOTHING, set(), id="not what is off for good"),
            pytest.param(A5, NOTHING, NOTHING, {EXCHANGE_A5, THREATS_A5}, id="and what needs it"),
            pytest.param(A5, {THREATS_A5}, NOTHING, {EXCHANGE_A5}, id="unless that is off for good"),
            pytest.param(A5, NOTHING, SKUS[A1].plan_ids, {EXCHANGE_A5}, id="or has what it needs from something else"),
            pytest.param(EMS, NOTHING, NOTHING, set(), id="nothing of a product without it"),
        ],
    )
    def test_is(self, sku: str, off: set[str], elsewhere: set[str], back: set[str]) -> None:
        assert withheld(SKUS[sku], frozenset(off), frozenset(elsewhere), RULES) == back  # type: ignore[index,arg-type]  # text

    @pytest.mark.parametrize(("is_to_come", "back"), [(True, {EXCHANGE_A3, "new"}), (False, {EXCHANGE_A3})])
    def test_what_no_list_describes_as_long_as_a_mailbox_is_to_come(self, is_to_come: bool, back: set[str]) -> None:
        product = replaced(SKUS[A3], plans=(*SKUS[A3].plans, ServicePlan(ServicePlanId("new"), "new", "")))
        assert withheld(product, frozenset(), frozenset(), RULES, with_undescribed=is_to_come) == back
        assert withheld(product, frozenset({ServicePlanId("new")}), frozenset(), RULES) == {EXCHANGE_A3}

    def test_what_needs_what_needs_it_as_well(self) -> None:
        rule = PlanRule(PlanRelation.REQUIRES_ANY, YAMMER, frozenset({THREATS_A5}))
        chain = (*RULES, rule)
        assert withheld(SKUS[A5], frozenset(), frozenset(), chain) == {EXCHANGE_A5, THREATS_A5, YAMMER}

    @given(st.sets(st.sampled_from(sorted(SKUS[A5].plan_ids))))
    def test_leaves_nothing_on_that_lacks_exchange(self, off: set[str]) -> None:
        product, gone = SKUS[A5], frozenset(off)
        back = withheld(product, gone, frozenset(), RULES)  # type: ignore[arg-type]  # text
        on = product.plan_ids - gone - back
        assert not exchange_plans(product) & on
        assert back.isdisjoint(gone)
        needing = [rule for rule in RULES if rule.relation is PlanRelation.REQUIRES_ANY and rule.plan in on]
        assert all(rule.others & on or not rule.others & back for rule in needing)


class TestCarriedAcross:
    FORMS, SWAY = plan_of(A3, "OFFICE_FORMS_PLAN_2"), plan_of(A3, "SWAY")

    def across(self, *licences: HeldLicence, sku: str = A3, **pairs: str) -> set[str]:
        origin = Origin(licences, sku)  # type: ignore[arg-type]  # text
        known = KnownPlans.named_in(SKUS)
        return set(carried_across(origin, SKUS[A3], SKUS, known, pairs).disabled)

    def test_the_same_product_looks_the_same(self) -> None:
        assert self.across(held(A3, YAMMER, self.FORMS)) == {YAMMER, self.FORMS}

    def test_what_another_licence_has_off_and_the_product_has_on_stays_on(self) -> None:
        assert self.across(held(A3), held(A5, YAMMER)) == set()

    def test_a_pair_that_names_nothing_here_changes_nothing(self) -> None:
        assert self.across(held(A3, YAMMER), NO_SUCH_PLAN="SWAY") == {YAMMER}
        assert self.across(held(A3, YAMMER), YAMMER_EDU="NO_SUCH_PLAN") == {YAMMER}

    def test_of_two_that_become_one_it_is_on_when_either_was(self) -> None:
        pairs = {"OFFICE_FORMS_PLAN_2": "WHITEBOARD_PLAN2", "SWAY": "WHITEBOARD_PLAN2"}
        both = self.across(held(A3, self.FORMS, self.SWAY), **pairs)
        one = self.across(held(A3, self.FORMS), **pairs)
        names = {plan.plan_id: plan.name for plan in SKUS[A3].plans}
        assert "WHITEBOARD_PLAN2" in {names[plan] for plan in both}
        assert "WHITEBOARD_PLAN2" not in {names[plan] for plan in one}

    def test_what_has_a_counterpart_by_name_is_no_loss(self) -> None:
        """A plan of the old product that the new one has under another name only."""
        known = KnownPlans.named_in(SKUS)
        leaving = held(A5, THREATS_A5)
        origin = Origin((leaving,), A5)
        assert carried_across(origin, SKUS[A1], SKUS, known, {}).not_carried == ("THREAT_INTELLIGENCE",)
        pairs = {"THREAT_INTELLIGENCE": "SWAY"}
        assert carried_across(origin, SKUS[A1], SKUS, known, pairs).not_carried == ()
