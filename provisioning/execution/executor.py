"""Carries one chunk out: journal, call, journal. Never raises for a step's failure: a failure is a receipt."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from provisioning.domain.events import Event
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Attempt, Operation, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.execution.calls import attempts_of, in_calls
from provisioning.execution.outcome import ChunkOutcome, outcome_of, subject_event
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, StepUpdate, SubjectUpdate


class Executor:
    """Stopped between journal and call, it leaves `in_flight` behind: the next one looks before it writes."""

    def __init__(
        self,
        *,
        open_uow: OpenUnitOfWork,
        gateway: LicenceGateway,
        clock: Clock,
        limits: Limits,
        check_clock: Callable[[], None],
    ) -> None:
        self._open_uow = open_uow
        self._gateway = gateway
        self._clock = clock
        self._limits = limits
        self._check_clock = check_clock

    def run_chunk(self, operation: Operation, lease: Lease, records: Sequence[StepRecord]) -> ChunkOutcome | None:
        """What came of it, already written; None when a stop was ordered before the chunk was begun.

        Raises UnavailableError, and has begun nothing, while this machine's clock is off.
        """
        self._check_clock()
        calls = in_calls(records)
        records = [record for call in calls for record in call]
        attempts = list(attempts_of(operation, calls, lease))
        begun = self._begin(operation, lease, attempts)
        if begun is None:
            return None
        receipts = self._gateway.apply(operation.tenant_id, attempts, begun)
        tried = [
            msgspec.structs.replace(record, last_attempt=attempt.attempt_id, attempts=attempt.number)
            for record, attempt in zip(records, attempts, strict=True)
        ]
        outcome = outcome_of(operation.tenant_id, tried, receipts, self._clock.now(), self._limits)
        self._close(operation, begun, outcome)
        return outcome

    def _begin(self, operation: Operation, lease: Lease, attempts: Sequence[Attempt]) -> Lease | None:
        """Committed before the call. The stop is read in the same transaction that journals `in_flight`."""
        now = self._clock.now()
        with self._open_uow() as uow:
            if uow.stops.blocking(operation.tenant_id, operation.kind):
                return None
            renewed = uow.leases.renew(lease, self._clock.wall(), self._limits.lease_duration)
            uow.journal.begin(attempts, renewed, now)
            uow.tenants.note_first_write(operation.tenant_id, now)
            uow.commit()
        return renewed

    def _close(self, operation: Operation, lease: Lease, outcome: ChunkOutcome) -> None:
        with self._open_uow() as uow:
            uow.journal.close(operation.operation_id, lease, outcome.steps, outcome.subjects)
            uow.audit.record(outcome.events)
            uow.commit()

    def recover(self, operation: Operation, lease: Lease) -> int:
        """Steps that a killed worker left in flight become unknown; returns how many."""
        with self._open_uow() as uow:
            left = uow.journal.steps_in(operation.operation_id, {StepState.IN_FLIGHT})
            if left:
                lost = [self._lost(record) for record in left]
                uow.journal.close(operation.operation_id, lease, lost, ())
                uow.commit()
        return len(left)

    def _lost(self, record: StepRecord) -> StepUpdate:
        settled = (record.sent_at or self._clock.now()) + self._limits.settle
        return StepUpdate(step_id=record.step_id, state=StepState.UNKNOWN, reason=Reason.NO_ANSWER, not_before=settled)

    def leave_alone(self, operation: Operation, lease: Lease, changed: Sequence[StepRecord]) -> None:
        """People whom somebody else changed since the plan: said, not touched."""
        now = self._clock.now()
        with self._open_uow() as uow:
            uow.journal.close(
                operation.operation_id, lease, [_skipped(one) for one in changed], [_changed(one) for one in changed]
            )
            uow.audit.record([_left_alone(operation, record, now) for record in changed])
            uow.commit()


def _skipped(record: StepRecord) -> StepUpdate:
    return StepUpdate(step_id=record.step_id, state=StepState.SKIPPED, reason=Reason.CHANGED_MEANWHILE)


def _changed(record: StepRecord) -> SubjectUpdate:
    return SubjectUpdate(
        subject_id=record.step.subject_id, state=SubjectState.CHANGED_MEANWHILE, reason=Reason.CHANGED_MEANWHILE
    )


def _left_alone(operation: Operation, record: StepRecord, now: datetime) -> Event:
    return subject_event(operation, record, SubjectState.CHANGED_MEANWHILE, now, reason=Reason.CHANGED_MEANWHILE)
