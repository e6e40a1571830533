"""Deliveries that Microsoft's quota holds up."""

from __future__ import annotations

from datetime import datetime, timedelta

from mappings.loader import load_mappings
from provisioning.domain.ids import TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Lane
from provisioning.ports import Grant
from tests.simulation.promises import check_all
from tests.simulation.weather import Weather
from tests.simulation.world import VirtualClock, World

MAPPINGS = load_mappings()
PAUSE = timedelta(seconds=30)


class Dripping:
    """Three writes every half minute; remembers who asked for more in between."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._free_at: datetime = clock.now()
        self.grants: list[int] = []

    def take(self, tenant: TenantId, writes: int, lane: Lane) -> Grant:
        now = self._clock.now()
        if now < self._free_at:
            self.grants.append(0)
            return Grant(0, self._free_at - now)
        granted = min(3, writes)
        self.grants.append(granted)
        self._free_at = now + PAUSE
        return Grant(granted, PAUSE if granted < writes else timedelta(0))


class TestAScarceQuota:
    def test_serves_everyone_in_the_end(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=30, quota=Dripping)
        assert world.run() is OperationState.COMPLETED
        check_all(world)

    def test_is_asked_again_only_when_it_can_give(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=30, quota=Dripping)
        world.run()
        asked = world.quota.grants
        assert sum(asked) == len(world.graph.writes)
        assert asked[-11:-3] == [3] * 8  # between the first five and the last ones, whose messages come twice
