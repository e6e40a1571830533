"""A crash at every boundary of a migration, however it goes; a failing one replays by its course, lag and number."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mappings.loader import load_mappings
from provisioning.domain.migration import Phase
from tests.simulation.boundaries import Boundary, Where
from tests.simulation.courses import COURSES, EXISTING, Course
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import check_ended
from tests.simulation.two_tenants import LAGS, rough

MAPPINGS = load_mappings()
_SEED = 7
_DUPLICATES = 0.1  # of the looks at a migration


def _world(course: Course, lag: timedelta, duplicates: float, *crash_at: int) -> MergerWorld:
    return course.world(_SEED, MAPPINGS, rough(lag), duplicates=duplicates, crash_at=frozenset(crash_at))


def _unbroken(course: Course, lag: timedelta, duplicates: float) -> MergerWorld:
    world = _world(course, lag, duplicates)
    world.run_through()
    assert course.has_ended_well(world)
    check_ended(world)
    return world


def _crashed(course: Course, lag: timedelta, duplicates: float, boundary: int) -> Boundary:
    """It ends as it would have ended; returns where it was struck."""
    world = _world(course, lag, duplicates, boundary)
    world.run_through()
    assert world.crashes == 1, boundary
    assert course.has_ended_well(world), (boundary, world.crash.struck)
    check_ended(world)
    return world.crash.struck[0]


class TestACrash:
    def test_at_each_kind_of_boundary_changes_no_end(self) -> None:
        """Once at each: in the first course that comes there; which of its many times, the kinds before it say."""
        struck: set[Boundary] = set()
        for place, course in enumerate(COURSES):
            lag, duplicates = LAGS[place % len(LAGS)], _DUPLICATES * (place % 2)
            reached = _unbroken(course, lag, duplicates).crash.reached
            for kind in sorted(set(reached) - struck):
                times = [number for number, one in enumerate(reached, start=1) if one == kind]
                boundary = times[len(struck) % len(times)]
                struck.add(_crashed(course, lag, duplicates, boundary))
        assert struck == EXISTING

    def test_that_loses_an_answer_before_all_is_called_off_loses_no_line(self) -> None:
        """Behind old replicas absence is not sure for long, and nobody may look only once before it is."""
        course, lag = next(one for one in COURSES if one.name == "called off"), LAGS[-1]
        reached = _unbroken(course, lag, _DUPLICATES).crash.reached
        loses = Boundary(Phase.PREPARE, Where.BEFORE_COMMIT)
        for boundary in (number for number, one in enumerate(reached, start=1) if one == loses):
            _crashed(course, lag, _DUPLICATES, boundary)

    @pytest.mark.slow
    @pytest.mark.parametrize("duplicates", [0.0, _DUPLICATES], ids=["once each", "duplicates"])
    @pytest.mark.parametrize("lag", LAGS, ids=str)
    @pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
    def test_at_every_boundary_changes_no_end(self, course: Course, lag: timedelta, duplicates: float) -> None:
        """Of boundaries where the dead leave the same behind one; each time another kind of them."""
        places = _unbroken(course, lag, duplicates).crash.places
        for number, place in enumerate(places):
            _crashed(course, lag, duplicates, place[number % len(place)])

    @pytest.mark.parametrize("lag", LAGS, ids=str)
    def test_is_told_apart_only_by_what_it_leaves_behind(self, lag: timedelta) -> None:
        """The ground on which one of several boundaries stands for the others."""
        course = COURSES[0]
        places = _unbroken(course, lag, 0.0).crash.places
        longest = max(places, key=len)
        assert len(longest) > 1
        left = [_left_by(course, lag, boundary) for boundary in longest]
        assert all(one == left[0] for one in left)


def _left_by(course: Course, lag: timedelta, boundary: int) -> object:
    """What is there when the process is gone; ids differ between runs."""
    world = _world(course, lag, 0.0, boundary)
    world.run_through(stops_at_crash=True)
    rows = world.database.rows
    said = [(event.at, event.kind, event.reason) for event in rows.events]
    work = [(one.state, one.due_at, one.lost_attempts) for one in rows.operations.values()]
    steps = [(one.state, one.reason, one.attempts) for one in rows.steps.values()]
    return said, work, steps, world.waves, world.graph.source.people, world.graph.target.people
