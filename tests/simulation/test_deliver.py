"""Deterministic simulation of *deliver*: a failing seed replays with `pytest -k seed`."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.lifecycle import OperationState
from tests.simulation.promises import check_all
from tests.simulation.weather import Weather
from tests.simulation.world import World

MAPPINGS = load_mappings()
LAGS = (timedelta(0), timedelta(seconds=15), timedelta(minutes=5))
SETTLE = timedelta(seconds=60)


def _weather(lag: timedelta, *, rough: bool) -> Weather:
    if not rough:
        return Weather(lag=lag)
    return Weather(lost_after=0.1, lost_before=0.1, throttled=0.1, lag=lag)


class TestInFairWeather:
    @pytest.mark.parametrize("lag", LAGS, ids=str)
    def test_everyone_is_served_and_read_back(self, lag: timedelta) -> None:
        world = World(1, MAPPINGS, _weather(lag, rough=False))
        assert world.run() is OperationState.COMPLETED
        check_all(world)

    def test_the_first_five_are_verified_before_the_others_are_touched(self) -> None:
        world = World(1, MAPPINGS, _weather(timedelta(0), rough=False))
        world.run()
        proven_at = world.database.rows.tenants[world.graph.tenant].proven_at
        assert proven_at is not None
        early = {write.subject for write in world.graph.writes if write.at < proven_at}
        assert len(early) == 5

    def test_scarce_seats_leave_the_rest_waiting_on_what_they_had(self) -> None:
        world = World(3, MAPPINGS, _weather(timedelta(0), rough=False), people=12, seats=7)
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        check_all(world)
        assert len(world.database.rows.waiting) == 5


class TestACrashAtEveryBoundary:
    """Before and after each commit, before and after each send: the end is the same."""

    @pytest.mark.parametrize("lag", LAGS, ids=str)
    @pytest.mark.parametrize("rough", [False, True], ids=["fair", "rough"])
    def test_once(self, lag: timedelta, rough: bool) -> None:
        unbroken = World(7, MAPPINGS, _weather(lag, rough=rough))
        unbroken.run()
        for boundary in range(1, unbroken.crash.passed + 1):
            world = World(7, MAPPINGS, _weather(lag, rough=rough), crash_at=frozenset({boundary}))
            world.run()
            assert world.crashes == 1, boundary
            check_all(world, repeats_allowed=lag >= SETTLE)

    @pytest.mark.parametrize("seed", range(60))
    def test_again_and_again(self, seed: int) -> None:
        lag = LAGS[seed % 3]
        world = World(seed, MAPPINGS, _weather(lag, rough=True), seats=(7, 40)[seed % 2], crash_chance=0.05)
        world.run()
        check_all(world, repeats_allowed=lag >= SETTLE)


class TestAPictureThatIsAlwaysTooOld:
    """Each person is looked at again before each write: what we did ourselves is nobody else's change."""

    @pytest.mark.parametrize("seed", range(30))
    def test_crashes_and_lost_answers_leave_nobody_alone(self, seed: int) -> None:
        lag = LAGS[seed % 3]
        world = World(seed, MAPPINGS, _weather(lag, rough=True), crash_chance=0.05)
        world.limits = msgspec.structs.replace(world.limits, observation_max_age=timedelta(0))
        assert world.run() is OperationState.COMPLETED
        check_all(world, repeats_allowed=lag >= SETTLE)
