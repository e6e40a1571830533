from typing import Any

import pytest

from provisioning.domain.ids import OperationId, SubjectId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.operation import Step, StepKind
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.plan import Losses, SubjectPlan
from provisioning.planning.verdict import Verdict
from tests.unit.planning.scene import A1, NOW, SCHOOL, held, person, replaced, scene

PLAN = plan_deliver(scene(person("anne"), person("ben", held(A1))))
GROUNDS = PLAN.grounds


class TestEnvelope:
    @pytest.mark.parametrize(
        "changed",
        [
            {"operation_id": OperationId("another")},
            {"tenant_id": TenantId("another")},
            {"grounds": replaced(GROUNDS, mapping="x")},
            {"grounds": replaced(GROUNDS, policy="x")},
            {"grounds": replaced(GROUNDS, bindings="x")},
            {"grounds": replaced(GROUNDS, authority="x")},
            {"steps": PLAN.steps[:1]},
            {"losses": Losses(families={"exchange": 1})},
        ],
        ids=" ".join,
    )
    def test_an_approval_binds_everything_that_it_was_given_for(self, changed: dict[str, Any]) -> None:
        assert replaced(PLAN, **changed).envelope.digest != PLAN.envelope.digest

    @pytest.mark.parametrize(
        "changed",
        [{"plan_id": "another"}, {"drawn_at": NOW.replace(year=2027)}, {"observed_at": NOW.replace(year=2027)}],
        ids=" ".join,
    )
    def test_drawn_again_with_the_same_content_it_is_the_same(self, changed: dict[str, Any]) -> None:
        assert replaced(PLAN, **changed).envelope.digest == PLAN.envelope.digest

    def test_the_order_in_which_losses_were_counted_plays_no_part(self) -> None:
        one, other = Losses(families={"a": 1, "b": 2}), Losses(families={"b": 2, "a": 1})
        assert replaced(PLAN, losses=one).envelope.digest == replaced(PLAN, losses=other).envelope.digest


class TestPlan:
    def test_counts_are_of_steps_by_kind(self) -> None:
        assert PLAN.counts == {"assign": 1, "swap": 1}

    def test_doing_nothing_is_no_write(self) -> None:
        idle = Step(position=2, subject_id=SubjectId("x"), kind=StepKind.NO_OP)
        assert replaced(PLAN, steps=(*PLAN.steps, idle)).writes == PLAN.writes == 2

    @pytest.mark.parametrize("breaches", [(), ("251 swaps",)], ids=["within", "beyond"])
    def test_beyond_a_guard_somebody_is_asked(self, breaches: tuple[str, ...]) -> None:
        assert replaced(PLAN, guard_breaches=breaches).needs_approval is bool(breaches)


class TestVerdict:
    @pytest.mark.parametrize("state", sorted(set(SubjectState) - {SubjectState.PENDING}))
    def test_only_who_is_under_way_has_steps(self, state: SubjectState) -> None:
        assert list(Verdict(state).steps(person("anne"), 0, NOW)) == []

    def test_the_person_s_line_says_school_state_and_notes(self) -> None:
        subject = Verdict(SubjectState.PENDING, notes=("YAMMER_EDU",)).subject(person("anne", held(A1)), SCHOOL)
        assert isinstance(subject, SubjectPlan)
        assert (subject.subject_id, subject.organisation_id, subject.notes) == ("anne", SCHOOL, ("YAMMER_EDU",))
        assert subject.before.licences == (held(A1),)
