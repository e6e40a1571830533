"""Deterministic simulation of licences that go through a group; a failing seed replays with `pytest -k seed`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mappings.loader import load_mappings
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.tenancy import AssignmentMode
from tests.simulation.promises import check_all
from tests.simulation.weather import Weather
from tests.simulation.world import A3, SCHOOL, TENANT, World

MAPPINGS = load_mappings()
LAGS = (timedelta(0), timedelta(seconds=15), timedelta(minutes=5))
SETTLE = timedelta(seconds=60)


def _weather(lag: timedelta, *, rough: bool) -> Weather:
    if not rough:
        return Weather(lag=lag)
    return Weather(lost_after=0.1, lost_before=0.1, throttled=0.1, lag=lag)


def _world(seed: int, weather: Weather, **known: object) -> World:
    return World(seed, MAPPINGS, weather, mode=AssignmentMode.GROUP, **known)  # type: ignore[arg-type]


class TestAGroupOfOurOwn:
    @pytest.mark.parametrize("lag", LAGS, ids=str)
    def test_new_people_come_in_by_the_group_and_the_others_by_a_swap(self, lag: timedelta) -> None:
        world = _world(1, _weather(lag, rough=False))
        assert world.run() is OperationState.COMPLETED
        check_all(world)
        row = world.database.rows.groups[TENANT, A3, SCHOOL]
        assert row.is_licensed
        assert row.group_id is not None
        inside = world.graph.groups.current(row.group_id).members
        assert inside == {subject for subject, found in world.graph.people.items() if not found.direct(A3)}
        assert len(inside) == 4

    @pytest.mark.parametrize("lag", LAGS, ids=str)
    @pytest.mark.parametrize("rough", [False, True], ids=["fair", "rough"])
    def test_a_crash_at_any_boundary_changes_nothing_in_the_end(self, lag: timedelta, rough: bool) -> None:
        unbroken = _world(7, _weather(lag, rough=rough), people=8)
        unbroken.run()
        check_all(unbroken, repeats_allowed=lag >= SETTLE)
        for boundary in range(1, unbroken.crash.passed + 1):
            world = _world(7, _weather(lag, rough=rough), people=8, crash_at=frozenset({boundary}))
            world.run()
            assert world.crashes == 1, boundary
            check_all(world, repeats_allowed=lag >= SETTLE)
            assert len(world.graph.groups.versions) == 1, "one group, however often it was asked for"
