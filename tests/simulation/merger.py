"""Two schools that become one, in the simulation: workers, those who decide, and virtual time for both."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from config.limits import default_limits
from provisioning.domain.catalogue import Mappings
from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.errors import ConflictError, UnavailableError
from provisioning.domain.ids import MigrationId, OperationId, SkuId, SubjectId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Migration, Phase, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, WaveState
from provisioning.domain.observation import Person
from provisioning.domain.operation import Operation
from provisioning.domain.permissions import PEOPLE, TIERS
from provisioning.domain.reasons import Reason
from provisioning.planning.window import next_opening
from provisioning.services.advance_migration import AdvanceMigration
from provisioning.services.advance_operation import Work
from provisioning.services.check_wave import CheckWave
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.keep_in_step import KeepInStep, either
from provisioning.services.match_migration import MatchMigration
from provisioning.services.plan_part import PlanPart
from provisioning.services.prepare_part import PreparePart
from provisioning.services.sweep_migrations import SweepMigrations
from provisioning.services.tenant_trouble import TenantTrouble
from tests.simulation.board import Board
from tests.simulation.boundaries import Crash, CrashPoint, Where
from tests.simulation.graph import FakeGraph
from tests.simulation.rows import Said
from tests.simulation.schools import MIGRATION, Schools
from tests.simulation.store import Database
from tests.simulation.two_tenants import SOURCE, TARGET, TwoTenants
from tests.simulation.weather import Weather
from tests.simulation.world import Messages, Unlimited, VirtualClock, World, lasting

INTO_FORM = "into the group"  # what an operation does that is no part of the migration
LOOK = "look"  # at the migration, by the sweep
_TURNS = 20_000  # a migration of five people takes some hundreds
_WHOLE = frozenset().union(*TIERS)


class MergerWorld(World):
    def __init__(
        self,
        seed: int,
        mappings: Mappings,
        weather: Weather,
        *,
        schools: Schools | None = None,
        board: Board | None = None,
        crash_at: frozenset[int] = frozenset(),
        crash_chance: float = 0.0,
        duplicates: float = 0.0,
    ) -> None:
        """`duplicates`: how often two workers look at the migration at the same time, in shares of one."""
        self.schools = schools or Schools()
        self.duplicates = duplicates
        self.limits = default_limits()
        self.dice = random.Random(seed)
        self.clock = VirtualClock(self.schools.begins_at)
        self.quota = Unlimited(self.clock)
        self.crash = CrashPoint(crash_at, crash_chance, self.dice)
        self.database = Database(self.crash)
        self.messages = Messages(self.dice)
        self.mappings = mappings
        self.unapproved: dict[ConfigurationKind, datetime] = {}
        self.objection: Reason | None = None
        self.crashes = self.postponed = self.overtaken = self.turns = self.delivered = 0
        self.board = board or Board()
        self._nothing_new: object = None  # how everything stood when a look at the migration changed nothing
        here = self.schools.people_here()
        self.graph = TwoTenants(
            self._graph(SOURCE, weather, here, dict.fromkeys(self.schools.products, len(here))),
            self._graph(TARGET, weather, self.schools.accounts_there(), dict(self.schools.seats_there)),
            at_read=lambda: self.crash(Where.READING),
        )
        self._furnish_both()
        self.crash.left_behind = self._left_behind
        self.crash.armed = True

    def _graph(
        self, tenant: TenantId, weather: Weather, people: dict[SubjectId, Person], seats: dict[SkuId, int]
    ) -> FakeGraph:
        return FakeGraph(
            tenant=tenant,
            now=self.clock.now,
            at_call=self.crash,
            dice=self.dice,
            weather=weather,
            people=people,
            enabled=seats,
            permissions=_WHOLE if self.schools.through or tenant == TARGET else PEOPLE,
        )

    def _furnish_both(self) -> None:
        with self.database.open() as uow:
            self.schools.settle_in(uow)
            self.schools.make_group(uow, self.graph.source)
            self.schools.ask_for_migration(uow, self.graph.source.people, self.board.threshold)
            uow.commit()

    def _left_behind(self) -> object:
        """All that outlives a process: what was committed, what Graph did, and which messages are on their way."""
        writes = len(self.graph.source.writes), len(self.graph.target.writes)
        return self.crash.doing, Said(self.database.rows), writes, self.delivered, len(self.messages.queue)

    # ── workers ──────────────────────────────────────────────────────────────────────────────────────────

    def _work(self) -> dict[OperationState, Work]:
        """As every process has it: parts of a migration by their own services, and in step with it."""
        ordinary = super()._work()
        shared = {"open_uow": self.database.open, "clock": self.clock, "gateway": self.graph}
        trouble = TenantTrouble(self.database.open, self.clock, self.limits)
        finish = FinishOperation(self.clock)
        prepare = self._in_force(PreparePart(**shared, trouble=trouble))
        plan = self._in_force(
            PlanPart(
                **shared,
                limits=self.limits,
                mappings=self.mappings,
                trouble=trouble,
                finish=finish,
                keep_alive=lasting,
            )
        )
        keep = KeepInStep(
            open_uow=self.database.open,
            clock=self.clock,
            limits=self.limits,
            finish=finish,
            opening=lambda window, moment: next_opening(window, self.mappings.school_holidays, moment),
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

    def match(self) -> MatchMigration:
        return MatchMigration(open_uow=self.database.open, gateway=self.graph, clock=self.clock, mappings=self.mappings)

    def check(self) -> CheckWave:
        return CheckWave(
            open_uow=self.database.open,
            gateway=self.graph,
            clock=self.clock,
            mappings=self.mappings,
            limits=self.limits,
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

    def run_through(self, longest: timedelta = timedelta(days=400), *, stops_at_crash: bool = False) -> MigrationState:
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
                if stops_at_crash:
                    break
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
            self._deliver(self.messages.queue.pop(self.dice.randrange(len(self.messages.queue))))
            return True
        return self._sweep() or bool(self.messages.queue)

    def _deliver(self, operation_id: OperationId) -> None:
        """Acknowledged late: the message of who dies over it may come again, or the sweep finds the work."""
        part = self.database.rows.operations[operation_id].wish.part
        self.delivered += 1
        self.crash.doing = INTO_FORM if part is None else part.phase
        try:
            self.worker(operation_id)
            self.crash(Where.BEFORE_ACKNOWLEDGE)
        except Crash:
            self.messages.queue += [operation_id] * self.dice.randrange(2)
            raise

    def _sweep(self) -> bool:
        """The next thing that is due, after time has passed to when it is."""
        due = [(one.due_at, place, one) for place, one in enumerate(self.operations) if one.due_at is not None]
        earliest = min(due, default=None)
        looked_at = self._when_to_look(earliest[0] if earliest else None)
        if looked_at is not None and (earliest is None or looked_at <= earliest[0]):
            self._pass_to(looked_at)
            self._look()
        elif earliest is not None:
            self._pass_to(earliest[0])
            self._deliver(earliest[2].operation_id)
        return earliest is not None or looked_at is not None

    def _look(self) -> None:
        """Twice now and then, or by two workers at once."""
        self.crash.doing = LOOK
        before = self._standing
        sweep = SweepMigrations(
            open_uow=self.database.open, clock=self.clock, limits=self.limits, advance=self._look_at
        )
        for _ in range(self.dice.choice((1, 1, 2))):
            sweep()
            self.crash(Where.BEFORE_ACKNOWLEDGE)
        self._nothing_new = before if before == self._standing else None

    def _look_at(self, migration: MigrationId) -> int:
        if self.duplicates and self.dice.random() < self.duplicates:
            self.database.meanwhile = lambda: self.advance()(migration)
        try:
            return self.advance()(migration)
        except ConflictError:
            self.overtaken += 1
            raise
        finally:
            self.database.meanwhile = None  # the other worker does not wait for whoever died before it came

    @property
    def _standing(self) -> object:
        """What a look at the migration looks at."""
        rows = self.database.rows
        work = tuple((one.operation_id, one.version, one.state) for one in rows.operations.values())
        return work, tuple(self.travellers), tuple(rows.waves.values()), self.migration.state, len(rows.events)

    def _when_to_look(self, due: datetime | None) -> datetime | None:
        """As long as nothing has happened since a look that changed nothing, no further look changes anything."""
        looked_at = self.migration.due_at
        if looked_at is None or self._nothing_new is None or self._nothing_new != self._standing:
            return looked_at
        wakes = [moment for moment in (self.board.wakes_at(self), due) if moment is not None]
        return max(looked_at, min(wakes)) if wakes else looked_at

    def _pass_to(self, moment: datetime) -> None:
        self.clock.moment = max(self.clock.moment, moment)
