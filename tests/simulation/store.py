"""The database of the simulation: one value, copied for each unit of work, swapped in at commit."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import ConflictError, InputError, StaleLeaseError
from provisioning.domain.events import Event
from provisioning.domain.ids import (
    AttemptId,
    BindingId,
    LineKey,
    OperationId,
    PlanId,
    Pseudonym,
    SkuId,
    StepId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState, advance
from provisioning.domain.operation import (
    Attempt,
    Lane,
    Operation,
    Outcome,
    StepKind,
    StepRecord,
    SubjectRecord,
)
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding, Policy, Tenant
from provisioning.domain.worklist import Intent, Lease, Stop
from provisioning.planning.plan import Plan
from provisioning.ports import PlanRecord, StepUpdate, SubjectUpdate, WaitingList

_WRITERS = (OperationState.APPLYING, OperationState.VERIFYING)


@dataclass
class Rows:
    """Every table; values are frozen, so a shallow copy of each container is a snapshot."""

    tenants: dict[TenantId, Tenant] = field(default_factory=dict)
    bindings: list[Binding] = field(default_factory=list)
    policies: dict[TenantId, Policy] = field(default_factory=dict)
    selection_sizes: dict[tuple[BindingId, Audience], int] = field(default_factory=dict)
    entitlements: dict[tuple[TenantId, SkuId], int] = field(default_factory=dict)
    operations: dict[OperationId, Operation] = field(default_factory=dict)
    plans: dict[OperationId, PlanRecord] = field(default_factory=dict)
    steps: dict[StepId, StepRecord] = field(default_factory=dict)
    subjects: dict[tuple[OperationId, SubjectId], SubjectRecord] = field(default_factory=dict)
    attempts: dict[AttemptId, Outcome | None] = field(default_factory=dict)
    waiting: dict[tuple[TenantId, SkuId, SubjectId], OperationId] = field(default_factory=dict)
    reserved: dict[tuple[TenantId, SkuId, SubjectId], OperationId] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    lines_settled: list[LineKey] = field(default_factory=list)
    failures: list[tuple[TenantId, Reason, datetime]] = field(default_factory=list)

    def snapshot(self) -> Rows:
        return Rows(**{name: copy.copy(value) for name, value in vars(self).items()})


class Database:
    """Holds the committed rows; `at_commit` is called before and after each commit: a place to crash."""

    def __init__(self, at_commit: Callable[[str], None]) -> None:
        self.rows = Rows()
        self.at_commit = at_commit

    def open(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self)


class MemoryUnitOfWork:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun_from = database.rows
        self.rows = database.rows.snapshot()
        self.tenants = _Tenants(self.rows)
        self.ledger = _Ledger(self.rows)
        self.operations = _Operations(self.rows)
        self.plans = _Plans(self.rows)
        self.journal = _Journal(self.rows)
        self.seats = _Seats(self.rows)
        self.leases = _Leases(self.rows)
        self.stops = _Stops(self.rows)
        self.audit = _Audit(self.rows)
        self.outbox = _Outbox(self.rows)
        self.references = _References()
        self.records = _Nothing()
        self.organisations = _Nothing()
        self.orders = _Orders(self.rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def commit(self) -> None:
        self._database.at_commit("before commit")
        assert self._database.rows is self._begun_from, "two units of work overlapped in a single thread"
        self._database.rows = self._begun_from = self.rows
        self.rows = self.rows.snapshot()
        self._database.at_commit("after commit")


class _Store:
    def __init__(self, rows: Rows) -> None:
        self.rows = rows


class _Nothing:
    """Stores that a delivery only asks questions of: nobody recorded anything."""

    def __getattr__(self, name: str) -> Callable[..., list[Any]]:
        return lambda *_args, **_kwargs: []


class _References(_Nothing):
    def resolve(self, key: LineKey, resolved: Mapping[str, SubjectId]) -> None:
        pass


class _Orders(_Store):
    def find(self, key: LineKey) -> None:
        return None


class _Tenants(_Store):
    def find(self, tenant: TenantId) -> Tenant | None:
        return self.rows.tenants.get(tenant)

    def save(self, tenant: Tenant) -> None:
        self.rows.tenants[tenant.tenant_id] = tenant

    def note_first_write(self, tenant: TenantId, at: datetime) -> None:
        found = self.rows.tenants[tenant]
        if found.first_write_at is None:
            self.save(msgspec.structs.replace(found, first_write_at=at))

    def note_proven(self, tenant: TenantId, at: datetime) -> None:
        self.save(msgspec.structs.replace(self.rows.tenants[tenant], proven_at=at))

    def bindings_in(self, tenant: TenantId, on: date) -> list[Binding]:
        return [one for one in self.rows.bindings if one.tenant_id == tenant and one.is_valid_on(on)]

    def policy_on(self, tenant: TenantId, on: date) -> Policy:
        return self.rows.policies[tenant]

    def selection_size(self, binding: BindingId, audience: Audience) -> int | None:
        return self.rows.selection_sizes.get((binding, audience))

    def note_selection(self, binding: BindingId, audience: Audience, size: int, at: datetime) -> None:
        self.rows.selection_sizes[binding, audience] = size


class _Ledger(_Store):
    def tenant_total(self, tenant: TenantId, sku: SkuId, on: date) -> int:
        return self.rows.entitlements.get((tenant, sku), 0)

    def entitlement(self, holder: str, tenant: TenantId, sku: SkuId, on: date) -> int:
        return self.tenant_total(tenant, sku, on)


class _Operations(_Store):
    def add(self, operation: Operation) -> None:
        self.rows.operations[operation.operation_id] = operation

    def find(self, operation: OperationId) -> Operation | None:
        return self.rows.operations.get(operation)

    def get(self, operation: OperationId) -> Operation:
        found = self.find(operation)
        if found is None:
            raise InputError("no such operation")
        return found

    def save(self, operation: Operation) -> Operation:
        if self.rows.operations[operation.operation_id].version != operation.version:
            raise ConflictError("moved meanwhile")
        saved = msgspec.structs.replace(operation, version=operation.version + 1)
        self.add(saved)
        return saved

    def postpone(self, operation: OperationId, until: datetime) -> None:
        if self.rows.operations[operation].due_at is not None:
            self.add(msgspec.structs.replace(self.rows.operations[operation], due_at=until))

    def list_by(
        self, states: Collection[OperationState] = (), tenant: TenantId | None = None, **_: object
    ) -> list[Operation]:
        return [
            one
            for one in self.rows.operations.values()
            if (not states or one.state in states) and tenant in (None, one.tenant_id)
        ]

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[tuple[OperationId, Lane]]:
        due = [one for one in self.rows.operations.values() if one.due_at is not None and one.due_at <= now][:limit]
        for one in due:
            self.postpone(one.operation_id, again_at)
        return [(one.operation_id, one.lane) for one in due]

    def order_is_due(self, tenant: TenantId, now: datetime) -> bool:
        return any(
            one.lane is Lane.ORDER and one.tenant_id == tenant and one.due_at is not None and one.due_at <= now
            for one in self.rows.operations.values()
        )

    def writers_in(self, tenant: TenantId) -> list[OperationId]:
        writers = [one for one in self.rows.operations.values() if one.tenant_id == tenant and one.state in _WRITERS]
        return [one.operation_id for one in sorted(writers, key=lambda one: (one.created_at, one.operation_id))]


class _Plans(_Store):
    def add(
        self, plan: Plan, pseudonyms: Mapping[SubjectId, Pseudonym], *, sku: SkuId | None, valid_until: datetime
    ) -> None:
        self._skip_old_steps(plan.operation_id)
        people = {subject.subject_id: subject for subject in plan.subjects}
        for subject in plan.subjects:
            key = (plan.operation_id, subject.subject_id)
            known = self.rows.subjects.get(key)
            if known is None or known.state in {SubjectState.PENDING, SubjectState.WAITING}:
                self.rows.subjects[key] = SubjectRecord(
                    operation_id=plan.operation_id,
                    subject_id=subject.subject_id,
                    pseudonym=pseudonyms[subject.subject_id],
                    state=subject.state,
                    reason=subject.reason,
                    organisation_id=subject.organisation_id,
                    notes=subject.notes,
                )
            if sku and subject.state is SubjectState.WAITING:
                self.rows.waiting.setdefault((plan.tenant_id, sku, subject.subject_id), plan.operation_id)
        for step in plan.steps:
            step_id = StepId(len(self.rows.steps) + 1)
            self.rows.steps[step_id] = StepRecord(
                step_id=step_id,
                operation_id=plan.operation_id,
                plan_id=plan.plan_id,
                step=step,
                state=StepState.PENDING,
                before=people[step.subject_id].before,
                pseudonym=pseudonyms[step.subject_id],
                organisation_id=people[step.subject_id].organisation_id,
            )
            if sku and step.change.add_sku:
                self.rows.reserved[plan.tenant_id, sku, step.subject_id] = plan.operation_id
        self.rows.plans[plan.operation_id] = PlanRecord(
            plan_id=plan.plan_id,
            operation_id=plan.operation_id,
            digest=plan.envelope.digest,
            envelope=msgspec.json.encode(plan.envelope),
            drawn_at=plan.drawn_at,
            observed_at=plan.observed_at,
            valid_until=valid_until,
            guard_breaches=plan.guard_breaches,
            requested_by=self.rows.operations[plan.operation_id].requested_by,
        )

    def _skip_old_steps(self, operation: OperationId) -> None:
        for step_id, record in self.rows.steps.items():
            if record.operation_id == operation and record.state is StepState.PENDING:
                self.rows.steps[step_id] = msgspec.structs.replace(record, state=StepState.SKIPPED)

    def current(self, operation: OperationId) -> PlanRecord | None:
        return self.rows.plans.get(operation)

    def void(self, plan: PlanId, reason: Reason, at: datetime) -> None:
        for operation, record in self.rows.plans.items():
            if record.plan_id == plan:
                self.rows.plans[operation] = msgspec.structs.replace(record, void_reason=reason)


class _Journal(_Store):
    def _of(self, operation: OperationId) -> list[StepRecord]:
        return [record for record in self.rows.steps.values() if record.operation_id == operation]

    def next_steps(self, operation: OperationId, now: datetime, limit: int) -> list[StepRecord]:
        ready: dict[SubjectId, StepRecord] = {}
        blocked: set[SubjectId] = set()
        for record in sorted(self._of(operation), key=lambda one: (one.step.subject_id, one.step.sequence)):
            subject = record.step.subject_id
            if subject in blocked or subject in ready:
                continue
            if record.state is StepState.PENDING and (record.not_before is None or record.not_before <= now):
                ready[subject] = record
            elif record.state in {StepState.PENDING, StepState.IN_FLIGHT, StepState.UNKNOWN}:
                blocked.add(subject)
        return sorted(ready.values(), key=lambda one: one.step.position)[:limit]

    def next_due(self, operation: OperationId) -> datetime | None:
        open_steps = [one for one in self._of(operation) if one.state in {StepState.PENDING, StepState.UNKNOWN}]
        return min((one.not_before or datetime.min.replace(tzinfo=UTC) for one in open_steps), default=None)

    def begin(self, attempts: Sequence[Attempt], lease: Lease, at: datetime) -> None:
        _Leases(self.rows).check(lease)
        for attempt in attempts:
            record = self.rows.steps[attempt.step_id]
            assert self.rows.attempts.get(attempt.attempt_id) not in {Outcome.ACCEPTED, Outcome.FOUND_DONE}
            self.rows.attempts[attempt.attempt_id] = None
            self.rows.steps[attempt.step_id] = msgspec.structs.replace(
                record,
                state=advance(record.state, StepState.IN_FLIGHT),
                attempts=attempt.number,
                sent_at=at,
                last_attempt=attempt.attempt_id,
            )

    def steps_in(
        self, operation: OperationId, states: Collection[StepState], limit: int | None = None
    ) -> list[StepRecord]:
        return [record for record in self._of(operation) if record.state in states][:limit]

    def close(
        self,
        operation: OperationId,
        lease: Lease,
        steps: Sequence[StepUpdate],
        subjects: Sequence[SubjectUpdate],
    ) -> None:
        _Leases(self.rows).check(lease)
        for update in steps:
            self._close_step(update)
        for person in subjects:
            self._close_subject(operation, person)

    def _close_step(self, update: StepUpdate) -> None:
        record = self.rows.steps[update.step_id]
        state = record.state if update.state is record.state else advance(record.state, update.state)
        applied_at = update.at if update.state is StepState.APPLIED else record.applied_at
        self.rows.steps[update.step_id] = msgspec.structs.replace(
            record, state=state, reason=update.reason, not_before=update.not_before, applied_at=applied_at or update.at
        )
        if update.receipt:
            self.rows.attempts[update.receipt.attempt_id] = update.receipt.outcome

    def _close_subject(self, operation: OperationId, update: SubjectUpdate) -> None:
        key = (operation, update.subject_id)
        known = self.rows.subjects[key]
        self.rows.subjects[key] = msgspec.structs.replace(
            known, state=advance(known.state, update.state), reason=update.reason
        )
        for step_id, record in self.rows.steps.items():
            is_theirs = record.operation_id == operation and record.step.subject_id == update.subject_id
            if is_theirs and record.state is StepState.PENDING:
                self.rows.steps[step_id] = msgspec.structs.replace(record, state=StepState.SKIPPED)
        wish = self.rows.operations[operation].wish
        seat = (self.rows.operations[operation].tenant_id, wish.sku_id, update.subject_id)
        self.rows.reserved.pop(seat, None)
        if update.state is SubjectState.WAITING:
            self.rows.waiting.setdefault(seat, operation)

    def step_counts(self, operation: OperationId) -> dict[StepState, int]:
        return Counter(record.state for record in self._of(operation))

    def subject_counts(self, operation: OperationId) -> dict[SubjectState, int]:
        return Counter(record.state for record in self.subjects(operation))

    def subjects(self, operation: OperationId) -> list[SubjectRecord]:
        return [record for (of, _), record in self.rows.subjects.items() if of == operation]

    def applied_since(self, tenant: TenantId, since: datetime) -> list[StepRecord]:
        done = [
            record
            for record in self.rows.steps.values()
            if record.state in {StepState.APPLIED, StepState.VERIFIED}
            and record.applied_at
            and record.applied_at >= since
            and self.rows.operations[record.operation_id].tenant_id == tenant
        ]
        return sorted(done, key=lambda record: record.applied_at or since)

    def kinds_since(self, tenant: TenantId, since: datetime) -> dict[StepKind, int]:
        return Counter(record.step.kind for record in self.applied_since(tenant, since))


class _Seats(_Store):
    def reserved(self, tenant: TenantId, sku: SkuId, apart_from: OperationId | None = None) -> set[SubjectId]:
        return {
            subject
            for (where, what, subject), operation in self.rows.reserved.items()
            if (where, what) == (tenant, sku) and operation != apart_from
        }

    def release(self, operation: OperationId) -> None:
        for seat in [seat for seat, owner in self.rows.reserved.items() if owner == operation]:
            del self.rows.reserved[seat]

    def waiting(self, tenant: TenantId, sku: SkuId) -> list[SubjectId]:
        return [subject for where, what, subject in self.rows.waiting if (where, what) == (tenant, sku)]

    def waiting_lists(self) -> list[WaitingList]:
        lists = Counter((tenant, sku) for tenant, sku, _ in self.rows.waiting)
        latest = {(tenant, sku): operation for (tenant, sku, _), operation in self.rows.waiting.items()}
        return [
            WaitingList(
                tenant_id=tenant,
                sku_id=sku,
                operation_id=latest[tenant, sku],
                people=people,
                since=self.rows.operations[latest[tenant, sku]].created_at,
            )
            for (tenant, sku), people in lists.items()
        ]

    def served(self, tenant: TenantId, sku: SkuId, subjects: Collection[SubjectId], at: datetime) -> None:
        for subject in subjects:
            self.rows.waiting.pop((tenant, sku, subject), None)


class _Leases(_Store):
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
        known = self.rows.leases[lease.name]
        if known.fence == lease.fence:
            self.rows.leases[lease.name] = msgspec.structs.replace(known, holder="", expires_at=_epoch())

    def check(self, lease: Lease) -> None:
        if self.rows.leases[lease.name].fence != lease.fence:
            raise StaleLeaseError("the lease was lost")


class _Stops(_Store):
    def add(self, stop: Stop) -> None:
        self.rows.stops[stop.scope] = stop

    def list_all(self) -> list[Stop]:
        return list(self.rows.stops.values())

    def blocking(self, tenant: TenantId, kind: str) -> Stop | None:
        scopes = ("all", f"tenant:{tenant}", f"kind:{kind}")
        return next((self.rows.stops[scope] for scope in scopes if scope in self.rows.stops), None)

    def note_credential_failure(self, tenant: TenantId, reason: Reason, at: datetime, since: datetime) -> int:
        self.rows.failures.append((tenant, reason, at))
        return len({who for who, why, when in self.rows.failures if why is reason and when >= since})


class _Audit(_Store):
    def record(self, events: Sequence[Event]) -> None:
        self.rows.events.extend(events)

    def pseudonyms(self, tenant: TenantId, subjects: Collection[SubjectId]) -> dict[SubjectId, Pseudonym]:
        return {subject: Pseudonym(f"p_{subject}") for subject in subjects}


class _Outbox(_Store):
    def add(self, intents: Iterable[Intent]) -> None:
        self.rows.intents.extend(intents)


def _epoch() -> datetime:
    return datetime.min.replace(tzinfo=UTC)
