"""A migration in which people fail: paused, let go on, and paused again as soon as it goes on failing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mappings.loader import load_mappings
from provisioning.domain.lifecycle import OPERATION_ENDS, SubjectState
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MigrationState
from tests.simulation.board import Board, steer
from tests.simulation.courses import COURSES
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import check_ended
from tests.simulation.two_tenants import LAGS, fair, rough

MAPPINGS = load_mappings()
_COURSE = next(course for course in COURSES if course.name == "paused again by failures")
_PAUSED, _RESUMED = "migration.paused", f"migration.{MigrationState.RUNNING}"


def _turns(world: MergerWorld) -> list[str]:
    return [event.kind for event in world.database.rows.events if event.kind in {_PAUSED, _RESUMED}]


@pytest.mark.parametrize("lag", LAGS, ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_paused_again_it_goes_on_when_the_cause_is_gone(seed: int, lag: timedelta) -> None:
    world = _COURSE.world(seed, MAPPINGS, rough(lag))
    world.run_through()
    assert _COURSE.has_ended_well(world)
    assert _turns(world) == [_PAUSED, _RESUMED, _PAUSED, _RESUMED]
    check_ended(world)


@pytest.mark.parametrize("seed", range(4))
def test_it_does_not_wait_for_the_end_of_an_operation_that_it_had_paused_for_before(seed: int) -> None:
    """Behind old replicas reading back takes minutes: by then the operation is still at work."""
    at_second_pause: list[tuple[bool, int]] = []

    def look(world: MergerWorld) -> None:
        [operation] = world.operations_in(Phase.PREPARE)
        failed = [one for one in world.database.rows.subjects.values() if one.state is SubjectState.REFUSED]
        at_second_pause.append((operation.state in OPERATION_ENDS, len(failed)))

    moments = _COURSE.moments()
    moments.insert(2, (moments[2][0], look))
    world = _COURSE.world(seed, MAPPINGS, fair(LAGS[-1]))
    world.board.moments = moments
    world.run_through()
    assert at_second_pause == [(False, 4)]


def test_resumed_it_is_not_paused_for_those_whom_a_person_saw() -> None:
    """Nobody cures them, nobody else fails: the others arrive and leave."""
    refuse, resume, *_ = _COURSE.moments()

    def refuse_some(world: MergerWorld) -> None:
        refuse[1](world)
        world.graph.target.unwilling = frozenset(sorted(world.graph.target.unwilling)[:2])

    board = Board(moments=[(refuse[0], refuse_some), resume], retries=0, threshold=_COURSE.threshold)
    world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), schools=_COURSE.schools, board=board)
    assert world.run_through() is MigrationState.COMPLETED
    assert _turns(world) == [_PAUSED, _RESUMED]
    check_ended(world)


def test_who_is_tried_again_and_fails_anew_counts_anew() -> None:
    """A retry says that the cause is gone; when it is not, a person hears of it."""
    refuse, *_ = _COURSE.moments()

    def is_paused(world: MergerWorld) -> bool:
        return world.migration.state is MigrationState.PAUSED

    board = Board(
        moments=[refuse, (is_paused, steer(MigrationState.RUNNING)), (is_paused, steer(MigrationState.ABORTED))],
        retries=1,
        threshold=0.5,
    )
    world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), schools=_COURSE.schools, board=board)
    assert world.run_through() is MigrationState.ABORTED
    assert _turns(world) == [_PAUSED, _RESUMED, _PAUSED]
