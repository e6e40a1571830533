"""How a migration may go: each course reaches deeds and phases that others do not, and together they reach all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ActionRequiredError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase, Traveller, Window
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.leaving import KEPT_AFTER_RELEASE
from tests.simulation.board import DEEDS, Board, Deed, When, roll_back, roll_back_failed, steer
from tests.simulation.boundaries import Boundary, Where
from tests.simulation.merger import INTO_FORM, LOOK, MergerWorld
from tests.simulation.schools import OURS, Schools, there
from tests.simulation.weather import Weather
from tests.simulation.world import A1, A3

M, W, P = MigrationState, WaveState, PersonState
Moments = list[tuple[When, Deed]]

_COMMIT = frozenset({Where.BEFORE_COMMIT, Where.AFTER_COMMIT})
_SEEN_BY_READING = frozenset({"match", "check"})  # of the deeds; the others know all they need from the database
_ONLY_READS = frozenset({"check"})

FIVE = Schools()

# every kind of boundary that there is, by what the process that may die there is doing
EXISTING = frozenset(
    {
        *(Boundary(phase, where) for phase in (*Phase, INTO_FORM) for where in Where),
        *(Boundary(deed, where) for deed in DEEDS - _ONLY_READS for where in _COMMIT),
        *(Boundary(deed, Where.READING) for deed in _SEEN_BY_READING),
        *(Boundary(LOOK, where) for where in _COMMIT | {Where.BEFORE_ACKNOWLEDGE}),
    }
)


@dataclass(frozen=True, kw_only=True)
class Course:
    """`ends`: where its people come to, whatever crashes; None where the moment of a decision makes a difference.

    Who cannot go back because a crash made it too late counts as gone back.
    """

    name: str
    moments: Callable[[], Moments] = list
    schools: Schools = FIVE
    ends_as: MigrationState = M.COMPLETED
    ends: Mapping[PersonState, int] | None = None
    retries: int = 3
    checks: bool = True
    first_people: int | None = None
    threshold: float = 1.0

    def world(
        self,
        seed: int,
        mappings: Mappings,
        weather: Weather,
        *,
        duplicates: float = 0.0,
        crash_at: frozenset[int] = frozenset(),
    ) -> MergerWorld:
        board = Board(moments=self.moments(), retries=self.retries, checks=self.checks, threshold=self.threshold)
        world = MergerWorld(
            seed, mappings, weather, schools=self.schools, board=board, duplicates=duplicates, crash_at=crash_at
        )
        if self.first_people is not None:
            world.limits = msgspec.structs.replace(world.limits, first_people=self.first_people)
        return world

    def has_ended_well(self, world: MergerWorld) -> bool:
        people = Counter(P.ROLLED_BACK if is_too_late(world, one) else one.state for one in world.travellers)
        return world.migration.state is self.ends_as and (self.ends is None or people == self.ends)


def is_too_late(world: MergerWorld, one: Traveller) -> bool:
    """Some leave a hold period before the others; a moment later Microsoft has kept nothing of theirs."""
    left_at = [write.at for write in world.graph.source.writes if write.subject == one.source_id and write.changed]
    was_kept = bool(left_at) and world.clock.moment - left_at[-1] <= KEPT_AFTER_RELEASE
    return one.state is P.FAILED and one.failed_in is Phase.UNDO_SOURCE and not was_kept


# ── when somebody acts ───────────────────────────────────────────────────────────────────────────────────


def _is_written(world: MergerWorld) -> bool:
    return bool(world.graph.target.writes)


def _asks(phase: Phase) -> When:
    return lambda world: any(one.state is OperationState.AWAITING_APPROVAL for one in world.operations_in(phase))


def _has_left(world: MergerWorld) -> bool:
    """Some have left the source; the answer may not be here yet."""
    return len(world.graph.source.writes) >= 3 and world.waves[1] is W.RELEASING


def _has_failed(world: MergerWorld) -> bool:
    return any(one.state is P.FAILED for one in world.travellers)


def _buy(world: MergerWorld) -> None:
    world.graph.target.enabled[A3] = world.schools.people


def _paused_and_resumed() -> Moments:
    def has_rested(world: MergerWorld) -> bool:
        since = world.clock.moment - world.migration.entered_at
        return world.migration.state is M.PAUSED and since > timedelta(minutes=3)

    def is_time(world: MergerWorld) -> bool:
        return _is_written(world) and world.migration.state in {M.RUNNING, M.PAUSED}

    return [(is_time, steer(M.PAUSED)), (has_rested, steer(M.RUNNING))]


def _called_off() -> Moments:
    return [(_is_written, steer(M.ABORTED))]


def _called_off_at_the_gate() -> Moments:
    """Some mailboxes have moved, and Exchange is on its way for them, or about to be; others move afterwards."""

    def is_time(world: MergerWorld) -> bool:
        has_moved = any(one.evidence for one in world.travellers)
        return world.waves[1] is W.HOLDING or (world.waves[1] is W.GATED and has_moved)

    return [(is_time, steer(M.ABORTED))]


def _rolled_back() -> Moments:
    return [(_has_left, roll_back(1))]


def _rolled_back_on_the_way_into_the_group() -> Moments:
    """Somebody has joined; nobody has read back what came of it."""

    def have_joined(world: MergerWorld) -> bool:
        return any(isinstance(write.after, bool) for write in world.graph.target.writes)

    return [(have_joined, roll_back(1))]


def _some_roll_back() -> Moments:
    return [(_has_failed, roll_back_failed(1))]


def _more_seats() -> Moments:
    return [(_has_failed, _buy)]


def _paused_by_failures() -> Moments:
    """The threshold pauses it; seats are bought, and a person lets it go on."""

    def is_paused(world: MergerWorld) -> bool:
        return world.migration.state is M.PAUSED

    return [(is_paused, _buy), (is_paused, steer(M.RUNNING))]


def _paused_again() -> Moments:
    """Let go on while people still fail: it pauses once more, before the cause is gone."""

    def times_paused(world: MergerWorld) -> int:
        pauses = sum(event.kind == "migration.paused" for event in world.database.rows.events)
        return pauses if world.migration.state is M.PAUSED else 0

    def refuse(world: MergerWorld) -> None:
        world.graph.target.unwilling = frozenset(there(one) for one in sorted(world.graph.source.people)[1:5])

    def cure(world: MergerWorld) -> None:
        world.graph.target.unwilling = frozenset()

    return [
        (lambda _: True, refuse),
        (lambda world: times_paused(world) == 1, steer(M.RUNNING)),
        (lambda world: times_paused(world) > 1, cure),
        (lambda world: times_paused(world) > 1, steer(M.RUNNING)),
    ]


def _cured() -> Moments:
    def refuse(world: MergerWorld) -> None:
        world.graph.target.stop_at_write = ActionRequiredError("no", Reason.SKU_NOT_OWNED)

    def is_held(world: MergerWorld) -> bool:
        return any(one.state is OperationState.HELD for one in world.operations)

    def cure(world: MergerWorld) -> None:
        world.graph.target.stop_at_write = None

    return [(_is_written, refuse), (is_held, cure)]


_ALL = {P.RELEASED: 5}
_SHORT = Schools(seats=3, pilot=5)

COURSES = (
    Course(name="everybody arrives and leaves", ends=_ALL),
    Course(name="through our group", schools=Schools(through=OURS, pilot=4), ends=_ALL),
    Course(name="into a group", schools=Schools(mode=AssignmentMode.GROUP), ends=_ALL),
    Course(name="of two products", schools=Schools(also=A1), ends=_ALL),
    Course(name="paused and resumed", moments=_paused_and_resumed, first_people=1, ends=_ALL),
    Course(name="called off", moments=_called_off, first_people=1, ends_as=M.ABORTED),
    Course(
        name="called off between evidence and Exchange",
        moments=_called_off_at_the_gate,
        schools=Schools(pilot=5),
        first_people=1,
        ends_as=M.ABORTED,
        ends={P.ENABLED: 5},
    ),
    Course(
        name="rolled back",
        moments=_rolled_back,
        schools=Schools(through=OURS, pilot=4),
        ends={P.ROLLED_BACK: 4, P.RELEASED: 1},
    ),
    Course(
        name="rolled back out of the group into which they had been moved",
        moments=_rolled_back,
        schools=Schools(mode=AssignmentMode.GROUP, pilot=4),
        ends={P.ROLLED_BACK: 4, P.RELEASED: 1},
    ),
    Course(
        name="rolled back while they are moved into the group",
        moments=_rolled_back_on_the_way_into_the_group,
        schools=Schools(mode=AssignmentMode.GROUP, pilot=5),
        ends={P.ROLLED_BACK: 5},
    ),
    Course(
        name="some rolled back",
        moments=_some_roll_back,
        schools=_SHORT,
        retries=0,
        checks=False,
        ends={P.ROLLED_BACK: 2, P.RELEASED: 3},
    ),
    Course(name="tried again", moments=_more_seats, schools=_SHORT, checks=False, ends=_ALL),
    Course(
        name="paused by failures", moments=_paused_by_failures, schools=_SHORT, threshold=0.05, checks=False, ends=_ALL
    ),
    Course(
        name="paused again by failures",  # two of the first three fail, then two of the others
        moments=_paused_again,
        schools=Schools(people=6, pilot=6),
        threshold=0.2,
        first_people=3,
        ends={P.RELEASED: 6},
    ),
    Course(name="held and cured", moments=_cured, first_people=1, ends=_ALL),
    Course(
        name="at certain hours",  # that end while people are written, in the night in which the clock goes back
        schools=Schools(
            window=Window(from_hour=1, until_hour=3), begins_at=datetime(2026, 10, 25, 1, 59, 58, tzinfo=UTC)
        ),
        first_people=1,
        ends=_ALL,
    ),
)
