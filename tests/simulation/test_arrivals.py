"""Seats that stood there before, several orders at once, and dates far ahead: what a delivery takes for its own."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.calendar import start_of
from provisioning.domain.errors import ActionRequiredError
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from tests.simulation.promises import check_all
from tests.simulation.weather import Weather
from tests.simulation.world import A3, TENANT, World

MAPPINGS = load_mappings()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, SECOND = OperationId("op-1"), OperationId("op-2")
MODES = pytest.mark.parametrize("mode", [AssignmentMode.NONE, AssignmentMode.DIRECT])


def _world(mode: AssignmentMode, *, seats: int, ordered: int, before: int | None, in_use: int = 0) -> World:
    """A school that ordered so many; `before`: the seats seen there earlier, `in_use` those that others hold."""
    world = World(5, MAPPINGS, Weather(), seats=seats)
    rows = world.database.rows
    rows.entitlements[TENANT, A3] = ordered
    rows.policies[TENANT] = msgspec.structs.replace(rows.policies[TENANT], assignment_mode=mode)
    _wish(world, FIRST, seats_wanted=ordered, seats_before=before)
    count = world.graph._count

    def counted(sku: str) -> object:
        found = count(sku)
        return msgspec.structs.replace(found, consumed=found.consumed + in_use) if sku == A3 else found

    world.graph._count = counted
    return world


def _wish(world: World, operation: OperationId, **fields: object) -> None:
    rows = world.database.rows
    known = rows.operations[operation]
    rows.operations[operation] = msgspec.structs.replace(known, wish=msgspec.structs.replace(known.wish, **fields))


def _order_more(world: World, seats: int, before: int | None) -> None:
    """A second order of the product, a minute after the first."""
    rows = world.database.rows
    first = rows.operations[FIRST]
    wish = msgspec.structs.replace(first.wish, seats_wanted=seats, seats_before=before)
    moment = first.created_at + timedelta(minutes=1)
    rows.operations[SECOND] = msgspec.structs.replace(
        first, operation_id=SECOND, wish=wish, created_at=moment, due_at=moment, state=OperationState.NEW, version=0
    )
    rows.entitlements[TENANT, A3] += seats


def _run(world: World, operation: OperationId, longest: timedelta) -> Operation:
    world.operation_id = operation
    world.run(longest=longest)
    return world.operation


class TestSeatsThatStoodThereBefore:
    @MODES
    def test_are_no_delivery_and_the_rise_is(self, mode: AssignmentMode) -> None:
        world = _world(mode, seats=30, ordered=40, before=30, in_use=30)
        _wish(world, FIRST, seats_wanted=40)
        assert _run(world, FIRST, 10 * HOUR).state is OperationState.AWAITING_SEATS
        world.graph.enabled[A3] = 69
        assert _run(world, FIRST, 5 * HOUR).state is OperationState.AWAITING_SEATS
        world.graph.enabled[A3] = 70
        assert _run(world, FIRST, 5 * HOUR).state is OperationState.COMPLETED

    def test_that_are_free_serve_people_at_once(self) -> None:
        world = _world(AssignmentMode.DIRECT, seats=100, ordered=40, before=100)
        assert world.run(longest=HOUR) is OperationState.COMPLETED
        check_all(world)

    def test_that_are_free_are_no_delivery_to_a_school_that_assigns(self) -> None:
        world = _world(AssignmentMode.NONE, seats=100, ordered=40, before=100)
        assert world.run(longest=20 * HOUR) is OperationState.AWAITING_SEATS

    @MODES
    def test_and_ours_already_among_them_are_believed_after_a_day_of_rest(self, mode: AssignmentMode) -> None:
        """M2: Microsoft was quicker than the shop's row. M3: after a day nothing more is on its way."""
        world = _world(mode, seats=40, ordered=40, before=40, in_use=40)
        assert world.run(longest=20 * HOUR) is OperationState.AWAITING_SEATS
        assert _run(world, FIRST, 10 * HOUR).state is not OperationState.AWAITING_SEATS

    def test_and_are_gone_when_ours_come_count_no_more(self) -> None:
        world = _world(AssignmentMode.NONE, seats=30, ordered=40, before=30)
        world.run(longest=HOUR)
        world.graph.enabled[A3] = 0
        world.run(longest=5 * HOUR)
        assert world.operation.wish.seats_before == 0
        world.graph.enabled[A3] = 40
        assert world.run(longest=5 * HOUR) is OperationState.COMPLETED


class TestNobodyHadLooked:
    def test_a_school_that_assigns_gets_its_answer_at_once_when_orders_explain_every_seat(self) -> None:
        world = _world(AssignmentMode.NONE, seats=40, ordered=40, before=None)
        assert world.run(longest=HOUR) is OperationState.COMPLETED

    def test_with_more_seats_than_orders_explain_only_a_rise_tells(self) -> None:
        world = _world(AssignmentMode.NONE, seats=55, ordered=40, before=None)
        assert world.run(longest=10 * HOUR) is OperationState.AWAITING_SEATS
        world.graph.enabled[A3] = 95
        assert world.run(longest=5 * HOUR) is OperationState.COMPLETED

    def test_or_a_day_of_rest(self) -> None:
        world = _world(AssignmentMode.NONE, seats=55, ordered=40, before=None)
        begun = world.clock.moment
        assert world.run(longest=3 * DAY) is OperationState.COMPLETED
        assert DAY <= world.clock.moment - begun < 2 * DAY

    def test_because_consent_was_missing_the_first_look_comes_with_it(self) -> None:
        world = _world(AssignmentMode.DIRECT, seats=40, ordered=40, before=None)
        world.graph.trouble = ActionRequiredError("no consent", Reason.CONSENT_MISSING)
        assert world.run(longest=2 * DAY) is OperationState.AWAITING_CONSENT
        world.graph.trouble = None
        assert world.run(longest=HOUR) is OperationState.COMPLETED
        check_all(world)


