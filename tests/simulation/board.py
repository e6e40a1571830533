"""Who steers a migration in the simulation: whatever can be decided they decide, or they change their minds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, MigrationId, SubjectId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.migration import EvidenceSource, Phase, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.planning.preflight import Preflight
from provisioning.services.approve_plan import ApprovePlan
from provisioning.services.open_gate import OpenGate
from provisioning.services.prove_wave import ProveWave
from provisioning.services.retry_operation import RetryOperation
from provisioning.services.retry_wave import RetryWave, RollBackFailed, RollBackWave
from provisioning.services.start_wave import ReleaseWave, StartWave
from provisioning.services.steer_migration import SteerMigration

if TYPE_CHECKING:
    from tests.simulation.merger import MergerWorld

OPERATOR = Identity(actor=Actor("person:mover"), roles=frozenset({Role.OPERATOR}))
APPROVER = Identity(actor=Actor("person:third"), roles=frozenset({Role.APPROVER}))
_GATES = frozenset({PersonState.PREPARING, PersonState.PREPARED})
_ASKS = OperationState.AWAITING_APPROVAL

# what a person does, by the name under which a crash in the middle of it is counted
MATCH, CHECK, START, GATE, APPROVE, LET_GO = "match", "check", "start", "gate", "approve", "let go"
PAUSE, RESUME, ABORT, RETRY, RETRY_HELD = "pause", "resume", "abort", "retry", "retry what is held"
ROLL_BACK, ROLL_BACK_FAILED = "roll back", "roll back who failed"
DEEDS = frozenset(
    {MATCH, CHECK, START, GATE, APPROVE, LET_GO, PAUSE, RESUME, ABORT, RETRY, RETRY_HELD, ROLL_BACK, ROLL_BACK_FAILED}
)
_STEERING = {MigrationState.PAUSED: PAUSE, MigrationState.RUNNING: RESUME, MigrationState.ABORTED: ABORT}

Deed = Callable[["MergerWorld"], None]
When = Callable[["MergerWorld"], bool]


@dataclass
class Board:
    """`moments`: deeds that are done once, each as soon as its time has come; the habits are done again and again."""

    approves: bool = True
    approves_after: timedelta = timedelta(0)
    opens_gates: bool = True
    no_mailbox_before: datetime | None = None  # has moved
    checks: bool = True  # whether what a preflight finds in the way keeps a wave from starting
    releases: bool = True
    retries: int = 3  # how often a wave's failed people are tried again
    threshold: float = 1.0
    moments: list[tuple[When, Deed]] = field(default_factory=list)

    def decide(self, world: MergerWorld) -> bool:
        """Do at most one thing; whether something was done."""
        if renew(world):
            return True
        for place, (when, deed) in enumerate(self.moments):
            if when(world):
                deed(world)
                del self.moments[place]  # after a crash it is done again: who typed it saw no answer
                return True
        habits = (
            self._match,
            self._approve,
            self._start,
            self._open_gates,
            self._retry_held,
            self._retry,
            self._release,
        )
        return any(habit(world) for habit in habits)

    @property
    def _habits(self) -> tuple[Callable[[MergerWorld], bool], ...]:
        return (
            self._match,
            self._approve,
            self._start,
            self._open_gates,
            self._retry_held,
            self._retry,
            self._release,
        )

    def wakes_at(self, world: MergerWorld) -> datetime | None:
        """When they act next although nothing happens: somebody's hold period ends, or a plan was slept over."""
        period = world.migration.definition.hold_period
        ends = [end for one in world.travellers if one.state is PersonState.ENABLED and (end := one.held_until(period))]
        ends += [self.no_mailbox_before] if self.no_mailbox_before else []
        ends += [one.entered_at + self.approves_after for one in world.operations if one.state is _ASKS]
        return min((end for end in ends if end > world.clock.moment), default=None)

    # ── habits ───────────────────────────────────────────────────────────────────────────────────────────

    def _match(self, world: MergerWorld) -> bool:
        if world.migration.state is not MigrationState.NEW:
            return False
        world.crash.doing = MATCH
        world.match()(world.migration.migration_id)
        return True

    def _approve(self, world: MergerWorld) -> bool:
        waiting = next((one for one in world.operations if self._may_approve(world, one)), None)
        if waiting is None:
            return False
        approve(world, waiting)
        return True

    def _may_approve(self, world: MergerWorld, operation: Operation) -> bool:
        plan = world.database.rows.plans.get(operation.operation_id)
        is_open = operation.state is _ASKS and plan is not None and not plan.void_reason
        patient = operation.entered_at + self.approves_after
        return bool(self.approves and is_open and plan and patient <= world.clock.moment < plan.valid_until)

    def _start(self, world: MergerWorld) -> bool:
        if world.migration.state not in {MigrationState.MATCHED, MigrationState.RUNNING}:
            return False
        waiting = next((number for number, state in world.waves.items() if state is WaveState.WAITING), None)
        if waiting is None or (waiting > 1 and not _is_through(world)):
            return False
        start(world, waiting)
        return True

    def _open_gates(self, world: MergerWorld) -> bool:
        """Mailboxes arrive a few at a time, some before their licence is there."""
        closed = [one.source_id for one in world.travellers if one.state in _GATES and one.evidence is None]
        have_moved = self.no_mailbox_before is None or self.no_mailbox_before <= world.clock.moment
        is_off = world.migration.state is MigrationState.ABORTED  # Microsoft's moves go on, and nothing else is awaited
        may_open = self.opens_gates and have_moved and (is_off or world.migration.state is MigrationState.RUNNING)
        if not closed or not may_open or (not is_off and world.dice.random() < 0.9):
            return False
        open_gate(world, world.dice.sample(closed, world.dice.randint(1, len(closed))))
        return True

    def _retry_held(self, world: MergerWorld) -> bool:
        held = next((one for one in world.operations if one.state is OperationState.HELD), None)
        if held is None or not self.retries:
            return False
        self.retries -= 1
        world.crash.doing = RETRY_HELD
        retry = RetryOperation(open_uow=world.database.open, clock=world.clock, dispatcher=world.messages)
        retry(OPERATOR, held.operation_id, "it is well again")
        return True

    def _retry(self, world: MergerWorld) -> bool:
        failed = next((one for one in world.travellers if _may_be_retried(world, one)), None)
        if failed is None or not self.retries or not _is_quiet(world):
            return False
        self.retries -= 1
        world.crash.doing = RETRY
        RetryWave(open_uow=world.database.open, clock=world.clock)(
            OPERATOR, world.migration.migration_id, failed.wave, "another try"
        )
        return True

    def _release(self, world: MergerWorld) -> bool:
        if not self.releases or world.migration.state is not MigrationState.RUNNING:
            return False
        period, now = world.migration.definition.hold_period, world.clock.moment
        ripe = {
            one.wave
            for one in world.travellers
            if one.state is PersonState.ENABLED and (end := one.held_until(period)) and end <= now
        }
        wave = next((number for number in sorted(ripe) if world.waves[number] is WaveState.HOLDING), None)
        if wave is None:
            return False
        world.crash.doing = LET_GO
        ReleaseWave(open_uow=world.database.open, clock=world.clock)(
            OPERATOR, world.migration.migration_id, wave, "a month has passed"
        )
        return True


