"""What a moved agreement left behind is taken from whoever holds it by name, and from nobody on a contradiction."""

from datetime import timedelta
from typing import Any

import pytest

from config.limits import default_limits
from provisioning.domain.ids import OperationId, OrganisationId, PlanId, SkuId, SubjectId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.guards import Usage
from provisioning.planning.leftovers import LeftoverScene, is_left_behind, plan_leftovers
from provisioning.planning.plan import Grounds, Plan
from provisioning.planning.selection import Selection
from tests.unit.planning.scene import A1, A3, GROUP, MAPPINGS, NOW, SCHOOL, held, person, policy, seats

LIMITS = default_limits()
PHONE = next(
    sku.sku_id for sku in MAPPINGS.skus.values() if {"MCOEV"} <= {p.name for p in sku.plans} and len(sku.plans) < 5
)


def selected(*people: Person, undecidable: dict[SubjectId, tuple[OrganisationId, Reason]] | None = None) -> Selection:
    chosen = tuple((one, SCHOOL) for one in people)
    return Selection(chosen=chosen, undecidable=undecidable or {}, sizes={}, is_complete=True)


def plan(*people: Person, **fields: Any) -> Plan:
    usual: dict[str, Any] = {
        "plan_id": PlanId("plan"),
        "operation_id": OperationId("operation"),
        "tenant_id": TenantId("x"),
        "now": NOW,
        "observed_at": NOW,
        "sku_id": SkuId(A3),
        "selection": selected(*people),
        "in_doubt": frozenset(),
        "policy": policy(),
        "mappings": MAPPINGS,
        "grounds": Grounds(mapping="", policy="", bindings="", authority=""),
        "usage": Usage(),
        "limits": LIMITS,
    }
    return plan_leftovers(LeftoverScene(**usual | fields))


def standing(drawn: Plan) -> dict[str, tuple[SubjectState, Reason | None]]:
    return {one.subject_id: (one.state, one.reason) for one in drawn.subjects}


class TestPlanLeftovers:
    def test_takes_the_product_and_nothing_else(self) -> None:
        drawn = plan(person("anne", held(A3), held(A1)))
        [step] = drawn.steps
        assert (step.kind, step.change) == (StepKind.REMOVE, Change(remove_skus=(A3,)))

    def test_not_before_a_second_look(self) -> None:
        [step] = plan(person("anne", held(A3))).steps
        assert step.not_before == NOW + LIMITS.removal_gap

    def test_never_goes_by_itself_and_says_what_it_takes(self) -> None:
        drawn = plan(person("anne", held(A3)), person("bob", held(A3)))
        assert drawn.needs_approval
        assert "is taken from 2 people here" in drawn.guard_breaches[0]
        assert drawn.losses.removals_without_replacement == 2

    def test_who_has_it_no_more_is_right_already(self) -> None:
        assert standing(plan(person("anne"))) == {"anne": (SubjectState.ALREADY_RIGHT, Reason.LICENCE_NOT_HELD)}

    def test_a_licence_without_seats_shows_as_an_error_and_goes_too(self) -> None:
        [step] = plan(person("anne", held(A3, state="Error"))).steps
        assert step.change.remove_skus == (A3,)

    def test_what_a_group_gives_is_not_ours_to_take(self) -> None:
        drawn = plan(person("anne", held(A3, group=GROUP)))
        assert standing(drawn) == {"anne": (SubjectState.REFUSED, Reason.INHERITED_FROM_GROUP)}
        assert drawn.steps == ()

    def test_what_others_rest_on_stays(self) -> None:
        drawn = plan(person("anne", held(A3), held(PHONE)))
        assert standing(drawn) == {"anne": (SubjectState.REFUSED, Reason.DEPENDENCY)}

    def test_whom_another_school_claims_too_keeps_it(self) -> None:
        doubt = {SubjectId("anne"): (SCHOOL, Reason.SCOPE_UNDECIDABLE)}
        drawn = plan(selection=selected(undecidable=doubt))
        assert standing(drawn) == {"anne": (SubjectState.REFUSED, Reason.SCOPE_UNDECIDABLE)}

    def test_who_is_in_doubt_is_left_to_the_plan_before(self) -> None:
        assert plan(person("anne", held(A3)), in_doubt=frozenset({SubjectId("anne")})).subjects == ()

    def test_nobody_is_no_plan_to_ask_about(self) -> None:
        assert plan().writes == 0

    def test_drawn_later_it_looks_the_same(self) -> None:
        first, second = plan(person("a", held(A3))), plan(person("a", held(A3)), now=NOW + timedelta(minutes=5))
        assert first.envelope.digest == second.envelope.digest


class TestIsLeftBehind:
    @pytest.mark.parametrize(
        ("enabled", "bought", "own", "expected"),
        [
            (None, 0, 0, True),
            (0, 0, 0, True),
            (10, 10, 0, True),
            (11, 10, 0, False),
            (40, 0, 0, False),
            (0, 0, 5, False),
            (0, -3, 0, True),
        ],
    )
    def test_only_without_a_seat_of_ours(self, enabled: int | None, bought: int, own: int, expected: bool) -> None:
        count = None if enabled is None else seats(enabled)
        assert is_left_behind(count, bought, own) is expected
