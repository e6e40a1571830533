"""Journal and leases of the simulation, with the meaning that the SQL ones have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from provisioning.domain.errors import ConflictError, StaleLeaseError
from provisioning.domain.ids import OperationId, SubjectId, TenantId
from provisioning.domain.lifecycle import STEP_ENDS, StepState, SubjectState, advance
from provisioning.domain.operation import GROUP_STEPS, Attempt, Outcome, Receipt, StepKind, StepRecord, SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.planning.verdict import TAKES_AWAY
from provisioning.ports import StepUpdate, SubjectUpdate
from tests.simulation.plans import Plans
from tests.simulation.rows import Store

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_WRITTEN = frozenset({StepState.APPLIED, StepState.VERIFIED})
_PERHAPS_WRITTEN = _WRITTEN | {StepState.IN_FLIGHT, StepState.UNKNOWN}
_WRITTEN_NOT_READ = frozenset({StepState.IN_FLIGHT, StepState.UNKNOWN, StepState.APPLIED})
_PROMISED = frozenset({SubjectState.PENDING, SubjectState.WAITING, SubjectState.ALREADY_RIGHT})


class Journal(Store):
    def next_steps(self, operation: OperationId, now: datetime, limit: int) -> list[StepRecord]:
        ready = [one for one in self._in_turn(operation) if one.not_before is None or one.not_before <= now]
        return sorted(ready, key=lambda one: one.step.position)[:limit]

    def next_due(self, operation: OperationId) -> datetime | None:
        plan = Plans(self.rows).current(operation)
        unknown = self.steps_in(operation, {StepState.UNKNOWN})
        due = [one.not_before or (plan.drawn_at if plan else one.sent_at) for one in self._in_turn(operation) + unknown]
        return min((moment for moment in due if moment), default=None)

    def begin(self, attempts: Sequence[Attempt], lease: Lease, at: datetime) -> None:
        Leases(self.rows).check(lease)
        for attempt in attempts:
            record = self.rows.steps.get(attempt.step_id)
            if record is None or not self._may_begin(record):
                raise ConflictError("the step is not pending, or its plan is void or not approved")
            assert self.rows.attempts.get(attempt.attempt_id) not in {Outcome.ACCEPTED, Outcome.FOUND_DONE}
            self.rows.attempts[attempt.attempt_id] = None
            self.rows.tried[attempt.attempt_id] = record
            self.rows.steps[attempt.step_id] = msgspec.structs.replace(
                record,
                state=StepState.IN_FLIGHT,
                reason=None,
                not_before=None,
                attempts=record.attempts + 1,
                sent_at=at,
                last_attempt=attempt.attempt_id,
            )

    def steps_in(
        self, operation: OperationId, states: Collection[StepState], limit: int | None = None
    ) -> list[StepRecord]:
        found = [record for record in self._of(operation) if record.state in states]
        return sorted(found, key=lambda one: one.step.position)[:limit]

    def close(
        self,
        operation: OperationId,
        lease: Lease,
        steps: Sequence[StepUpdate],
        subjects: Sequence[SubjectUpdate],
    ) -> None:
        Leases(self.rows).check(lease)
        for update in steps:
            self._close_step(update)
        for person in subjects:
            self._close_person(operation, person)

    def step_counts(self, operation: OperationId) -> dict[StepState, int]:
        return Counter(record.state for record in self._of(operation))

    def subject_counts(self, operation: OperationId) -> dict[SubjectState, int]:
        return Counter(record.state for record in self.subjects(operation))

    def subjects(self, operation: OperationId) -> list[SubjectRecord]:
        return [record for key, record in self.rows.subjects.items() if key[0] == operation and key not in self._groups]

    @property
    def _groups(self) -> set[tuple[OperationId, SubjectId]]:
        return self.rows.group_rows

    def steps_of_kind(self, operation: OperationId, kind: StepKind) -> list[StepRecord]:
        return [record for record in self._of(operation) if record.step.kind is kind]

    def put_off_removals(self, operation: OperationId, subjects: Collection[SubjectId], until: datetime) -> None:
        for record in self.steps_in(operation, {StepState.PENDING}):
            if record.step.kind in TAKES_AWAY and record.step.subject_id in subjects:
                self.rows.steps[record.step_id] = msgspec.structs.replace(record, not_before=until)

    def applied_since(
        self, tenant: TenantId, since: datetime, subjects: Collection[SubjectId] | None = None
    ) -> list[StepRecord]:
        done = [
            record
            for record in self._in_tenant(tenant)
            if record.state in _WRITTEN and record.applied_at and record.applied_at >= since
            if subjects is None or record.step.subject_id in subjects
        ]
        return sorted(done, key=lambda record: record.applied_at or since)

    def groups_written_since(self, tenant: TenantId, since: datetime) -> list[StepRecord]:
        return [record for record in self.applied_since(tenant, since) if record.step.kind in GROUP_STEPS]

    def groups_sent_since(self, tenant: TenantId, since: datetime) -> list[StepRecord]:
        return [
            record
            for record in self._in_tenant(tenant)
            if record.step.kind in GROUP_STEPS and record.state in _PERHAPS_WRITTEN
            if record.sent_at and record.sent_at >= since
        ]

    def kinds_since(self, tenant: TenantId, since: datetime) -> dict[StepKind, int]:
        counts: Counter[StepKind] = Counter()
        for record in self._in_tenant(tenant):
            if record.state in _PERHAPS_WRITTEN and record.sent_at and record.sent_at >= since:
                counts[record.step.kind] += record.step.change.people
        return counts

    def _of(self, operation: OperationId) -> list[StepRecord]:
        return [record for record in self.rows.steps.values() if record.operation_id == operation]

    def _in_tenant(self, tenant: TenantId) -> list[StepRecord]:
        operations = self.rows.operations
        return [one for one in self.rows.steps.values() if operations[one.operation_id].tenant_id == tenant]

    def _in_turn(self, operation: OperationId) -> list[StepRecord]:
        """Pending steps of the current plan whose person has every earlier step behind them."""
        plan = Plans(self.rows).current(operation)
        planned = [one for one in self._of(operation) if plan and one.plan_id == plan.plan_id]
        waits_after = {(one.step.subject_id, one.step.sequence) for one in planned if not _is_behind(one)}
        return [
            one
            for one in planned
            if one.state is StepState.PENDING
            and not any((one.step.subject_id, before) in waits_after for before in range(one.step.sequence))
        ]

    def _may_begin(self, record: StepRecord) -> bool:
        plan = Plans(self.rows).current(record.operation_id)
        may_apply = plan is not None and plan.plan_id == record.plan_id and plan.may_apply
        return record.state is StepState.PENDING and may_apply

    def _close_step(self, update: StepUpdate) -> None:
        record = self.rows.steps[update.step_id]
        stays = update.state is record.state and update.state not in STEP_ENDS
        is_written = update.state in _WRITTEN
        receipt = update.receipt
        self.rows.steps[update.step_id] = msgspec.structs.replace(
            record,
            state=record.state if stays else advance(record.state, update.state),
            reason=update.reason,
            not_before=update.not_before,
            attempts=record.attempts - _counts_for_nothing(receipt),
            sent_at=(receipt and receipt.sent_at) or record.sent_at,
            applied_at=(record.applied_at or update.at) if is_written else record.applied_at,
        )
        if receipt:
            self.rows.attempts[receipt.attempt_id] = receipt.outcome

    def _close_person(self, operation: OperationId, update: SubjectUpdate) -> None:
        """Who reached an end, or waits, has no seat reserved and no further step to take."""
        key = (operation, update.subject_id)
        known = self.rows.subjects[key]
        self.rows.subjects[key] = msgspec.structs.replace(
            known, state=advance(known.state, update.state), reason=update.reason
        )
        for record in self.steps_in(operation, {StepState.PENDING}):
            if record.step.subject_id == update.subject_id:
                skipped = msgspec.structs.replace(record, state=StepState.SKIPPED, reason=update.reason)
                self.rows.steps[record.step_id] = skipped
        work = self.rows.operations[operation]
        seat = (work.tenant_id, work.wish.sku_id, update.subject_id)
        if self.rows.reserved.get(seat) == operation:
            del self.rows.reserved[seat]
        if update.state is SubjectState.WAITING:
            self.rows.waiting[seat] = operation


def _counts_for_nothing(receipt: Receipt | None) -> bool:
    """Waiting for quota uses up nobody's tries."""
    is_unsent = receipt is not None and receipt.outcome is Outcome.NOT_SENT
    return is_unsent or (receipt is not None and receipt.reason is Reason.THROTTLED)


