"""The database of the simulation: one value, copied for each unit of work, swapped in at commit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import msgspec

from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import (
    CampaignId,
    LineKey,
    OperationId,
    Pseudonym,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Lane, Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Ticket
from provisioning.domain.worklist import FailedAlike, Intent, Stop
from tests.fakes_migrations import MemoryMigrations
from tests.simulation.boundaries import Where
from tests.simulation.journal import Journal, Leases
from tests.simulation.plans import Plans
from tests.simulation.rows import Rows, Store
from tests.simulation.tenancy import Groups, Ledger, Seats, Tenants

_WRITERS = (OperationState.APPLYING, OperationState.VERIFYING)


class Database:
    """Holds the committed rows; `at_commit` is called before and after each commit: a place to crash."""

    def __init__(self, at_commit: Callable[[Where], None]) -> None:
        self.rows = Rows()
        self.at_commit = at_commit
        self.meanwhile: Callable[[], None] | None = None  # what another process does before the next commit, once

    def open(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self)


class _NoCampaigns:
    """The plans of a campaign are simulated, not the campaign itself."""

    def find(self, campaign: CampaignId) -> None:
        return None


class _NoTickets:
    """Nobody asks by ticket here."""

    def behind(self, operation: Operation) -> list[Ticket]:
        return []


class MemoryUnitOfWork:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun_from = database.rows
        self.rows = database.rows.snapshot()

    def __getattr__(self, name: str) -> Any:
        """A store, made when it is first asked for."""
        if name not in _STORES:
            raise AttributeError(name)
        store = self.__dict__[name] = _STORES[name](self.rows)
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def commit(self) -> None:
        self._database.at_commit(Where.BEFORE_COMMIT)
        self._let_another_be_first()
        assert self._database.rows is self._begun_from, "two units of work overlapped in a single thread"
        self._database.rows = self._begun_from = self.rows.tables
        self._database.at_commit(Where.AFTER_COMMIT)

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


class _Stops(Store):
    def add(self, stop: Stop) -> None:
        self.rows.stops[stop.scope] = stop

    def list_all(self) -> list[Stop]:
        return list(self.rows.stops.values())

    def blocking(self, tenant: TenantId, kind: str) -> Stop | None:
        scopes = ("all", f"tenant:{tenant}", f"kind:{kind}")
        return next((self.rows.stops[scope] for scope in scopes if scope in self.rows.stops), None)

    def note_credential_failure(self, tenant: TenantId, reason: Reason, at: datetime, since: datetime) -> FailedAlike:
        self.rows.failures.append((tenant, reason, at))
        tenants = len({who for who, why, when in self.rows.failures if why is reason and when >= since})
        return FailedAlike(tenants, unanswered=tenants)


class _Audit(Store):
    def record(self, events: Sequence[Event]) -> None:
        self.rows.events.extend(events)

    def pseudonyms(self, tenant: TenantId, subjects: Collection[SubjectId]) -> dict[SubjectId, Pseudonym]:
        return {subject: Pseudonym(f"p_{subject}") for subject in subjects}


class _Outbox(Store):
    def add(self, intents: Iterable[Intent]) -> None:
        self.rows.intents.extend(intents)


_STORES: dict[str, Callable[[Rows], object]] = {
    "tenants": Tenants,
    "ledger": Ledger,
    "operations": _Operations,
    "migrations": MemoryMigrations,
    "campaigns": lambda _: _NoCampaigns(),
    "tickets": lambda _: _NoTickets(),
    "plans": Plans,
    "journal": Journal,
    "seats": Seats,
    "groups": Groups,
    "leases": Leases,
    "stops": _Stops,
    "audit": _Audit,
    "outbox": _Outbox,
    "references": lambda _: _References(),
    "records": lambda _: _Nothing(),
    "organisations": lambda _: _Nothing(),
    "orders": _Orders,
    "configuration": lambda _: _Configuration(),
}
