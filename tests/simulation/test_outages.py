"""Graph away for hours: said where operators look, held by nobody, and over by itself."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.errors import AmbiguousOutcomeError, GraphError, RetryableError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Stop
from provisioning.services.tenant_trouble import TenantTrouble
from tests.simulation.promises import check_all
from tests.simulation.weather import Weather
from tests.simulation.world import World

MAPPINGS = load_mappings()
HOUR = timedelta(hours=1)
AWAY = RetryableError("busy", Reason.TRANSIENT)
SILENT = AmbiguousOutcomeError("no answer", Reason.NO_ANSWER)
READING = (OperationState.NEW, OperationState.PLANNING, OperationState.VERIFYING)


def _away_in(state: OperationState, trouble: GraphError = AWAY) -> World:
    """A world in which Graph went away when the operation came into this state."""
    world = World(5, MAPPINGS, Weather())
    if state is not OperationState.NEW:
        world.run(until=state)
    world.graph.trouble = trouble
    return world


class TestALongOutage:
    @pytest.mark.parametrize("state", READING)
    @pytest.mark.parametrize("trouble", [AWAY, SILENT], ids=["refused", "silent"])
    def test_shows_after_an_hour_in_the_state_where_it_found_the_operation(
        self, state: OperationState, trouble: GraphError
    ) -> None:
        world = _away_in(state, trouble)
        began = world.clock.moment
        world.run(longest=3 * HOUR)
        assert (world.operation.state, world.operation.reason) == (state, Reason.TENANT_UNREADABLE)
        assert world.operation.unreadable_since - began < timedelta(minutes=1)
        assert world.operation.due_at is not None

    @pytest.mark.parametrize("state", READING)
    def test_is_over_by_itself(self, state: OperationState) -> None:
        world = _away_in(state)
        world.run(longest=5 * HOUR)
        world.graph.trouble = None
        assert world.run(longest=HOUR) is OperationState.COMPLETED
        assert (world.operation.reason, world.operation.unreadable_since) == (None, None)
        check_all(world)

    def test_shows_while_applying_when_the_picture_has_grown_old(self) -> None:
        world = World(5, MAPPINGS, Weather(), people=200, seats=500)
        world.run(until=OperationState.APPLYING)
        world.graph.trouble = AWAY
        world.clock.moment += timedelta(minutes=20)
        world.run(longest=3 * HOUR)
        assert (world.operation.state, world.operation.reason) == (OperationState.APPLYING, Reason.TENANT_UNREADABLE)
        world.graph.trouble = None
        assert world.run() is OperationState.COMPLETED
        check_all(world)

    def test_does_not_show_while_it_lasts_no_hour(self) -> None:
        world = _away_in(OperationState.PLANNING)
        world.run(longest=timedelta(minutes=50))
        assert world.operation.reason is Reason.TRANSIENT

    def test_is_one_and_the_same_until_a_reading_succeeds(self) -> None:
        """A stop in the middle reads nothing, so it ends nothing."""
        world = _away_in(OperationState.VERIFYING)
        world.run(longest=2 * HOUR)
        since = world.operation.unreadable_since
        with world.database.open() as uow:
            uow.stops.add(Stop(scope="all", reason="drill", stopped_by="person:duty", stopped_at=world.clock.now()))
            uow.commit()
        world.run(longest=HOUR)
        assert world.operation.unreadable_since == since

    def test_that_comes_back_counts_anew(self) -> None:
        world = _away_in(OperationState.PLANNING)
        world.run(longest=2 * HOUR)
        world.graph.trouble = None
        world.run(until=OperationState.VERIFYING)
        world.graph.trouble = AWAY
        world.run(longest=timedelta(minutes=30))
        assert world.operation.reason is Reason.TRANSIENT

    def test_in_a_wait_for_seats_is_forgotten_at_the_first_look_that_succeeds(self) -> None:
        world = World(5, MAPPINGS, Weather(), seats=40)
        world.graph.enabled = dict.fromkeys(world.graph.enabled, 0)
        world.run(longest=HOUR)
        world.graph.trouble = AWAY
        world.run(longest=3 * HOUR)
        assert world.operation.reason is Reason.TENANT_UNREADABLE
        world.graph.trouble = None
        world.run(longest=HOUR)
        assert (world.operation.state, world.operation.reason) == (
            OperationState.AWAITING_SEATS,
            Reason.SEATS_NOT_VISIBLE,
        )
        assert world.operation.unreadable_since is None

    def test_is_told_from_the_first_failure_whatever_the_limit(self) -> None:
        world = _away_in(OperationState.PLANNING)
        world.limits = msgspec.structs.replace(world.limits, unreadable_notice=timedelta(minutes=10))
        world.run(longest=timedelta(minutes=30))
        assert world.operation.reason is Reason.TENANT_UNREADABLE

    @pytest.mark.parametrize(
        ("lasts", "reason"),
        [
            pytest.param(HOUR - timedelta(seconds=1), Reason.TRANSIENT, id="a second less than an hour"),
            pytest.param(HOUR, Reason.TENANT_UNREADABLE, id="an hour"),
        ],
    )
    def test_shows_from_an_hour_on(self, lasts: timedelta, reason: Reason) -> None:
        world = _away_in(OperationState.VERIFYING)
        since = world.clock.moment - lasts
        operation = msgspec.structs.replace(world.operation, unreadable_since=since)
        assert TenantTrouble(world.database.open, world.clock, world.limits).met(operation, AWAY) is False
        assert (world.operation.reason, world.operation.unreadable_since) == (reason, since)

    def test_that_lasts_does_not_put_off_what_microsoft_said_about_when_to_come_back(self) -> None:
        world = _away_in(OperationState.VERIFYING)
        told = RetryableError("busy", Reason.THROTTLED, timedelta(minutes=42))
        TenantTrouble(world.database.open, world.clock, world.limits).met(world.operation, told)
        assert world.operation.due_at == world.clock.moment + timedelta(minutes=42)