def _may_be_retried(world: MergerWorld, one: Traveller) -> bool:
    """Called off, only who lacks Exchange for a mailbox that has moved."""
    lacks_exchange = one.misses_exchange and one.failed_in is not Phase.PREPARE
    return one.state is PersonState.FAILED and (lacks_exchange or world.migration.state is not MigrationState.ABORTED)


def _is_quiet(world: MergerWorld) -> bool:
    """Nobody tries again while others are still being written to: what was short may be on its way."""
    return all(one.state in OPERATION_ENDS | {_ASKS, OperationState.HELD} for one in world.operations)


def _is_through(world: MergerWorld) -> bool:
    over = {
        PersonState.ENABLED,
        PersonState.RELEASING,
        PersonState.RELEASED,
        PersonState.FAILED,
        PersonState.ROLLED_BACK,
        PersonState.LEFT_OUT,
    }
    return all(one.state in over for one in world.travellers if one.wave == 1)


# ── deeds ────────────────────────────────────────────────────────────────────────────────────────────────


def start(world: MergerWorld, wave: int) -> None:
    def check(migration: MigrationId, number: int) -> datetime:
        world.crash.doing = CHECK
        checked_at = world.check().require(migration, number) if world.board.checks else world.clock.now()
        world.crash.doing = START
        return checked_at

    world.crash.doing = START
    begin = StartWave(open_uow=world.database.open, clock=world.clock, check=check)
    begin(OPERATOR, world.migration.migration_id, wave, "the boards say go")


def approve(world: MergerWorld, operation: Operation) -> None:
    world.crash.doing = APPROVE
    plan = world.database.rows.plans[operation.operation_id]
    deed = ApprovePlan(open_uow=world.database.open, clock=world.clock, dispatcher=world.messages)
    deed(APPROVER, operation.operation_id, plan.digest)


def open_gate(world: MergerWorld, people: Sequence[SubjectId]) -> None:
    world.crash.doing = GATE
    gate = OpenGate(open_uow=world.database.open, gateway=world.graph, clock=world.clock)
    gate(OPERATOR, world.migration.migration_id, list(people), EvidenceSource.LIST, "list 1")


def gate_all(world: MergerWorld) -> None:
    """Whoever is at a gate."""
    open_gate(world, [one.source_id for one in world.travellers if one.state in _GATES])


def steer(goal: MigrationState) -> Deed:
    """Whatever the migration came to meanwhile: where it makes no sense any more, nothing is done."""

    def do(world: MergerWorld) -> None:
        world.crash.doing = _STEERING[goal]
        deed = SteerMigration(open_uow=world.database.open, clock=world.clock)
        if world.migration.state is not goal:
            deed(OPERATOR, world.migration.migration_id, goal, "the boards ask")

    return do


def roll_back(wave: int) -> Deed:
    def do(world: MergerWorld) -> None:
        world.crash.doing = ROLL_BACK
        deed = RollBackWave(open_uow=world.database.open, clock=world.clock)
        if world.waves[wave] is not WaveState.ROLLING_BACK:
            deed(OPERATOR, world.migration.migration_id, wave, "the boards think again")

    return do


def roll_back_failed(wave: int) -> Deed:
    def do(world: MergerWorld) -> None:
        world.crash.doing = ROLL_BACK_FAILED
        deed = RollBackFailed(open_uow=world.database.open, clock=world.clock)
        deed(OPERATOR, world.migration.migration_id, wave, "they stay where they are")

    return do


def renew(world: MergerWorld) -> bool:
    """Whatever waits because the check of its wave is too old, is checked anew; whether anything waited."""
    now, is_alive = world.clock.moment, world.migration.state is not MigrationState.ABORTED
    expired = (one for one in world.operations if one.reason is Reason.PREFLIGHT_EXPIRED)
    waiting = next((one for one in expired if one.due_at is not None and one.due_at > now), None)
    if waiting is None or waiting.wish.part is None or not is_alive:
        return False
    clear = Preflight(findings=(), checked_at=now)
    prove = ProveWave(open_uow=world.database.open, clock=world.clock, check=lambda *_, **__: clear)
    return prove(OPERATOR, world.migration.migration_id, waiting.wish.part.wave).is_noted
