"""Workers killed at any point of a migration: it ends as if nothing had happened, and nothing is done twice."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

import pytest

from provisioning.domain.migration import WaveDefinition
from tests.journeys.both_tenants import check_both
from tests.journeys.furniture import Town
from tests.journeys.killed_courses import COURSES, Course, course_name
from tests.journeys.mergers import EVERYONE, Merger
from tests.journeys.misfortune import kill_both
from tests.journeys.patience import let_pass
from tests.journeys.promises import check_log

_PEOPLE = 25
_LATENCY = 0.05  # real seconds that Graph takes for an answer, so that kills strike while it is on its way
_LONGEST = 1.5  # real seconds from a decision to the kill: before, during or after the writes
_FAULTS = {"throttle": 0.03, "unavailable": 0.03, "gateway_timeout": 0.04}  # shares of the writes: ten in a hundred
_ALL_AT_ONCE = (WaveDefinition(number=1, name="allen", selector=EVERYONE),)
_AT_ONCE = 25


@dataclass(frozen=True)
class _Run:
    seed: int
    name: str
    course: Course
    dice: Random
    merger: Merger

    @classmethod
    def prepare(cls, town: Town, seed: int) -> "_Run":
        dice, name = Random(seed), course_name(seed)
        course = COURSES[name](dice)
        return cls(seed, name, course, dice, _merger(town, course, dice))

    def go(self, leg: int) -> None:
        """As far as this leg's decisions; in the one that is struck the workers die over it."""
        self.course.legs[leg].begin(self.merger)
        if leg != self.course.struck:
            return
        let_pass(self.dice.uniform(0.0, _LONGEST))
        self.course.change_minds(self.merger)
        kill_both(self.merger.town.world)
        self.course.go_on(self.merger)

    def check(self) -> None:
        self.course.check(self.merger)
        check_both(self.merger)


@pytest.mark.parametrize(
    ("first", "number"), [(0, 1), *(pytest.param(n, _AT_ONCE, marks=pytest.mark.slow) for n in range(1, 201, _AT_ONCE))]
)
def test_killed_migrations_end_as_if_nothing_had_happened(town: Town, first: int, number: int) -> None:
    """One seed each, side by side: a lease lapses after half a minute, and they wait for it together."""
    town.control.set_switches(latency_seconds=_LATENCY)
    runs = [_Run.prepare(town, seed) for seed in range(first, first + number)]
    for leg in range(max(len(run.course.legs) for run in runs)):
        going = [run for run in runs if leg < len(run.course.legs)]
        for run in going:
            with _named(run):
                run.go(leg)
        for run in going:
            with _named(run):
                run.course.legs[leg].await_end(run.merger)
    for run in runs:
        with _named(run):
            run.check()
    check_log(town)


@contextmanager
def _named(run: _Run) -> Iterator[None]:
    """Whatever fails says of which seed, for it replays by that."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"seed {run.seed}, {run.name}, struck in leg {run.course.struck + 1}")
        raise


@pytest.mark.slow
def test_every_course_is_among_the_seeds() -> None:
    """And about as often as the others."""
    drawn = Counter(course_name(seed) for seed in range(201))
    assert drawn.keys() == COURSES.keys()
    assert min(drawn.values()) >= 20


def _merger(town: Town, course: Course, dice: Random) -> Merger:
    lag = dice.choice((0.0, 15.0))
    sides = {"source": {"lag": lag}, "target": {"lag": lag, **course.target}}
    merger = Merger.prepare(town, _PEOPLE, pilot=_PEOPLE, waves=_ALL_AT_ONCE, **sides, **course.wishes)
    for customer in (merger.source, merger.target):
        for kind, share in _FAULTS.items():
            town.control.add_fault(
                kind,
                tenant=customer.tenant,
                route="assignLicense",
                probability=share,
                applied=kind == "gateway_timeout",
            )
    return merger
