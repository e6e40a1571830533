"""In-memory stores for the services of people: tenants, actors, stops, plans, operations, audit."""

import copy
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.campaign import Campaign, CampaignMember, MemberKey
from provisioning.domain.catalogue import Audience
from provisioning.domain.configuration import ConfigurationKind, ConfigurationVersion
from provisioning.domain.errors import ConflictError, InputError, UnavailableError
from provisioning.domain.events import Event
from provisioning.domain.groups import LicensingGroup
from provisioning.domain.ids import (
    Actor,
    BindingId,
    CampaignId,
    LineKey,
    MigrationId,
    OperationId,
    OrganisationId,
    PlanId,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import LineState, OperationState, StepState, SubjectState
from provisioning.domain.migration import Migration, Traveller, Wave
from provisioning.domain.observation import SeatCount, Seats, Subscription, TenantProfile
from provisioning.domain.operation import Lane, Operation, OperationKind, Step, StepRecord, SubjectRecord, Wish
from provisioning.domain.order import LedgerEntry, OrderLine
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Record, RecordKind
from provisioning.domain.tenancy import (
    Binding,
    BindingEvidence,
    Organisation,
    OrganisationKind,
    Policy,
    Relation,
    Tenant,
)
from provisioning.domain.ticket import Ticket
from provisioning.domain.worklist import FailedAlike, Intent, Lease, Notice, Stop, WorkItem
from provisioning.planning.campaign_readiness import Readiness
from provisioning.planning.forecast import Work
from provisioning.planning.mappings_impact import Holders, OpenLines, OpenWork
from provisioning.planning.quota_reading import QuotaReading
from provisioning.ports import PlannedPerson, PlanRecord, WaitingList
from tests.fakes_campaigns import MemoryCampaigns
from tests.fakes_migrations import MemoryMigrations

NOW = datetime(2026, 8, 3, 9, tzinfo=UTC)
TODAY = date(2026, 8, 3)
SCHOOL = OrganisationId("41234")
TENANT = TenantId("11111111-1111-4111-8111-111111111111")
OPERATION = OperationId("77aa1234-0000-4000-8000-000000000000")
A3 = SkuId("a3000000-0000-4000-8000-000000000000")


def person(handle: str, *roles: Role) -> Identity:
    return Identity(actor=Actor(f"person:{handle}"), roles=frozenset(roles))


ADMIN = person("admin", Role.ADMIN)
OPERATOR = person("duty", Role.OPERATOR)
SECOND = person("night", Role.OPERATOR)
APPROVER = person("ap", Role.APPROVER)
AUDITOR = person("au", Role.AUDITOR)


class FakeClock:
    def __init__(self, now: datetime = NOW) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def wall(self) -> datetime:
        return self.moment


class FakeDispatcher:
    def __init__(self) -> None:
        self.sent: list[OperationId] = []

    def advance(self, operation: OperationId, lane: Lane) -> None:
        self.sent.append(operation)


class FakeGauge:
    """The buckets as a test says they are; None: Redis is away."""

    def __init__(self, reading: QuotaReading | None = QuotaReading()) -> None:  # noqa: B008  frozen
        self.reading = reading

    def read(self, tenants: Collection[TenantId]) -> QuotaReading:
        if self.reading is None:
            raise UnavailableError("Redis does not answer.")
        asked = {tenant: seen for tenant, seen in self.reading.tenants.items() if tenant in tenants}
        return msgspec.structs.replace(self.reading, tenants=asked)


class FakeGateway:
    """Knows one tenant by one domain; `refusal` is raised instead of a profile."""

    def __init__(self) -> None:
        self.counts: dict[SkuId, SeatCount] = {}
        self.domains = {"school.nl": TENANT, TENANT: TENANT}
        self.refusal: Exception | None = None
        self.verified: tuple[str, ...] = ("school.nl",)
        self.permissions = frozenset({"Organization.Read.All", "User.Read.All", "GroupMember.Read.All"})
        self.subscriptions: tuple[Subscription, ...] = ()
        self.calls: list[str] = []

    def find_tenant(self, domain: str) -> TenantId | None:
        return self.domains.get(domain)

    def observe_tenant(self, tenant: TenantId) -> TenantProfile:
        self.calls.append("observe_tenant")
        if self.refusal:
            raise self.refusal
        return TenantProfile(
            tenant_id=tenant,
            initial_domain="school.onmicrosoft.com",
            verified_domains=self.verified,
            country="NL",
            default_usage_location="NL",
            permissions=self.permissions,
        )

    def observe_seats(self, tenant: TenantId) -> Seats:
        self.calls.append("observe_seats")
        return Seats(tenant_id=tenant, observed_at=NOW, counts=self.counts, subscriptions=self.subscriptions)

    def show(self, enabled: int, sku: SkuId = A3) -> None:
        """Microsoft's number of seats."""
        nothing = dict.fromkeys(("warning", "suspended", "locked_out", "consumed"), 0)
        self.counts[sku] = SeatCount(
            sku_id=sku, part_number=sku, capability="Enabled", enabled=enabled, plan_ids=frozenset(), **nothing
        )

    def buy(self, total: int, sku: SkuId = A3) -> None:
        bought = Subscription(subscription_id=f"s{total}", sku_id=sku, status="Enabled", total=total)
        self.subscriptions = (*self.subscriptions, bought)


class World:
    """All rows of the fake database; what is not committed is forgotten."""

    def __init__(self) -> None:
        self.organisations: dict[OrganisationId, Organisation] = {}
        self.relations: list[Relation] = []
        self.tenants: dict[TenantId, Tenant] = {}
        self.bindings: list[Binding] = []
        self.policies: list[Policy] = []
        self.held: list[OrderLine] = []
        self.ledger: list[LedgerEntry] = []
        self.operations: dict[OperationId, Operation] = {}
        self.migrations: dict[MigrationId, Migration] = {}
        self.waves: dict[tuple[MigrationId, int], Wave] = {}
        self.travellers: dict[tuple[MigrationId, SubjectId], Traveller] = {}
        self.campaigns: dict[CampaignId, Campaign] = {}
        self.members: dict[tuple[CampaignId, MemberKey], CampaignMember] = {}
        self.looks: dict[tuple[CampaignId, MemberKey], Readiness] = {}
        self.looking: dict[tuple[CampaignId, TenantId], datetime] = {}
        self.behind: list[tuple[OperationId, Ticket]] = []  # of an operation
        self.records: list[Record] = []
        self.waiting: list[WaitingList] = []
        self.baselines: dict[tuple[TenantId, SkuId], int] = {}
        self.plans: list[PlanRecord] = []
        self.planned: dict[PlanId, tuple[list[PlannedPerson], list[Step]]] = {}  # the rows of plans
        self.reviewed: dict[PlanId, Actor] = {}
        self.subjects: list[SubjectRecord] = []
        self.written: list[StepRecord] = []  # receipts
        self.writes: dict[OperationId, int] = {}  # still to be sent, by operation under way
        self.actors: dict[str, Identity] = {}  # by digest of the token
        self.stops: list[Stop] = []
        self.leases: dict[str, Lease] = {}
        self.configurations: list[ConfigurationVersion] = []
        self.open_lines: list[tuple[str, OpenLines]] = []  # by article
        self.open_work: list[OpenWork] = []
        self.holders: list[tuple[SkuId, Holders]] = []
        self.contents: dict[tuple[ConfigurationKind, str], bytes] = {}
        self.failures: list[tuple[TenantId, Reason, datetime]] = []
        self.answered = 0  # of them
        self.events: list[Event] = []
        self.intents: list[Intent] = []
        self.notices: list[Notice] = []
        self.items: list[WorkItem] = []
        self.released: list[OperationId] = []
        self.unsealed: list[tuple[int, bytes]] = []

    @contextmanager
    def open(self) -> Iterator["FakeUnitOfWork"]:
        before = {name: copy.copy(rows) for name, rows in vars(self).items()}
        unit = FakeUnitOfWork(self)
        try:
            yield unit
        finally:
            if not unit.committed:
                vars(self).update(before)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


class FakeUnitOfWork:
    def __init__(self, world: World) -> None:
        self.committed = False
        self.organisations: Any = _Organisations(world)
        self.tenants: Any = _Tenants(world)
        self.orders: Any = _Orders(world)
        self.ledger: Any = _Ledger(world)
        self.operations: Any = _Operations(world)
        self.migrations: Any = MemoryMigrations(world)
        self.campaigns: Any = MemoryCampaigns(world)
        self.tickets: Any = _Tickets(world)
        self.records: Any = _Records(world)
        self.groups: Any = _Groups(world)
        self.plans: Any = _Plans(world)
        self.journal: Any = _Journal(world)
        self.seats: Any = _Seats(world)
        self.leases: Any = _Leases(world)
        self.stops: Any = _Stops(world)
        self.leases: Any = _Leases(world)
        self.configuration: Any = _Configuration(world)
        self.impact: Any = _Impact(world)
        self.actors: Any = _Actors(world)
        self.audit: Any = _Audit(world)
        self.outbox: Any = _Outbox(world)
        self.seals: Any = _Seals(world)
        self.worklist: Any = _WorkList(world)
        self.references: Any = _References()

    def commit(self) -> None:
        self.committed = True


class _References:
    """Whoever looks here finds that nobody is kept."""

    def unresolved(self, key: LineKey) -> list[str]:
        return []

    def resolved(self, key: LineKey) -> list[SubjectId]:
        return []


class _Tickets:
    """What tickets do is held on a real database; here nothing rests on one unless `world.behind` says so."""

    def __init__(self, world: World) -> None:
        self._tickets = world.behind

    def behind(self, operation: Operation) -> list[Ticket]:
        return [ticket for one, ticket in self._tickets if one == operation.operation_id]


class _Store:
    def __init__(self, world: World) -> None:
        self.world = world


class _Organisations(_Store):
    def find(self, organisation: OrganisationId) -> Organisation | None:
        return self.world.organisations.get(organisation)

    def list_all(self, kind: str | None = None) -> list[Organisation]:
        return [x for x in self.world.organisations.values() if kind in {None, x.kind}]

    def relations_of(self, organisation: OrganisationId, on: date) -> list[Relation]:
        return [x for x in self.world.relations if organisation in {x.parent_id, x.child_id}]


class _Tenants(_Store):
    def find(self, tenant: TenantId) -> Tenant | None:
        return self.world.tenants.get(tenant)

    def find_by_domain(self, domain: str) -> Tenant | None:
        known = self.world.tenants.values()
        return next((x for x in known if domain == x.initial_domain or domain in x.verified_domains), None)

    def list_all(self) -> list[Tenant]:
        return list(self.world.tenants.values())

    def save(self, tenant: Tenant) -> None:
        self.world.tenants[tenant.tenant_id] = tenant

    def bindings_of(self, organisation: OrganisationId, on: date) -> list[Binding]:
        return [x for x in self.world.bindings if x.organisation_id == organisation and x.is_valid_on(on)]

    def bindings_in(self, tenant: TenantId, on: date) -> list[Binding]:
        return [x for x in self.world.bindings if x.tenant_id == tenant and x.is_valid_on(on)]

    def add_binding(self, binding: Binding) -> None:
        self.world.bindings.append(binding)

    def confirm_binding(
        self, binding: BindingId, by: Actor, at: datetime, evidence: Collection[BindingEvidence]
    ) -> None:
        self._change(binding, confirmed_by=by, confirmed_at=at, evidence=frozenset(evidence))

    def set_selector(
        self,
        binding: BindingId,
        audience: Audience,
        selector: str,
        by: Actor,
        at: datetime,
        authors: Collection[Actor] = (),
    ) -> None:
        known = next(x for x in self.world.bindings if x.binding_id == binding)
        selectors = {**known.selectors, audience: selector}
        hands = (*(() if known.is_confirmed else known.hands), *authors)
        self._change(binding, selectors=selectors, created_by=by, authors=hands, confirmed_by=None, confirmed_at=None)

    def policy_on(self, tenant: TenantId, on: date) -> Policy:
        approved = [x for x in self.list_policies(tenant) if x.approved_by and x.valid_from <= on]
        return approved[0] if approved else Policy(tenant_id=tenant, valid_from=date.min)

    def add_policy(self, policy: Policy) -> None:
        self.world.policies.append(policy)

    def list_policies(self, tenant: TenantId) -> list[Policy]:
        return [x for x in reversed(self.world.policies) if x.tenant_id == tenant]

    def approve_policy(self, tenant: TenantId, digest: str, by: Actor, at: datetime) -> None:
        self.world.policies = [
            msgspec.structs.replace(x, approved_by=by) if x.digest == digest else x for x in self.world.policies
        ]

    def _change(self, binding: BindingId, **changes: object) -> None:
        self.world.bindings = [
            msgspec.structs.replace(x, **changes) if x.binding_id == binding else x for x in self.world.bindings
        ]


class _Orders(_Store):
    def list_held(self, organisation: str, reasons: Collection[Reason] = ()) -> list[OrderLine]:
        return [x for x in self.world.held if x.shop.organisation_code == organisation]

    def find(self, key: LineKey) -> OrderLine | None:
        return next((x for x in self.world.held if x.shop.key == key), None)

    def list_by(
        self, states: Collection[LineState] = (), order_number: str | None = None, limit: int = 1000
    ) -> list[OrderLine]:
        fitting = [x for x in self.world.held if order_number in {None, x.shop.key.order_number}]
        return [x for x in fitting if not states or x.state in states][:limit]

    def set_state(self, key: LineKey, state: LineState, reason: Reason | None, at: datetime) -> None:
        self.world.held = [
            msgspec.structs.replace(x, state=state, reason=reason) if x.shop.key == key else x for x in self.world.held
        ]


class _Ledger(_Store):
    def list_by(self, holder: OrganisationId) -> list[LedgerEntry]:
        return [x for x in self.world.ledger if x.holder_id == holder]

    def entitlement(self, holder: OrganisationId, tenant: TenantId, sku: SkuId, on: date) -> int:
        return sum(x.delta for x in self.list_by(holder) if (x.tenant_id, x.sku_id) == (tenant, sku))

    def holdings(self, skus: Collection[SkuId], on: date) -> dict[tuple[OrganisationId, TenantId, SkuId], int]:
        held: Counter[tuple[OrganisationId, TenantId, SkuId]] = Counter()
        for x in self.world.ledger:
            if x.sku_id in skus and x.tenant_id and x.sku_id:
                held[x.holder_id, x.tenant_id, x.sku_id] += x.delta
        return {place: seats for place, seats in held.items() if seats > 0}

    def tenant_total(self, tenant: TenantId, sku: SkuId, on: date) -> int:
        return sum(x.delta for x in self.world.ledger if (x.tenant_id, x.sku_id) == (tenant, sku))


class _Records(_Store):
    def list_by(self, kind: RecordKind, organisation: OrganisationId | None = None) -> list[Record]:
        of_kind = [x for x in self.world.records if x.__struct_config__.tag == kind]
        return [x for x in of_kind if organisation in {None, x.organisation_id}]


class _Groups(_Store):
    def list_in(self, tenant: TenantId) -> list[LicensingGroup]:
        """We made none."""
        return []


class _Operations(_Store):
    def find(self, operation: OperationId) -> Operation | None:
        return self.world.operations.get(operation)

    def add(self, operation: Operation) -> None:
        self.world.operations[operation.operation_id] = operation

    def get(self, operation: OperationId) -> Operation:
        if operation not in self.world.operations:
            raise InputError(f"There is no operation {operation}.")
        return self.world.operations[operation]

    def save(self, operation: Operation) -> Operation:
        if self.world.operations[operation.operation_id].version != operation.version:
            raise ConflictError("It moved meanwhile.")
        saved = msgspec.structs.replace(operation, version=operation.version + 1)
        self.world.operations[operation.operation_id] = saved
        return saved

    def starting_with(self, prefix: str, limit: int = 3) -> list[OperationId]:
        return [x for x in self.world.operations if x.startswith(prefix)][:limit]

    def list_by(
        self,
        states: Collection[OperationState] = (),
        tenant: TenantId | None = None,
        line: object = None,
        limit: int = 1000,
    ) -> list[Operation]:
        every = (x for x in self.world.operations.values() if line in {None, x.wish.line})
        return [x for x in every if (not states or x.state in states) and tenant in {None, x.tenant_id}][:limit]

    def postpone(self, operation: OperationId, until: datetime) -> None:
        present = self.world.operations[operation]
        self.world.operations[operation] = msgspec.structs.replace(present, due_at=until)

    def due_by_lane(self, now: datetime) -> dict[Lane, tuple[int, datetime]]:
        due = [(x.lane, x.due_at) for x in self.world.operations.values() if x.due_at and x.due_at <= now]
        return {lane: (len(some), min(some)) for lane in Lane if (some := [at for of, at in due if of is lane])}

    def held_by_reason(self) -> dict[Reason, int]:
        held = (x.reason for x in self.world.operations.values() if x.state is OperationState.HELD and x.reason)
        return dict(Counter(held))


class _Plans(_Store):
    def current(self, operation: OperationId) -> PlanRecord | None:
        return next((x for x in reversed(self.world.plans) if x.operation_id == operation), None)

    def people(self, plan: PlanId) -> list[PlannedPerson]:
        return self.world.planned.get(plan, ([], []))[0]

    def steps(self, plan: PlanId) -> list[Step]:
        return self.world.planned.get(plan, ([], []))[1]

    def approve(
        self, plan: PlanId, by: Actor, digest: str, at: datetime, break_glass_reason: str | None = None
    ) -> None:
        self._change(plan, approved_by=by, approved_at=at, break_glass_reason=break_glass_reason)

    def unreviewed(self, operation: OperationId) -> list[PlanRecord]:
        alone = [x for x in self.world.plans if x.operation_id == operation and x.break_glass_reason]
        return [x for x in alone if x.plan_id not in self.world.reviewed]

    def review(self, plan: PlanId, by: Actor, at: datetime) -> None:
        self.world.reviewed = {**self.world.reviewed, plan: by}

    def reject(self, plan: PlanId, by: Actor, reason: str, at: datetime) -> None:
        self._change(plan, rejected_by=by)

    def _change(self, plan: PlanId, **changes: object) -> None:
        self.world.plans = [msgspec.structs.replace(x, **changes) if x.plan_id == plan else x for x in self.world.plans]


class _Journal(_Store):
    def subjects(self, operation: OperationId) -> list[SubjectRecord]:
        return [x for x in self.world.subjects if x.operation_id == operation]

    def subject_counts(self, operation: OperationId) -> dict[SubjectState, int]:
        return {SubjectState.PENDING: 0, **Counter(one.state for one in self.subjects(operation))}

    def step_counts(self, operation: OperationId) -> dict[StepState, int]:
        return {StepState.PENDING: len(self.subjects(operation))}

    def steps_in(
        self, operation: OperationId, states: Collection[StepState], limit: int | None = None
    ) -> list[StepRecord]:
        found = [one for one in self.world.written if one.operation_id == operation and one.state in states]
        return found[:limit]

    def applied_since(
        self, tenant: TenantId, since: datetime, _subjects: Collection[SubjectId] | None = None
    ) -> list[StepRecord]:
        recent = (one for one in self.world.written if one.applied_at and one.applied_at >= since)
        return [one for one in recent if self.world.operations[one.operation_id].tenant_id == tenant]

    def verified_at(self, operation: OperationId) -> dict[SubjectId, datetime]:
        done = (one for one in self.world.written if one.operation_id == operation and one.state is StepState.VERIFIED)
        return {one.step.subject_id: one.applied_at for one in done if one.applied_at}

    def verified_since(self, _since: datetime) -> int:
        return 0

    def pending_writes(self) -> list[Work]:
        operations = self.world.operations
        return [Work(each, operations[each].tenant_id, writes) for each, writes in self.world.writes.items() if writes]


class _Leases(_Store):
    def take(self, name: str, holder: str, wall: datetime, duration: timedelta) -> None:
        """Nobody else is here."""


class _Seats(_Store):
    def reserved(self, tenant: TenantId, sku: SkuId, apart_from: OperationId | None = None) -> set[SubjectId]:
        return set()

    def waiting_lists(self, tenant: TenantId | None = None) -> list[WaitingList]:
        return [waiting for waiting in self.world.waiting if tenant in {None, waiting.tenant_id}]

    def release(self, operation: OperationId) -> None:
        self.world.released.append(operation)

    def stop_waiting(self, operation: OperationId, at: datetime) -> None:
        self.world.waiting = [one for one in self.world.waiting if one.operation_id != operation]

    def note_unexplained(self, tenant: TenantId, sku: SkuId, number: int, at: datetime) -> None:
        self.world.baselines = {**self.world.baselines, (tenant, sku): number}


class _Leases(_Store):
    """Its database's clock stands at NOW."""

    def take(self, name: str, holder: str, wall: datetime, duration: timedelta) -> Lease:
        self.world.leases[name] = Lease(name=name, holder=holder, fence=1, expires_at=wall + duration)
        return self.world.leases[name]

    def alive(self, prefix: str) -> list[Lease]:
        every = self.world.leases.items()
        return [lease for name, lease in every if name.startswith(prefix) and lease.expires_at > NOW]

    def release(self, lease: Lease) -> None:
        del self.world.leases[lease.name]


class _Stops(_Store):
    def add(self, stop: Stop) -> None:
        self.world.stops.append(stop)

    def lift(self, scope: str) -> bool:
        before = len(self.world.stops)
        self.world.stops = [stop for stop in self.world.stops if stop.scope != scope]
        return len(self.world.stops) < before

    def list_all(self) -> list[Stop]:
        return list(self.world.stops)

    def blocking(self, tenant: TenantId, kind: str) -> Stop | None:
        return next((x for x in self.world.stops if x.scope in {"all", f"tenant:{tenant}", f"kind:{kind}"}), None)

    def note_credential_failure(self, tenant: TenantId, reason: Reason, at: datetime, since: datetime) -> FailedAlike:
        self.world.failures.append((tenant, reason, at))
        late = [(who, n) for n, (who, why, when) in enumerate(self.world.failures) if why == reason and when >= since]
        unanswered = {who for who, number in late if number >= self.world.answered}
        return FailedAlike(len({who for who, _ in late}), len(unanswered))

    def answer_credential_failures(self) -> None:
        self.world.answered = len(self.world.failures)


class _Configuration(_Store):
    def in_force(self) -> dict[ConfigurationKind, ConfigurationVersion]:
        return {version.kind: version for version in self.world.configurations if version.is_in_force}

    def list_all(self) -> list[ConfigurationVersion]:
        return list(reversed(self.world.configurations))

    def install(self, version: ConfigurationVersion) -> bool:
        is_first = version.kind not in self.in_force()
        self.world.configurations += [version] if is_first else []
        return is_first

    def propose(self, version: ConfigurationVersion) -> None:
        if any(one.is_proposed and one.digest == version.digest for one in self.world.configurations):
            raise ConflictError("The same proposal waits for approval already.")
        self.world.configurations.append(version)

    def approve(self, kind: ConfigurationKind, digest: str, by: Actor, at: datetime) -> None:
        retired = {"retired_at": at}
        approved = {"approved_by": by, "approved_at": at}
        self._change(lambda one: one.kind is kind and one.is_in_force, retired)
        self._change(lambda one: one.kind is kind and one.digest == digest and one.is_proposed, approved)

    def reject(self, kind: ConfigurationKind, digest: str, at: datetime) -> None:
        self._change(lambda one: one.kind is kind and one.digest == digest and one.is_proposed, {"retired_at": at})

    def restore(self, version: ConfigurationVersion, instead_of: str) -> ConfigurationVersion:
        every = self.world.configurations
        if not any(one.is_in_force and one.digest == instead_of for one in every):
            raise ConflictError(f"Other {version.kind} came into force in between. Look again.")
        agreed = [number for number, one in enumerate(every) if one.digest == version.digest and not one.is_rollback]
        restored = msgspec.structs.replace(version, restores=agreed[-1])
        self._change(lambda one: one.kind is version.kind and one.is_in_force, {"retired_at": version.proposed_at})
        self.world.configurations.append(restored)
        return restored

    def review(self, kind: ConfigurationKind, digest: str, by: Actor, at: datetime) -> None:
        reviewed = {"reviewed_by": by, "reviewed_at": at}
        self._change(lambda one: one.kind is kind and one.digest == digest and one.is_unreviewed, reviewed)

    def keep(self, kind: ConfigurationKind, digest: str, packed: bytes) -> None:
        self.world.contents.setdefault((kind, digest), packed)

    def content(self, kind: ConfigurationKind, digest: str) -> bytes | None:
        return self.world.contents.get((kind, digest))

    def _change(self, is_it: Callable[[ConfigurationVersion], bool], changes: dict[str, Any]) -> None:
        self.world.configurations = [
            msgspec.structs.replace(one, **changes) if is_it(one) else one for one in self.world.configurations
        ]


class _Impact(_Store):
    def open_lines(self, articles: Collection[str]) -> list[OpenLines]:
        return [one for code, one in self.world.open_lines if code in articles]

    def open_work(self) -> list[OpenWork]:
        return list(self.world.open_work)

    def holders(self, products: Collection[SkuId], today: date) -> list[Holders]:
        return [one for sku, one in self.world.holders if sku in products]


class _Actors(_Store):
    def add(self, identity: Identity, token_digest: str, at: datetime) -> None:
        self.world.actors[token_digest] = identity

    def find_by_token(self, token_digest: str) -> Identity | None:
        return self.world.actors.get(token_digest)

    def list_all(self) -> list[Identity]:
        return list(self.world.actors.values())

    def revoke(self, actor: Actor, at: datetime) -> bool:
        before = len(self.world.actors)
        self.world.actors = {digest: x for digest, x in self.world.actors.items() if x.actor != actor}
        return len(self.world.actors) < before

    def has_any(self, role: Role, at: datetime) -> bool:
        return any(
            role in one.roles and (one.expires_at is None or one.expires_at > at) for one in self.world.actors.values()
        )


class _Audit(_Store):
    def record(self, events: Sequence[Event]) -> None:
        self.world.events = [*self.world.events, *events]

    def list_by(
        self,
        operation: OperationId | None = None,
        organisation: OrganisationId | None = None,
        limit: int = 1000,
    ) -> list[Event]:
        every = self.world.events
        return [x for x in every if operation in {None, x.operation} and organisation in {None, x.organisation}][:limit]


class _Outbox(_Store):
    def add(self, intents: Sequence[Intent]) -> None:
        self.world.intents.extend(intents)

    def notices(self, organisation: OrganisationId | None = None, limit: int = 200) -> list[Notice]:
        return [x for x in self.world.notices if organisation in {None, x.organisation_id}][:limit]


class _Seals(_Store):
    def unsealed(self, limit: int) -> list[tuple[int, bytes]]:
        return self.world.unsealed[:limit]


class _WorkList(_Store):
    def items(self, now: datetime) -> list[WorkItem]:
        return list(self.world.items)


Opener = Callable[[], Any]


def a_school(world: World, web_domain: str | None = "www.school.nl") -> Organisation:
    school = Organisation(organisation_id=SCHOOL, kind=OrganisationKind.SCHOOL, name="x", web_domain=web_domain)
    world.organisations[SCHOOL] = school
    return school


def a_tenant(world: World, tenant: TenantId = TENANT, domain: str = "school.onmicrosoft.com") -> Tenant:
    known = Tenant(tenant_id=tenant, initial_domain=domain, verified_domains=("school.nl",))
    world.tenants[tenant] = known
    return known


def a_binding(world: World, created_by: Actor = OPERATOR.actor, **changes: Any) -> Binding:
    binding = Binding(
        binding_id=BindingId("b1"),
        organisation_id=SCHOOL,
        tenant_id=TENANT,
        valid_from=date(2026, 8, 1),
        created_by=created_by,
    )
    world.bindings.append(msgspec.structs.replace(binding, **changes))
    return world.bindings[-1]


def an_operation(world: World, state: OperationState, **changes: Any) -> Operation:
    wish = Wish(
        sku_id=A3,
        audience=Audience.FACULTY,
        article_code="MS-A3",
        replaces=frozenset(),
        holder_id=SCHOOL,
        organisations=(SCHOOL,),
        seats_wanted=12,
    )
    operation = Operation(
        operation_id=OPERATION,
        kind=OperationKind.DELIVER,
        tenant_id=TENANT,
        lane=Lane.ORDER,
        state=state,
        wish=wish,
        requested_by=OPERATOR.actor,
        created_at=NOW - timedelta(hours=1),
        entered_at=NOW - timedelta(hours=1),
        due_at=None,
    )
    operation = msgspec.structs.replace(operation, **changes)
    world.operations[operation.operation_id] = operation
    return operation
