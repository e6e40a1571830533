"""Whose seats are there: one look, and the queue of orders that wait for theirs."""

from datetime import date, timedelta
from typing import Any

import pytest

from provisioning.domain.ids import SkuId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.arrival import Arrival, Queue, baseline, queue_for, unexplained
from tests.factories import NOW, guid
from tests.factories import operations as make

TODAY = date(2026, 9, 1)
TENANT = guid()
NONE, DIRECT = AssignmentMode.NONE, AssignmentMode.DIRECT


def arrival(**fields: Any) -> Arrival:
    """Ten seats bought and there, nobody had any before."""
    usual = {"enabled": 10, "free": 10, "expected": 10, "wanted": 10, "before": 0}
    return Arrival(**usual | {"serves_people": True, "stood_still": False} | fields)


class TestMayBegin:
    @pytest.mark.parametrize("serves_people", [True, False], ids=["direct", "none"])
    @pytest.mark.parametrize(
        ("look", "expected"),
        [
            pytest.param({}, True, id="all that was bought is there"),
            pytest.param({"enabled": 9, "free": 9}, False, id="one is missing"),
            pytest.param({"enabled": 40, "before": 30, "free": 0}, True, id="it rose by what was bought"),
            pytest.param({"enabled": 39, "before": 30, "free": 0}, False, id="it rose by one less"),
            pytest.param({"enabled": 30, "before": 30, "free": 0}, False, id="what was there before is no delivery"),
            pytest.param({"enabled": 36, "before": 28, "expected": 8, "wanted": 8}, True, id="S3: rose by 8"),
            pytest.param({"enabled": 34, "before": 28, "expected": 8, "wanted": 8, "free": 6}, False, id="S3: by 6"),
            pytest.param({"enabled": 0, "free": 0, "expected": 0, "wanted": 0}, False, id="nothing is bought any more"),
            pytest.param({"enabled": 20, "free": 20, "expected": 30, "wanted": 10}, False, id="the earlier's are due"),
        ],
    )
    def test_at_once(self, look: dict[str, int], expected: bool, serves_people: bool) -> None:
        assert arrival(serves_people=serves_people, **look).may_begin is expected

    @pytest.mark.parametrize(
        ("look", "direct", "none"),
        [
            pytest.param({"enabled": 30, "before": 30, "free": 10}, True, False, id="the school's own free seats"),
            pytest.param({"enabled": 30, "before": 30, "free": 9}, False, False, id="too few of them"),
            pytest.param({"enabled": 6, "free": 6, "stood_still": True}, True, False, id="fewer, for a day"),
            pytest.param({"enabled": 6, "free": 0, "stood_still": True}, False, False, id="fewer, all in use"),
            pytest.param({"enabled": 30, "before": 30, "free": 0, "stood_still": True}, True, True, id="M2, M3, S35"),
            pytest.param({"enabled": 9, "free": 9, "stood_still": True}, True, False, id="one fewer, for a day"),
        ],
    )
    def test_differs_when_the_school_assigns(self, look: dict[str, Any], direct: bool, none: bool) -> None:
        assert arrival(serves_people=True, **look).may_begin is direct
        assert arrival(serves_people=False, **look).may_begin is none


class TestBaseline:
    @pytest.mark.parametrize(
        ("known", "enabled", "bought", "outstanding", "mode", "expected"),
        [
            pytest.param(30, 40, 10, 10, DIRECT, 30, id="what was known stays"),
            pytest.param(30, 12, 10, 10, DIRECT, 12, id="seats that are gone are none"),
            pytest.param(0, 12, 10, 10, NONE, 0, id="none is a number too"),
            pytest.param(None, 30, 10, 10, DIRECT, None, id="nobody looked, and people are served"),
            pytest.param(None, 10, 10, 10, NONE, None, id="nobody looked, every seat is explained"),
            pytest.param(None, 9, 10, 10, NONE, None, id="nobody looked, too few"),
            pytest.param(None, 11, 10, 10, NONE, 11, id="nobody looked, one more than explained"),
            pytest.param(None, 50, 25, 10, NONE, 35, id="earlier orders explain theirs"),
        ],
    )
    def test_after_a_look(  # a table
        self, known: int | None, enabled: int, bought: int, outstanding: int, mode: AssignmentMode, expected: int | None
    ) -> None:
        assert baseline(known, enabled, bought, outstanding, mode) == expected

    def test_what_orders_do_not_explain_is_never_negative(self) -> None:
        assert (unexplained(40, 10), unexplained(6, 10)) == (30, 0)


def order(minute: int, seats: int, state: OperationState = OperationState.AWAITING_SEATS, **wish: Any) -> Operation:
    return make.operation(
        TENANT, state=state, created_at=NOW + timedelta(minutes=minute), wish=make.wish(seats_wanted=seats, **wish)
    )


def queue(*operations: Operation) -> Queue:
    return queue_for(operations, make.A3, TODAY)


class TestQueue:
    def test_each_knows_who_comes_before_and_after(self) -> None:
        first, second, third = order(1, 10), order(2, 5), order(3, 2)
        line = queue(third, first, second)
        assert line.wanted() == 17
        assert [line.before(one) for one in (first, second, third)] == [0, 10, 15]
        assert [line.after(one) for one in (first, second, third)] == [7, 2, 0]

    def test_one_that_waits_for_a_person_takes_nothing_meanwhile_but_its_seats_stay_due(self) -> None:
        held = order(1, 10, OperationState.HELD)
        held = make.operation(
            TENANT, state=OperationState.HELD, resume_state=OperationState.NEW, created_at=NOW, wish=held.wish
        )
        second = order(2, 5)
        line = queue(held, second)
        assert (line.before(second), line.wanted()) == (0, 15)

    @pytest.mark.parametrize(
        ("other", "is_in"),
        [
            pytest.param(order(1, 10, OperationState.NEW), True, id="new"),
            pytest.param(order(1, 10, OperationState.AWAITING_CONSENT), True, id="without consent"),
            pytest.param(order(1, 10, OperationState.PLANNING), False, id="begun"),
            pytest.param(order(1, 10, OperationState.HELD), False, id="held after it had begun"),
            pytest.param(order(1, 10, OperationState.COMPLETED), False, id="ended"),
            pytest.param(order(1, 0), False, id="adds nothing"),
            pytest.param(order(1, 10, sku_id=SkuId(guid())), False, id="another product"),
            pytest.param(order(1, 10, starts_on=TODAY), True, id="starts today"),
            pytest.param(order(1, 10, starts_on=TODAY + timedelta(days=1)), False, id="starts tomorrow"),
        ],
    )
    def test_who_stands_in_it(self, other: Operation, is_in: bool) -> None:
        assert (queue(other).wanted() > 0) is is_in

    def test_only_deliveries_do(self) -> None:
        assert queue(make.operation(TENANT, kind=OperationKind.MIGRATE, wish=make.wish(seats_wanted=5))).wanted() == 0
