"""The database of the simulation: one value, copied for each unit of work, swapped in at commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Self

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.events import Event
from provisioning.domain.groups import LicensingGroup
from provisioning.domain.ids import (
    BindingId,
    LineKey,
    OperationId,
    OrganisationId,
    Pseudonym,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Lane, Operation
from provisioning.domain.order import LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Binding, Policy, Tenant
from provisioning.domain.worklist import Intent, Stop
from provisioning.ports import WaitingList
from tests.fakes_migrations import MemoryMigrations
from tests.simulation.journal import Journal, Leases, Plans
from tests.simulation.rows import Rows, Store

_WRITERS = (OperationState.APPLYING, OperationState.VERIFYING)


class Database:
    """Holds the committed rows; `at_commit` is called before and after each commit: a place to crash."""

    def __init__(self, at_commit: Callable[[str], None]) -> None:
        self.rows = Rows()
        self.at_commit = at_commit
        self.meanwhile: Callable[[], None] | None = None  # what another process does before the next commit, once

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
        self.migrations = MemoryMigrations(self.rows)
        self.plans = Plans(self.rows)
        self.journal = Journal(self.rows)
        self.seats = _Seats(self.rows)
        self.groups = _Groups(self.rows)
        self.leases = Leases(self.rows)
        self.stops = _Stops(self.rows)
        self.audit = _Audit(self.rows)
        self.outbox = _Outbox(self.rows)
        self.references = _References()
        self.records = _Nothing()
        self.organisations = _Nothing()
        self.orders = _Orders(self.rows)
        self.configuration = _Configuration()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def commit(self) -> None:
        self._database.at_commit("before commit")
        self._let_another_be_first()
        assert self._database.rows is self._begun_from, "two units of work overlapped in a single thread"
        self._database.rows = self._begun_from = self.rows
        self.rows = self.rows.snapshot()
        self._database.at_commit("after commit")

    def _let_another_be_first(self) -> None:
        """Whatever both of us moved has another version by now: ours is refused, as the database would."""
        another, self._database.meanwhile = self._database.meanwhile, None
        if another is None:
            return
        another()
        before, after = self._begun_from, self._database.rows
        for mine, were, are in (
            (self.rows.migrations, before.migrations, after.migrations),
            (self.rows.operations, before.operations, after.operations),
        ):
            moved = {each for each in were if are[each].version != were[each].version}
            if any(mine[each].version != were[each].version for each in moved):
                raise ConflictError("moved meanwhile")


class _Nothing:
    """Stores that a delivery only asks questions of: nobody recorded anything."""

    def __getattr__(self, name: str) -> Callable[..., list[Any]]:
        return lambda *_args, **_kwargs: []


class _References(_Nothing):
    def resolve(self, key: LineKey, resolved: Mapping[str, SubjectId]) -> None:
        pass


class _Configuration:
    def in_force(self) -> dict[object, object]:
        """Mappings and limits are the ones that every process has."""
        return {}


class _Orders(Store):
    def find(self, key: LineKey) -> None:
        return None


class _Tenants(Store):
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
        coming = [one for one in self.rows.coming_policies if one.valid_from <= on]
        return coming[-1] if coming else self.rows.policies[tenant]

    def list_policies(self, tenant: TenantId) -> list[Policy]:
        return [*reversed(self.rows.coming_policies), self.rows.policies[tenant]]

    def selection_size(self, binding: BindingId, audience: Audience) -> int | None:
        return self.rows.selection_sizes.get((binding, audience))

    def note_selection(self, binding: BindingId, audience: Audience, size: int, at: datetime) -> None:
        self.rows.selection_sizes[binding, audience] = size


class _Ledger(Store):
    def tenant_total(self, tenant: TenantId, sku: SkuId, on: date) -> int:
        return self.rows.entitlements.get((tenant, sku), 0)

    def list_by(self, holder: str) -> list[LedgerEntry]:
        return list(self.rows.ledger)

    def entitlement(self, holder: str, tenant: TenantId, sku: SkuId, on: date) -> int:
        return self.tenant_total(tenant, sku, on)


class _Operations(Store):
    def add(self, operation: Operation) -> None:
        self.rows.operations[operation.operation_id] = operation

    def find(self, operation: OperationId) -> Operation | None:
        return self.rows.operations.get(operation)

    def get(self, operation: OperationId) -> Operation:
        found = self.find(operation)
        if found is None:
            raise InputError("no such operation")
        return found

    def starting_with(self, prefix: str, limit: int = 3) -> list[OperationId]:
        return sorted(each for each in self.rows.operations if each.startswith(prefix))[:limit]

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


class _Seats(Store):
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

    def stop_waiting(self, operation: OperationId, at: datetime) -> None:
        for place in [place for place, listing in self.rows.waiting.items() if listing == operation]:
            del self.rows.waiting[place]

    def note_unexplained(self, tenant: TenantId, sku: SkuId, number: int, at: datetime) -> None:
        if self.unexplained_before(tenant, sku, at) != number:
            self.rows.baselines.append((tenant, sku, at, number))

    def unexplained_before(self, tenant: TenantId, sku: SkuId, moment: datetime) -> int | None:
        known = [(at, number) for where, what, at, number in self.rows.baselines if (where, what) == (tenant, sku)]
        return max((one for one in known if one[0] <= moment), default=(moment, None))[1]


class _Groups(Store):
    def find(self, tenant: TenantId, sku: SkuId, holder: OrganisationId) -> LicensingGroup | None:
        return self.rows.groups.get((tenant, sku, holder))

    def list_in(self, tenant: TenantId) -> list[LicensingGroup]:
        return [group for (where, _, _), group in self.rows.groups.items() if where == tenant]

    def save(self, group: LicensingGroup) -> None:
        self.rows.groups[group.tenant_id, group.sku_id, group.holder_id] = group


class _Stops(Store):
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


class _Audit(Store):
    def record(self, events: Sequence[Event]) -> None:
        self.rows.events.extend(events)

    def pseudonyms(self, tenant: TenantId, subjects: Collection[SubjectId]) -> dict[SubjectId, Pseudonym]:
        return {subject: Pseudonym(f"p_{subject}") for subject in subjects}


class _Outbox(Store):
    def add(self, intents: Iterable[Intent]) -> None:
        self.rows.intents.extend(intents)
