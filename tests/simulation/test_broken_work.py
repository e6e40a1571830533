"""Work that breaks off: a worker that is lost, an error of ours, an engine that is away. Each is told apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from mappings.loader import load_mappings
from provisioning.domain.errors import ConflictError, StaleLeaseError, UnavailableError
from provisioning.domain.ids import Actor, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Lane
from provisioning.domain.reasons import Reason
from provisioning.ports import Grant
from provisioning.services.transitions import move
from tests.simulation.boundaries import Crash
from tests.simulation.promises import check_all
from tests.simulation.weather import Weather
from tests.simulation.world import TENANT, VirtualClock, World

MAPPINGS = load_mappings()
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return World(5, MAPPINGS, Weather())


def _reading_raises(world: World, error: BaseException, times: int = 1_000) -> Callable[[], int]:
    """The next `times` readings of everybody break off with the error; returns how many did."""
    census, broken = world.graph.observe_census, [0]

    def observe(tenant: TenantId) -> Any:
        if broken[0] < times:
            broken[0] += 1
            raise error
        return census(tenant)

    world.graph.observe_census = observe
    return lambda: broken[0]


class TestAnErrorOfOurs:
    def test_that_stays_is_held_under_its_own_name_and_logged_each_time(self, world: World) -> None:
        broken = _reading_raises(world, KeyError("sku"))
        with capture_logs() as logs:
            assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.WORK_FAILED
        assert broken() == world.limits.lost_attempts
        assert [line["operation_id"] for line in logs if line["event"] == "operation.broke_off"] == ["op-1"] * 5

    def test_is_tried_again_for_as_long_as_a_new_version_takes_to_be_put_in_place(self, world: World) -> None:
        _reading_raises(world, SyntaxError("half a file"))
        begun = world.clock.moment
        world.run()
        assert timedelta(minutes=10) < world.clock.moment - begun < timedelta(minutes=30)

    def test_that_passes_leaves_nothing_behind(self, world: World) -> None:
        _reading_raises(world, KeyError("sku"), times=4)
        assert world.run() is OperationState.COMPLETED
        assert world.operation.lost_attempts == 0
        check_all(world)

    def test_does_not_keep_the_tenant_from_others(self, world: World) -> None:
        _reading_raises(world, KeyError("sku"))
        world.run(until=OperationState.HELD)
        assert {lease.holder for lease in world.database.rows.leases.values()} == {""}

    def test_goes_on_where_it_was_once_a_person_lets_it(self, world: World) -> None:
        _reading_raises(world, KeyError("sku"), times=5)
        assert world.run() is OperationState.HELD
        with world.database.open() as uow:
            move(uow, world.operation, OperationState.PLANNING, world.clock.now(), actor=Actor("person:duty"))
            uow.commit()
        assert world.run() is OperationState.COMPLETED

    def test_after_a_person_was_quicker_is_no_reason_to_hold(self, world: World) -> None:
        def observe(_tenant: TenantId) -> None:
            with world.database.open() as uow:
                move(uow, world.operation, OperationState.CANCELLED, world.clock.now(), actor=Actor("person:duty"))
                uow.commit()
            raise KeyError("sku")

        world.graph.observe_census = observe
        assert world.run() is OperationState.CANCELLED


class TestALostWorker:
    def test_is_poison_and_not_an_error(self, world: World) -> None:
        _reading_raises(world, Crash("killed"))
        assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.POISON

    def test_four_and_a_push_that_ends_in_order_start_the_count_anew(self, world: World) -> None:
        _reading_raises(world, Crash("killed"), times=4)
        assert world.run() is OperationState.COMPLETED
        assert (world.crashes, world.operation.lost_attempts) == (4, 0)


class TestNobodyWasLost:
    @pytest.mark.parametrize("error", [UnavailableError("away"), StaleLeaseError("another tenant's work took long")])
    def test_an_engine_that_is_away_and_a_lease_that_lapsed_do_not_count(self, world: World, error: Exception) -> None:
        _reading_raises(world, error, times=50)
        assert world.run() is OperationState.COMPLETED
        check_all(world)

    def test_a_conflict_with_nobody_is_an_error_and_does_not_go_round_for_ever(self, world: World) -> None:
        _reading_raises(world, ConflictError("a row that is always there"))
        assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.WORK_FAILED

    def test_without_redis_orders_wait_and_then_go_on(self) -> None:
        class Away:
            asked = 0

            def __init__(self, _clock: VirtualClock) -> None:
                pass

            def take(self, _tenant: TenantId, writes: int, _lane: Lane) -> Grant:
                Away.asked += 1
                if Away.asked <= 30:
                    raise UnavailableError("Redis does not answer.")
                return Grant(writes)

        world = World(5, MAPPINGS, Weather(), quota=Away)
        assert world.run() is OperationState.COMPLETED
        assert (world.postponed, world.operation.lost_attempts) == (30, 0)
        check_all(world)


class TestTheTenantsLease:
    def test_is_free_after_each_push_whatever_came_of_it(self, world: World) -> None:
        _reading_raises(world, UnavailableError("away"))
        world.run(longest=timedelta(minutes=1))
        assert world.database.rows.leases[f"tenant:{TENANT}"].holder == ""
