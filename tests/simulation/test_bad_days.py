"""Bad days that no single fault explains: what lags, what is refused, and what somebody else does in between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mappings.loader import load_mappings
from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.observation import Person
from tests.simulation.graph import Weather
from tests.simulation.promises import check_all
from tests.simulation.world import World

MAPPINGS = load_mappings()


def _states_entered(world: World) -> int:
    return sum(event.kind.startswith("operation.") for event in world.database.rows.events)


class TestWaitingForAReplica:
    @pytest.mark.parametrize("lag", [15, 300])
    def test_the_first_people_are_waited_for_without_going_back_and_forth(self, lag: int) -> None:
        world = World(5, MAPPINGS, Weather(), people=60, seats=80)
        _all_replicas_lag(world, timedelta(seconds=lag))
        assert world.run() is OperationState.COMPLETED
        check_all(world)
        assert _states_entered(world) < 12

    def test_what_was_refused_for_now_and_what_is_not_seen_yet_are_waited_for_together(self) -> None:
        world = World(5, MAPPINGS, Weather(throttled=0.3, lag=timedelta(seconds=15)), people=60, seats=80)
        assert world.run() is OperationState.COMPLETED
        check_all(world)
        assert _states_entered(world) < 30


def _all_replicas_lag(world: World, lag: timedelta) -> None:
    graph = world.graph

    def as_read(subject: SubjectId) -> Person:
        as_of = world.clock.now() - lag
        return next(person for at, person in reversed(graph.versions[subject]) if at <= as_of)

    graph._as_read = as_read
