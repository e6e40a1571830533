from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
import pytest

from provisioning.domain.errors import StaleLeaseError, UnavailableError
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState
from provisioning.domain.operation import Attempt, Lane, Operation, OperationKind, Outcome, Receipt
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Stop
from provisioning.execution.executor import Executor
from provisioning.ports import LicenceGateway
from tests.unit.execution.fakes import LEASE, Answer, FakeGateway, Recorder, StandingClock
from tests.unit.execution.steps import LIMITS, NOW, OPERATION, TENANT, record
from tests.unit.planning.scene import wish

WORK = Operation(
    operation_id=OPERATION,
    kind=OperationKind.DELIVER,
    tenant_id=TENANT,
    lane=Lane.ORDER,
    state=OperationState.APPLYING,
    wish=wish(),
    requested_by="system",  # type: ignore[arg-type]
    created_at=NOW,
    entered_at=NOW,
    due_at=NOW,
)


def all_accepted(attempts: Sequence[Attempt]) -> list[Receipt]:
    return [Receipt(attempt_id=one.attempt_id, outcome=Outcome.ACCEPTED) for one in attempts]


def executor(
    recorder: Recorder, answer: Answer = all_accepted, check_clock: Callable[[], None] = lambda: None
) -> Executor:
    gateway = cast("LicenceGateway", FakeGateway(recorder, answer))
    return Executor(
        open_uow=recorder.open, gateway=gateway, clock=StandingClock(), limits=LIMITS, check_clock=check_clock
    )


def pending(number: int = 1, **known: Any) -> Any:
    fresh: dict[str, Any] = {"state": StepState.PENDING, "attempts": 0, "sent_at": None, "last_attempt": None}
    return record(number=number, **(fresh | known))


class TestRunChunk:
    def test_the_journal_is_committed_before_the_call_and_no_transaction_is_open_during_it(self) -> None:
        recorder = Recorder()
        executor(recorder).run_chunk(WORK, LEASE, [pending()])
        assert recorder.names == [
            "renewed", "begun", "first write", "committed", "closed",
            "sent",
            "journalled", "audited", "committed", "closed",
        ]  # fmt: skip

    def test_after_a_stop_nothing_is_begun_and_nothing_sent(self) -> None:
        recorder = Recorder(stop=Stop(scope="all", reason="x", stopped_by="person:x", stopped_at=NOW))
        assert executor(recorder).run_chunk(WORK, LEASE, [pending()]) is None
        assert recorder.names == ["closed"]

    def test_while_the_clock_is_off_nothing_is_begun_and_nothing_sent(self) -> None:
        def off() -> None:
            raise UnavailableError("differ by")

        recorder = Recorder()
        with pytest.raises(UnavailableError, match="differ by"):
            executor(recorder, check_clock=off).run_chunk(WORK, LEASE, [pending()])
        assert recorder.names == []

    def test_without_the_lease_nothing_is_sent(self) -> None:
        recorder = Recorder()
        recorder.is_stale = True
        with pytest.raises(StaleLeaseError):
            executor(recorder).run_chunk(WORK, LEASE, [pending()])
        assert "sent" not in recorder.names

    def test_the_lease_sent_along_outlives_the_call_in_real_time(self) -> None:
        recorder = Recorder()
        executor(recorder).run_chunk(WORK, LEASE, [pending()])
        _, lease = recorder.of("sent")
        assert lease.expires_at - LIMITS.write_timeout > StandingClock().wall()

    def test_each_attempt_carries_the_fence_its_number_and_an_id(self) -> None:
        recorder = Recorder()
        executor(recorder).run_chunk(WORK, LEASE, [pending(1), pending(2, attempts=3)])
        attempts = recorder.of("begun")
        assert [(one.number, one.fence, one.subject_id) for one in attempts] == [(1, 7, "person-1"), (4, 7, "person-2")]
        assert len({one.attempt_id for one in attempts}) == 2

    @pytest.mark.parametrize("reason", [Reason.NO_ANSWER, Reason.THROTTLED, None])
    def test_what_is_sent_again_goes_under_the_id_of_the_first_time(self, reason: Reason | None) -> None:
        recorder = Recorder()
        again = pending(reason=reason, last_attempt="lost", attempts=1)
        executor(recorder).run_chunk(WORK, LEASE, [again])
        (attempt,) = recorder.of("begun")
        assert (attempt.attempt_id, attempt.number) == ("lost", 2)

    def test_what_came_of_it_is_written_and_returned(self) -> None:
        recorder = Recorder()
        outcome = executor(recorder).run_chunk(WORK, LEASE, [pending(1), pending(2)])
        _, steps, _ = recorder.of("journalled")
        assert outcome is not None
        assert tuple(steps) == outcome.steps
        assert [step.state for step in steps] == [StepState.APPLIED, StepState.APPLIED]
        assert recorder.of("audited") == list(outcome.events)

    def test_an_answer_that_does_not_come_back_leaves_its_step_in_flight_for_the_next_look(self) -> None:
        recorder = Recorder()
        executor(recorder, lambda attempts: all_accepted(attempts[:1])).run_chunk(WORK, LEASE, [pending(1), pending(2)])
        _, steps, _ = recorder.of("journalled")
        assert [step.step_id for step in steps] == [1]


class TestRecover:
    def test_what_a_killed_worker_left_in_flight_is_unknown_until_it_settled(self) -> None:
        recorder = Recorder(in_flight=[record(number=1), record(number=2, state=StepState.APPLIED)])
        assert executor(recorder).recover(WORK, LEASE) == 1
        _, (lost,), people = recorder.of("journalled")
        assert (lost.step_id, lost.state, lost.reason) == (1, StepState.UNKNOWN, Reason.NO_ANSWER)
        assert lost.not_before == NOW + LIMITS.settle
        assert people == []

    def test_with_nothing_left_nothing_is_written(self) -> None:
        recorder = Recorder()
        assert executor(recorder).recover(WORK, LEASE) == 0
        assert recorder.names == ["closed"]


class TestLeaveAlone:
    def test_people_whom_somebody_else_changed_are_skipped_and_said(self) -> None:
        recorder = Recorder()
        executor(recorder).leave_alone(WORK, LEASE, [pending(1), pending(2)])
        _, steps, people = recorder.of("journalled")
        assert [step.state for step in steps] == [StepState.SKIPPED] * 2
        assert [one.state for one in people] == [SubjectState.CHANGED_MEANWHILE] * 2
        assert [event.kind for event in recorder.of("audited")] == ["subject.changed_meanwhile"] * 2
        assert recorder.names[-2:] == ["committed", "closed"]

    def test_the_record_speaks_of_pseudonyms_only(self) -> None:
        recorder = Recorder()
        executor(recorder).leave_alone(WORK, LEASE, [pending(1)])
        (event,) = recorder.of("audited")
        assert b"person-1" not in msgspec.json.encode(event)
