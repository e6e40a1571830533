"""The world in memory, for services of the trade: organisations, tenants, orders, ledger, records, operations, audit.

What is not committed is forgotten. The fakes implement their ports; what a test looks at is in `World`.
"""

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from provisioning.domain.errors import ConflictError, UnavailableError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, LineKey, MigrationId, OperationId, OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.lifecycle import LINE_TRANSITIONS, LineState, OperationState, advance
from provisioning.domain.migration import Migration, Traveller, Wave
from provisioning.domain.operation import Lane, Operation
from provisioning.domain.order import LedgerEntry, OrderLine, ShopLine
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Record, RecordKind
from provisioning.domain.tenancy import Binding, Organisation, Relation, Tenant
from provisioning.domain.worklist import Intent, Lease
from tests.fakes_migrations import MemoryMigrations

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
_DELIVERED = frozenset({LineState.ACCEPTED, LineState.COMPLETED, LineState.PARTIALLY_COMPLETED})


@dataclass
class World:
    """All rows of the fake database."""

    organisations: dict[OrganisationId, Organisation] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)
    tenants: dict[TenantId, Tenant] = field(default_factory=dict)
    bindings: list[Binding] = field(default_factory=list)
    watermarks: dict[str, datetime] = field(default_factory=dict)
    lines: dict[LineKey, OrderLine] = field(default_factory=dict)
    ledger: list[LedgerEntry] = field(default_factory=list)
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    baselines: dict[tuple[TenantId, SkuId, datetime], int] = field(default_factory=dict)
    operations: dict[OperationId, Operation] = field(default_factory=dict)
    migrations: dict[MigrationId, Migration] = field(default_factory=dict)
    waves: dict[tuple[MigrationId, int], Wave] = field(default_factory=dict)
    travellers: dict[tuple[MigrationId, SubjectId], Traveller] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    queued_up: list[str] = field(default_factory=list)

    def state_of(self, key: LineKey) -> tuple[LineState, Reason | None]:
        line = self.lines[key]
        return line.state, line.reason

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def topics(self) -> list[str]:
        return [intent.topic for intent in self.intents]


class FakeClock:
    def __init__(self, now: datetime = NOW) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def wall(self) -> datetime:
        return self.moment

    def forward(self, by: timedelta) -> None:
        self.moment += by


class FakeDispatcher:
    def __init__(self) -> None:
        self.sent: list[tuple[OperationId, Lane]] = []

    def advance(self, operation: OperationId, lane: Lane) -> None:
        self.sent.append((operation, lane))


class FakeOrganisations:
    def __init__(self, world: World) -> None:
        self._world = world

    def find(self, organisation: OrganisationId) -> Organisation | None:
        return self._world.organisations.get(organisation)

    def list_all(self, kind: str | None = None) -> list[Organisation]:
        return [one for one in self._world.organisations.values() if kind in {None, one.kind}]

    def save(self, organisations: Iterable[Organisation]) -> int:
        given = {one.organisation_id: one for one in organisations}
        changed = sum(self._world.organisations.get(one) != given[one] for one in given)
        self._world.organisations.update(given)
        return changed

    def add_relations(self, relations: Iterable[Relation]) -> int:
        new = [one for one in relations if one not in self._world.relations]
        self._world.relations += new
        return len(new)

    def relations_of(self, organisation: OrganisationId, on: date) -> list[Relation]:
        return [
            one
            for one in self._world.relations
            if organisation in {one.parent_id, one.child_id} and _covers(one.valid_from, one.valid_until, on)
        ]


class FakeTenants:
    def __init__(self, world: World) -> None:
        self._world = world

    def find(self, tenant: TenantId) -> Tenant | None:
        return self._world.tenants.get(tenant)

    def find_by_domain(self, domain: str) -> Tenant | None:
        named = (one for one in self._world.tenants.values() if domain in {one.initial_domain, *one.verified_domains})
        return next(named, None)

    def bindings_of(self, organisation: OrganisationId, on: date) -> list[Binding]:
        return [one for one in self._world.bindings if one.organisation_id == organisation and one.is_valid_on(on)]