class TestSeveralOrdersAtOnce:
    @MODES
    def test_the_first_seats_are_the_first_orders(self, mode: AssignmentMode) -> None:
        world = _world(mode, seats=30, ordered=8, before=30, in_use=30)
        _order_more(world, 4, before=30)
        world.graph.enabled[A3] = 38
        assert _run(world, SECOND, 3 * HOUR).state is OperationState.AWAITING_SEATS
        assert _run(world, FIRST, 3 * HOUR).state in {OperationState.COMPLETED, OperationState.PARTIALLY_COMPLETED}
        assert _run(world, SECOND, 3 * HOUR).state is OperationState.AWAITING_SEATS
        world.graph.enabled[A3] = 42
        assert _run(world, SECOND, 3 * HOUR).state in {OperationState.COMPLETED, OperationState.PARTIALLY_COMPLETED}

    def test_the_first_does_not_wait_for_the_seats_of_the_second(self) -> None:
        world = _world(AssignmentMode.NONE, seats=0, ordered=20, before=0)
        _order_more(world, 8, before=0)
        world.graph.enabled[A3] = 20
        assert _run(world, FIRST, 3 * HOUR).state is OperationState.COMPLETED

    def test_the_second_takes_no_free_seat_that_the_first_awaits(self) -> None:
        world = _world(AssignmentMode.DIRECT, seats=28, ordered=20, before=28)
        _order_more(world, 10, before=28)
        assert _run(world, SECOND, 3 * HOUR).state is OperationState.AWAITING_SEATS

    def test_after_the_last_has_begun_what_remains_is_the_next_ones_baseline(self) -> None:
        world = _world(AssignmentMode.NONE, seats=50, ordered=20, before=30)
        world.run(longest=HOUR)
        assert [number for *_, number in world.database.rows.baselines] == [30]

    def test_while_one_is_outstanding_nothing_is_taken_for_a_baseline(self) -> None:
        world = _world(AssignmentMode.NONE, seats=50, ordered=20, before=30)
        _order_more(world, 8, before=30)
        _run(world, FIRST, HOUR)
        assert world.database.rows.baselines == []


class TestADateFarAhead:
    NEW_YEAR = date(2027, 1, 1)

    def _ordered_in_november(self) -> World:
        world = World(5, MAPPINGS, Weather())
        _wish(world, FIRST, starts_on=self.NEW_YEAR)
        return world

    def test_asks_nobody_on_the_day_itself(self) -> None:
        world = self._ordered_in_november()
        assert world.run(longest=61 * DAY) is OperationState.COMPLETED
        assert world.clock.moment >= start_of(self.NEW_YEAR)
        check_all(world)

    def test_is_validated_again_on_the_day_before_anything_else_is_asked(self) -> None:
        world = self._ordered_in_november()
        world.run(until=OperationState.AWAITING_DATE)
        world.objection = Reason.BOARD_DECLARATION_MISSING
        world.graph.trouble = ActionRequiredError("no consent", Reason.CONSENT_MISSING)
        assert world.run(longest=61 * DAY) is OperationState.HELD
        assert world.operation.reason is Reason.BOARD_DECLARATION_MISSING

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            pytest.param(7, OperationState.COMPLETED, id="a week of waiting for the day"),
            pytest.param(8, OperationState.HELD, id="more than a week"),
        ],
    )
    def test_is_validated_again_after_a_week_of_waiting_for_it(self, days: int, expected: OperationState) -> None:
        world = World(5, MAPPINGS, Weather())
        day = date(2026, 11, 2) + timedelta(days=days)
        _wish(world, FIRST, starts_on=day)
        world.run(until=OperationState.AWAITING_DATE)
        rows = world.database.rows
        entered = start_of(day) - timedelta(days=days)
        rows.operations[FIRST] = msgspec.structs.replace(world.operation, entered_at=entered)
        world.clock.moment = start_of(day)
        world.objection = Reason.BOARD_DECLARATION_MISSING
        assert world.run(longest=DAY) is expected

    @pytest.mark.parametrize(
        ("late", "expected"),
        [
            pytest.param(timedelta(days=30), OperationState.COMPLETED, id="thirty days"),
            pytest.param(timedelta(days=30, seconds=1), OperationState.HELD, id="a second more"),
        ],
    )
    def test_asks_a_person_when_thirty_days_after_it_nothing_has_moved(
        self, late: timedelta, expected: OperationState
    ) -> None:
        world = self._ordered_in_november()
        world.run(until=OperationState.AWAITING_DATE)
        world.clock.moment = start_of(self.NEW_YEAR) + late
        assert world.run(longest=DAY) is expected
        assert (world.operation.reason is Reason.VALIDATION_AGED) is (expected is OperationState.HELD)
