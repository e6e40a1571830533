"""What a look at a group makes of the write to it."""

from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import GroupId
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.operation import Change, Outcome, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.execution.group_verification import brings, rule_gone, rule_group
from provisioning.execution.outcome import Direction
from tests.unit.execution.steps import A1, A3, LIMITS, NOW, YAMMER, record, seconds

LICENSED = Change(group_id=GroupId("g"), add_sku=A3, disabled_plans=frozenset({YAMMER}), remove_skus=(A1,), people=2)
BRINGS = GroupLicence(A3, frozenset({YAMMER}))


def group(*licences: GroupLicence) -> ObservedGroup:
    return ObservedGroup(group_id=GroupId("g"), nickname="g", licences=licences)


def step(kind: StepKind, state: StepState, change: Change, ago: timedelta = timedelta(0)) -> StepRecord:
    known = record(kind, state=state, sent_at=NOW - ago)
    applied_at = NOW - ago if state is StepState.APPLIED else None
    return msgspec.structs.replace(
        known, step=msgspec.structs.replace(known.step, change=change), applied_at=applied_at
    )


class TestBrings:
    @pytest.mark.parametrize(
        ("seen", "expected"),
        [
            pytest.param(group(BRINGS), True, id="as asked"),
            pytest.param(group(BRINGS, GroupLicence(A1)), False, id="the old one is still there"),
            pytest.param(group(GroupLicence(A3)), False, id="with other plans"),
            pytest.param(group(), False, id="not at all"),
        ],
    )
    def test_table(self, seen: ObservedGroup, expected: bool) -> None:
        assert brings(seen, LICENSED) is expected

    def test_a_new_group_need_bring_nothing(self) -> None:
        assert brings(group(), Change(group_name="g", people=0))


class TestRuleGroup:
    @pytest.mark.parametrize(("state", "outcome"), [(StepState.APPLIED, None), (StepState.UNKNOWN, Outcome.FOUND_DONE)])
    def test_seen_is_verified_and_a_lost_answer_has_its_line(self, state: StepState, outcome: Outcome | None) -> None:
        ruling = rule_group(step(StepKind.LICENSE_GROUP, state, LICENSED), group(BRINGS), NOW, LIMITS, 0)
        assert (ruling.step.state, ruling.step.at) == (StepState.VERIFIED, NOW)
        assert (ruling.step.receipt.outcome if ruling.step.receipt else None) is outcome
        assert ruling.subject is not None
        assert ruling.subject.state is SubjectState.VERIFIED

    @pytest.mark.parametrize(
        ("after", "outcome"),
        [
            pytest.param(seconds(1), Outcome.FOUND_ABSENT, id="another operation did it since"),
            pytest.param(-seconds(1), Outcome.FOUND_DONE, id="another operation did it before"),
        ],
    )
    def test_what_another_operation_did_is_not_the_success_of_a_lost_call(
        self, after: timedelta, outcome: Outcome
    ) -> None:
        lost = step(StepKind.LICENSE_GROUP, StepState.UNKNOWN, LICENSED, ago=seconds(90))
        ruling = rule_group(lost, group(BRINGS), NOW, LIMITS, 0, NOW - seconds(90) + after)
        assert ruling.step.state is StepState.VERIFIED
        assert ruling.step.receipt is not None
        assert ruling.step.receipt.outcome is outcome

    def test_what_was_refused_because_it_was_done_already_is_nobody_s_success_of_ours(self) -> None:
        refused = msgspec.structs.replace(
            step(StepKind.LICENSE_GROUP, StepState.UNKNOWN, LICENSED), reason=Reason.LICENCE_NOT_HELD
        )
        ruling = rule_group(refused, group(BRINGS), NOW, LIMITS, 0)
        assert ruling.step.state is StepState.VERIFIED
        assert ruling.step.receipt is not None
        assert ruling.step.receipt.outcome is Outcome.REFUSED

    @pytest.mark.parametrize(
        ("kind", "patience"),
        [(StepKind.LICENSE_GROUP, LIMITS.settle), (StepKind.CREATE_GROUP, LIMITS.lag_horizon)],
        ids=["a licence is set again", "a group is not made twice before every replica had its time"],
    )
    def test_absence_is_believed_after_its_time(self, kind: StepKind, patience: timedelta) -> None:
        early = rule_group(step(kind, StepState.UNKNOWN, LICENSED, patience - seconds(1)), None, NOW, LIMITS, 0)
        late = rule_group(step(kind, StepState.UNKNOWN, LICENSED, patience), None, NOW, LIMITS, 0)
        assert (early.step.state, early.step.receipt) == (StepState.UNKNOWN, None)
        assert late.step.state is StepState.PENDING
        assert late.step.receipt is not None
        assert late.step.receipt.outcome is Outcome.FOUND_ABSENT

    def test_what_was_accepted_is_looked_for_until_the_deadline(self) -> None:
        waiting = step(StepKind.LICENSE_GROUP, StepState.APPLIED, LICENSED, LIMITS.verify_deadline)
        assert rule_group(waiting, group(), NOW, LIMITS, 0).step.state is StepState.APPLIED

    def test_then_a_person_is_asked(self) -> None:
        overdue = step(StepKind.LICENSE_GROUP, StepState.APPLIED, LICENSED, LIMITS.verify_deadline + seconds(1))
        ruling = rule_group(overdue, group(), NOW, LIMITS, 0)
        assert (ruling.step.state, ruling.step.reason) == (StepState.FAILED, Reason.NOT_VERIFIED_IN_TIME)
        assert ruling.direction is Direction.STOP_GROUP

    @pytest.mark.parametrize(
        ("state", "outcome"), [(StepState.APPLIED, None), (StepState.UNKNOWN, Outcome.FOUND_ABSENT)]
    )
    def test_a_group_that_is_gone_stops_everything_through_it(self, state: StepState, outcome: Outcome | None) -> None:
        ruling = rule_gone(step(StepKind.ADD_MEMBERS, state, LICENSED), NOW)
        assert (ruling.step.state, ruling.step.reason) == (StepState.FAILED, Reason.GROUP_GONE)
        assert (ruling.step.receipt.outcome if ruling.step.receipt else None) is outcome
        assert ruling.subject is not None
        assert (ruling.subject.state, ruling.subject.reason) == (SubjectState.FAILED, Reason.GROUP_GONE)
        assert ruling.direction is Direction.STOP_GROUP

    def test_each_look_in_vain_waits_longer(self) -> None:
        waiting = step(StepKind.LICENSE_GROUP, StepState.APPLIED, LICENSED)
        waits = [rule_group(waiting, group(), NOW, LIMITS, looks).step.not_before for looks in range(3)]
        assert waits == [NOW + wait for wait in LIMITS.verify_waits[:3]]