class FakeOrders:
    def __init__(self, world: World) -> None:
        self._world = world

    def watermark(self, source: str) -> datetime | None:
        return self._world.watermarks.get(source)

    def set_watermark(self, source: str, changed_at: datetime) -> None:
        self._world.watermarks[source] = changed_at

    def digests(self, source: str, since: datetime | None) -> dict[LineKey, str]:
        return {
            key: line.shop.digest
            for key, line in self._world.lines.items()
            if key.source == source and (since is None or line.shop.changed_at >= since)
        }

    def open_keys(self, source: str) -> set[LineKey]:
        return {key for key, line in self._world.lines.items() if key.source == source and LINE_TRANSITIONS[line.state]}

    def find(self, key: LineKey) -> OrderLine | None:
        return self._world.lines.get(key)

    def receive(self, shop: ShopLine, at: datetime) -> bool:
        if shop.key in self._world.lines:
            return False
        self._world.lines[shop.key] = OrderLine(shop=shop, state=LineState.RECEIVED, received_at=at)
        return True

    def replace_shop(self, shop: ShopLine) -> None:
        self._change(shop.key, shop=shop)

    def note_late_change(self, shop: ShopLine, warning: Reason) -> None:
        line = self._world.lines[shop.key]
        noted = msgspec.structs.replace(line.shop, status=shop.status, digest=shop.digest, changed_at=shop.changed_at)
        others = tuple(one for one in line.warnings if one is not warning)
        self._change(shop.key, shop=noted, warnings=(*others, warning))

    def set_state(
        self,
        key: LineKey,
        state: LineState,
        reason: Reason | None,
        at: datetime,
        warnings: Sequence[Reason] = (),
        released_by: Actor | None = None,
    ) -> None:
        line = self._world.lines[key]
        self._change(
            key,
            state=advance(line.state, state),
            reason=reason,
            judged_at=at,
            warnings=tuple(warnings) or line.warnings,
            released_by=released_by or line.released_by,
        )

    def list_by(
        self, states: Collection[LineState] = (), order_number: str | None = None, limit: int = 1000
    ) -> list[OrderLine]:
        fitting = [
            line
            for key, line in self._world.lines.items()
            if (not states or line.state in states) and order_number in {None, key.order_number}
        ]
        return fitting[:limit]

    def list_held(self, organisation: str, reasons: Collection[Reason] = ()) -> list[OrderLine]:
        held = self.list_by({LineState.HELD})
        return [
            one for one in held if one.shop.organisation_code == organisation and (not reasons or one.reason in reasons)
        ]

    def similar(self, organisation: str, article: str, quantity: int, since: datetime) -> list[OrderLine]:
        wanted = (organisation, article, quantity)
        return [
            line
            for line in self._world.lines.values()
            if line.state in _DELIVERED
            and line.shop.placed_at >= since
            and (line.shop.organisation_code, line.shop.article_code, line.shop.quantity) == wanted
        ]

    def _change(self, key: LineKey, **changes: Any) -> None:
        self._world.lines[key] = msgspec.structs.replace(self._world.lines[key], **changes)


class FakeLedger:
    def __init__(self, world: World) -> None:
        self._world = world

    def append(self, entries: Iterable[LedgerEntry]) -> None:
        self._world.ledger += entries

    def list_by(self, holder: OrganisationId) -> list[LedgerEntry]:
        return [one for one in self._world.ledger if one.holder_id == holder]


class FakeRecords:
    def __init__(self, world: World) -> None:
        self._world = world

    def save(self, records: Iterable[Record], at: datetime, by: Actor | None = None) -> int:
        given = {(str(one.__struct_config__.tag), one.record_id): one for one in records}
        changed = sum(self._world.records.get(key) != given[key] for key in given)
        self._world.records.update(given)
        return changed

    def list_by(self, kind: RecordKind, organisation: OrganisationId | None = None) -> list[Record]:
        return [
            record
            for (of_kind, _), record in sorted(self._world.records.items())
            if of_kind == kind and organisation in {None, record.organisation_id}
        ]


class FakeOperations:
    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, operation: Operation) -> None:
        self._world.operations[operation.operation_id] = operation

    def get(self, operation: OperationId) -> Operation:
        return self._world.operations[operation]

    def save(self, operation: Operation) -> Operation:
        if self._world.operations[operation.operation_id].version != operation.version:
            raise ConflictError("The operation changed since it was read.")
        saved = msgspec.structs.replace(operation, version=operation.version + 1)
        self._world.operations[operation.operation_id] = saved
        return saved

    def list_by(
        self,
        states: Collection[OperationState] = (),
        tenant: TenantId | None = None,
        line: LineKey | None = None,
        limit: int = 1000,
    ) -> list[Operation]:
        return [
            one
            for one in self._world.operations.values()
            if (not states or one.state in states) and tenant in {None, one.tenant_id} and line in {None, one.wish.line}
        ][:limit]