def _is_behind(record: StepRecord) -> bool:
    """Read back, or a usage location on its way."""
    is_location = record.step.kind is StepKind.SET_USAGE_LOCATION
    return record.state is StepState.VERIFIED or (is_location and record.state is StepState.APPLIED)


class Leases(Store):
    def take(self, name: str, holder: str, wall: datetime, duration: timedelta) -> Lease | None:
        known = self.rows.leases.get(name)
        if known and known.expires_at > wall and known.holder != holder:
            return None
        fence = known.fence + 1 if known else 1
        self.rows.leases[name] = Lease(name=name, holder=holder, fence=fence, expires_at=wall + duration)
        return self.rows.leases[name]

    def renew(self, lease: Lease, wall: datetime, duration: timedelta) -> Lease:
        self.check(lease)
        self.rows.leases[lease.name] = msgspec.structs.replace(lease, expires_at=wall + duration)
        return self.rows.leases[lease.name]

    def release(self, lease: Lease) -> None:
        if self._is_ours(lease):
            self.rows.leases[lease.name] = msgspec.structs.replace(lease, holder="", expires_at=_LONG_AGO)

    def check(self, lease: Lease) -> None:
        if not self._is_ours(lease):
            raise StaleLeaseError("the lease was lost")

    def _is_ours(self, lease: Lease) -> bool:
        known = self.rows.leases[lease.name]
        return (known.fence, known.holder) == (lease.fence, lease.holder)
