"""Two schools that become one, in the simulation: two tenants, and a migration from one to the other."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from config.limits import default_limits
from provisioning.domain.catalogue import Audience, Mappings
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.errors import ConflictError, UnavailableError
from provisioning.domain.groups import GroupLicence, LicensingGroup, ObservedGroup
from provisioning.domain.ids import Actor, BindingId, GroupId, MigrationId, OrganisationId, SubjectId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.migration import (
    Migration,
    MigrationDefinition,
    Phase,
    ProductPair,
    Traveller,
    Wave,
    WaveDefinition,
)
from provisioning.domain.migration_lifecycle import MigrationState, WaveState
from provisioning.domain.observation import Census, HeldLicence, Membership, Person, Seats, TenantProfile
from provisioning.domain.operation import Attempt, Operation, Receipt
from provisioning.domain.permissions import PEOPLE, TIERS
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Binding, Policy, Tenant
from provisioning.domain.worklist import Lease
from provisioning.services.advance_migration import AdvanceMigration
from provisioning.services.advance_operation import Work
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.keep_in_step import KeepInStep, either
from provisioning.services.match_migration import MatchMigration
from provisioning.services.plan_part import PlanPart
from provisioning.services.prepare_part import PreparePart
from provisioning.services.tenant_trouble import TenantTrouble
from tests.simulation.board import Board
from tests.simulation.graph import FakeGraph, Weather, Write, licence
from tests.simulation.store import Database
from tests.simulation.world import A3, BEGINNING, YAMMER, Crash, CrashPoint, Messages, Unlimited, VirtualClock, World

SOURCE = TenantId("22222222-2222-2222-2222-222222222222")
TARGET = TenantId("33333333-3333-3333-3333-333333333333")
OLD_SCHOOL, NEW_SCHOOL = OrganisationId("41OLD0"), OrganisationId("42NEW0")
MIGRATION = MigrationId("migration-1")
EXCHANGE = "efb87545-963c-4e0d-99df-69c6916d9eb0"
OURS = GroupId("our-group")
THEIRS = GroupId("their-group")
_TURNS = 20_000  # a migration of five people takes some hundreds
EVERYONE = '{"everyone":true}'
_WHOLE = frozenset().union(*TIERS)


def there(source: SubjectId) -> SubjectId:
    """The same human being in the target."""
    return SubjectId(f"{source}-there")


@dataclass
class TwoTenants:
    """The gateway: each tenant's own Graph."""

    source: FakeGraph
    target: FakeGraph

    def of(self, tenant: TenantId) -> FakeGraph:
        return {SOURCE: self.source, TARGET: self.target}[tenant]

    @property
    def writes(self) -> list[Write]:
        return sorted((*self.source.writes, *self.target.writes), key=lambda write: write.at)

    def observe_tenant(self, tenant: TenantId) -> TenantProfile:
        return self.of(tenant).observe_tenant(tenant)

    def observe_readiness(self, tenant: TenantId) -> tuple[TenantProfile, Seats]:
        return self.of(tenant).observe_readiness(tenant)

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        return self.of(tenant).resolve_subjects(tenant, references)

    def observe_seats(self, tenant: TenantId) -> Seats:
        return self.of(tenant).observe_seats(tenant)

    def observe_census(self, tenant: TenantId) -> Census:
        return self.of(tenant).observe_census(tenant)

    def observe_people(self, tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
        return self.of(tenant).observe_people(tenant, subjects)

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> Mapping[str, Membership]:
        return self.of(tenant).observe_memberships(tenant, keys)

    def observe_groups(
        self, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool = True
    ) -> dict[GroupId, ObservedGroup | None]:
        return self.of(tenant).observe_groups(tenant, groups, with_members=with_members)

    def find_group(self, tenant: TenantId, nickname: str) -> ObservedGroup | None:
        return self.of(tenant).find_group(tenant, nickname)

    def apply(self, tenant: TenantId, attempts: Sequence[Attempt], lease: Lease) -> list[Receipt]:
        return self.of(tenant).apply(tenant, attempts, lease)


class MergerWorld(World):
    """Five people by default: two with Yammer off, one whose Exchange is off, one through a group where asked for."""

    def __init__(
        self,
        seed: int,
        mappings: Mappings,
        weather: Weather,
        *,
        people: int = 5,
        pilot: int = 2,
        seats: int | None = None,
        crash_at: frozenset[int] = frozenset(),
        crash_chance: float = 0.0,
        mode: AssignmentMode = AssignmentMode.DIRECT,
        through: GroupId | None = None,
        board: Board | None = None,
        duplicates: float = 0.0,
    ) -> None:
        """`duplicates`: how often two workers look at the migration at the same time, in shares of one."""
        self.duplicates = duplicates
        self.limits = default_limits()
        self.dice = random.Random(seed)
        self.clock = VirtualClock()
        self.quota = Unlimited(self.clock)
        self.crash = CrashPoint(crash_at, crash_chance, self.dice)
        self.database = Database(self.crash)
        self.messages = Messages(self.dice)
        self.mappings = mappings
        self.unapproved: dict[ConfigurationKind, datetime] = {}
        self.objection: Reason | None = None
        self.crashes = self.postponed = self.overtaken = self.turns = 0
        self.board = board or Board()
        self.through = through
        here = self._people(people)
        self.graph = TwoTenants(
            self._graph(SOURCE, weather, here, len(here)),
            self._graph(TARGET, weather, self._accounts(here), people if seats is None else seats),
        )
        self._make_group()
        self._settle_in(mode, people)
        self._ask_for(pilot)
        self.crash.armed = True

    # ── what is there ────────────────────────────────────────────────────────────────────────────────────

    def _people(self, number: int) -> dict[SubjectId, Person]:
        kinds = (licence(A3), licence(A3, YAMMER), licence(A3, EXCHANGE), licence(A3))
        people = {}
        for place in range(number):
            held = kinds[place % 4]
            if self.through and place % 4 == 3:
                held = HeldLicence(A3, group_id=self.through)
            subject = SubjectId(f"person-{place:03}")
            people[subject] = Person(subject_id=subject, domain="old.example", usage_location="NL", licences=(held,))
        return people

    def _accounts(self, here: Mapping[SubjectId, Person]) -> dict[SubjectId, Person]:
        return {
            there(one): Person(subject_id=there(one), domain="new.example", usage_location="NL", licences=())
            for one in here
        }

    def _graph(self, tenant: TenantId, weather: Weather, people: dict[SubjectId, Person], seats: int) -> FakeGraph:
        return FakeGraph(
            tenant=tenant,
            now=self.clock.now,
            at_call=self.crash,
            dice=self.dice,
            weather=weather,
            people=people,
            enabled={A3: seats},
            permissions=_WHOLE if self.through or tenant == TARGET else PEOPLE,
        )

    def _make_group(self) -> None:
        if self.through is None:
            return
        source = self.graph.source
        inside = {one for one, person in source.people.items() if person.licences[0].group_id}
        source.groups.add(
            ObservedGroup(
                group_id=self.through,
                nickname="a3",
                members=frozenset(inside),
                licences=(GroupLicence(A3),),
                is_complete=True,
            )
        )
        if self.through != OURS:
            return
        with self.database.open() as uow:
            uow.groups.save(
                LicensingGroup(
                    tenant_id=SOURCE, sku_id=A3, holder_id=OLD_SCHOOL, nickname="a3", group_id=OURS, is_licensed=True
                )
            )
            uow.commit()

    def _settle_in(self, mode: AssignmentMode, seats: int) -> None:
        with self.database.open() as uow:
            for tenant, holder, way in (
                (SOURCE, OLD_SCHOOL, AssignmentMode.DIRECT if self.through is None else AssignmentMode.GROUP),
                (TARGET, NEW_SCHOOL, mode),
            ):
                uow.rows.tenants[tenant] = Tenant(tenant_id=tenant, initial_domain=f"{holder}.example")
                uow.rows.policies[tenant] = _policy(tenant, way)
                uow.rows.bindings.append(_binding(tenant, holder))
                uow.rows.entitlements[tenant, A3] = seats
            uow.commit()

    def _ask_for(self, pilot: int) -> None:
        definition = MigrationDefinition(
            name="merger",
            source_tenant=SOURCE,
            target_tenant=TARGET,
            source_holder=OLD_SCHOOL,
            target_holder=NEW_SCHOOL,
            asked_by="letter 1",
            people=EVERYONE,
            products=(ProductPair(source_sku=A3, target_sku=A3),),
            waves=(
                WaveDefinition(number=1, name="pilot", selector=EVERYONE, limit=pilot),
                WaveDefinition(number=2, name="the rest", selector=EVERYONE),
            ),
            identity=tuple((one, there(one)) for one in sorted(self.graph.source.people)),
            failure_threshold=self.board.threshold,
        )
        migration = Migration(
            migration_id=MIGRATION,
            definition=definition,
            digest="digest-of-the-definition",
            state=MigrationState.NEW,
            requested_by=Actor("person:mover"),
            created_at=BEGINNING,
            entered_at=BEGINNING,
        )
        waves = [Wave(migration_id=MIGRATION, number=number, entered_at=BEGINNING) for number in (1, 2)]
        with self.database.open() as uow:
            uow.migrations.add(migration, waves)
            uow.commit()
        match = MatchMigration(
            open_uow=self.database.open, gateway=self.graph, clock=self.clock, mappings=self.mappings
        )
        match(MIGRATION)

    # ── workers ──────────────────────────────────────────────────────────────────────────────────────────

    def _work(self) -> dict[OperationState, Work]:
        """As every process has it: parts of a migration by their own services, and in step with it."""
        ordinary = super()._work()
        shared = {"open_uow": self.database.open, "clock": self.clock, "gateway": self.graph}
        trouble = TenantTrouble(self.database.open, self.clock, self.limits)
        finish = FinishOperation(self.clock)
        prepare = self._in_force(PreparePart(**shared, trouble=trouble))
        plan = self._in_force(
            PlanPart(**shared, limits=self.limits, mappings=self.mappings, trouble=trouble, finish=finish)
        )
        keep = KeepInStep(
            open_uow=self.database.open,
            clock=self.clock,
            limits=self.limits,
            finish=finish,
            opening=lambda _window, moment: moment,
        )
        parts = dict.fromkeys(ordinary, prepare) | {OperationState.PLANNING: plan}
        as_they_are = {OperationState.AWAITING_APPROVAL, OperationState.APPLYING}
        work = {
            state: keep(usual if state in as_they_are else either(usual, parts[state]))
            for state, usual in ordinary.items()
        }
        return work | {OperationState.VERIFYING: ordinary[OperationState.VERIFYING]}

    def advance(self) -> AdvanceMigration:
        return AdvanceMigration(
            open_uow=self.database.open, clock=self.clock, dispatcher=self.messages, limits=self.limits
        )

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def migration(self) -> Migration:
        return self.database.rows.migrations[MIGRATION]

    @property
    def waves(self) -> dict[int, WaveState]:
        return {number: wave.state for (_, number), wave in sorted(self.database.rows.waves.items())}

    @property
    def travellers(self) -> list[Traveller]:
        return [one for _, one in sorted(self.database.rows.travellers.items())]

    @property
    def operations(self) -> list[Operation]:
        return list(self.database.rows.operations.values())

    def operations_in(self, phase: Phase) -> list[Operation]:
        return [one for one in self.operations if one.wish.part and one.wish.part.phase is phase]

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────

    def run_through(self, longest: timedelta = timedelta(days=400)) -> MigrationState:
        """Go on until nothing is due and nobody has anything to decide, or for so long."""
        self.worker = self._worker()
        until = self.clock.moment + longest
        while self.clock.moment < until:
            self.turns += 1
            assert self.turns < _TURNS, "it goes on forever"
            try:
                if not self._turn():
                    break
            except Crash:
                self.crashes += 1
                self.worker = self._worker()
            except UnavailableError:
                self.postponed += 1
            except ConflictError:
                self.overtaken += 1
            self.clock.moment += timedelta(milliseconds=self.dice.randint(1, 400))
        return self.migration.state

    def _turn(self) -> bool:
        """Whether there was anything to do."""
        if self.board.decide(self):
            return True
        if self.messages.queue and self.dice.random() < 0.9:
            self.worker(self.messages.queue.pop(self.dice.randrange(len(self.messages.queue))))
            return True
        return self._sweep() or bool(self.messages.queue)

    def _sweep(self) -> bool:
        """The next thing that is due, after time has passed to when it is; twice now and then."""
        due = [(one.due_at, place, one) for place, one in enumerate(self.operations) if one.due_at is not None]
        earliest = min(due, default=None)
        looked_at = self.migration.due_at
        if looked_at is not None and self._rests:
            looked_at = self._after_rest(looked_at, earliest[0] if earliest else None)
        if looked_at is not None and (earliest is None or looked_at <= earliest[0]):
            self._pass_to(looked_at)
            if self.duplicates and self.dice.random() < self.duplicates:
                self.database.meanwhile = lambda: self.advance()(MIGRATION)
            for _ in range(self.dice.choice((1, 1, 2))):
                self.advance()(MIGRATION)
        elif earliest is not None:
            self._pass_to(earliest[0])
            self.worker(earliest[2].operation_id)
        return earliest is not None or looked_at is not None

    @property
    def _rests(self) -> bool:
        """Whether nothing goes on before a person decides something."""
        asks = {OperationState.AWAITING_APPROVAL, OperationState.HELD}
        is_quiet = self.migration.entered_at < self.clock.moment - timedelta(minutes=1)
        return is_quiet and all(one.state in OPERATION_ENDS | asks for one in self.operations)

    def _after_rest(self, looked_at: datetime, due: datetime | None) -> datetime:
        """Nothing is under way: until somebody does something again nothing changes, however often it is looked at."""
        wakes = [moment for moment in (self.board.wakes_at(self), due) if moment is not None]
        return max(looked_at, min(wakes)) if wakes else looked_at

    def _pass_to(self, moment: datetime) -> None:
        self.clock.moment = max(self.clock.moment, moment)


def _policy(tenant: TenantId, mode: AssignmentMode) -> Policy:
    return Policy(
        tenant_id=tenant,
        valid_from=date(2026, 1, 1),
        assignment_mode=mode,
        usage_location="NL",
        created_by=Actor("person:author"),
        approved_by=Actor("person:other"),
    )


def _binding(tenant: TenantId, holder: OrganisationId) -> Binding:
    return Binding(
        binding_id=BindingId(f"b-{holder}"),
        organisation_id=holder,
        tenant_id=tenant,
        valid_from=date(2026, 1, 1),
        selectors={Audience.FACULTY: EVERYONE},
        created_by=Actor("person:author"),
        confirmed_by=Actor("person:other"),
        confirmed_at=BEGINNING,
    )