class FakeLeases:
    def __init__(self, world: World) -> None:
        self._world = world

    def take(self, name: str, holder: str, wall: datetime, duration: timedelta) -> Lease:
        self._world.queued_up.append(name)
        return Lease(name=name, holder=holder, fence=len(self._world.queued_up), expires_at=wall + duration)


class FakeAudit:
    def __init__(self, world: World) -> None:
        self._world = world

    def record(self, events: Sequence[Event]) -> None:
        self._world.events += events

    def list_by(
        self, operation: OperationId | None = None, organisation: OrganisationId | None = None, limit: int = 1000
    ) -> list[Event]:
        return [
            event
            for event in self._world.events
            if operation in {None, event.operation} and organisation in {None, event.organisation}
        ][-limit:]


class FakeOutbox:
    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, intents: Iterable[Intent]) -> None:
        self._world.intents += intents


class FakeSeats:
    def __init__(self, world: World) -> None:
        self._world = world

    def release(self, operation: OperationId) -> None:
        """Nothing is reserved here."""

    def unexplained_before(self, tenant: TenantId, sku: SkuId, moment: datetime) -> int | None:
        known = [
            number for (*place, at), number in self._world.baselines.items() if place == [tenant, sku] and at <= moment
        ]
        return known[-1] if known else None


class FakeUnitOfWork:
    """Works on a copy; `commit` makes the copy the world."""

    def __init__(self, world: World) -> None:
        self._world, draft = world, World(**_copied(world))
        self._draft = draft
        self.organisations = FakeOrganisations(draft)
        self.tenants = FakeTenants(draft)
        self.orders = FakeOrders(draft)
        self.ledger = FakeLedger(draft)
        self.records = FakeRecords(draft)
        self.operations = FakeOperations(draft)
        self.migrations = MemoryMigrations(draft)
        self.leases = FakeLeases(draft)
        self.audit = FakeAudit(draft)
        self.outbox = FakeOutbox(draft)
        self.seats = FakeSeats(draft)

    def commit(self) -> None:
        self._world.__dict__.update(_copied(self._draft))


def _copied(world: World) -> dict[str, Any]:
    """The rows are frozen values: only what holds them needs a copy."""
    return {name: copy.copy(rows) for name, rows in world.__dict__.items()}


def opener(world: World) -> Callable[[], Any]:
    """What services open their units of work with."""

    @contextmanager
    def open_uow() -> Iterator[FakeUnitOfWork]:
        yield FakeUnitOfWork(world)

    return open_uow


class FakeShop:
    """The shop's view; `is_away` makes it unreachable."""

    def __init__(self, name: str = "shop") -> None:
        self.name = name
        self.rows: dict[LineKey, ShopLine] = {}
        self.is_away = False
        self.asked_since: list[datetime | None] = []

    def put(self, *lines: ShopLine) -> None:
        self.rows |= {line.key: line for line in lines}

    def changed_since(self, moment: datetime | None) -> Iterable[ShopLine]:
        self._answer()
        self.asked_since.append(moment)
        rows = sorted(self.rows.values(), key=lambda row: row.changed_at)
        return [row for row in rows if moment is None or row.changed_at >= moment]

    def all_digests(self) -> dict[LineKey, str]:
        self._answer()
        return {key: row.digest for key, row in self.rows.items()}

    def lines(self, keys: Collection[LineKey]) -> list[ShopLine]:
        self._answer()
        return [self.rows[key] for key in keys if key in self.rows]

    def _answer(self) -> None:
        if self.is_away:
            raise UnavailableError("The shop's database does not answer.")


class FakeDesk:
    """The default order database."""

    name = "desk"

    def __init__(self) -> None:
        self.rows: dict[LineKey, ShopLine] = {}

    def submit(self, lines: Sequence[ShopLine]) -> int:
        changed = sum(self.rows.get(line.key) != line for line in lines)
        self.rows |= {line.key: line for line in lines}
        return changed


def _covers(valid_from: date, valid_until: date | None, on: date) -> bool:
    return valid_from <= on and (valid_until is None or on <= valid_until)
