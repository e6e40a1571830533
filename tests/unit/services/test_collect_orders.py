"""What changed in the shop is kept once, judged, and never lost."""

from datetime import timedelta

import pytest

from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import SYSTEM, LineKey
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.operation import Lane
from provisioning.domain.reasons import Reason
from provisioning.services.collect_orders import Collected
from tests.factories.trade import SCHOOL, TENANT
from tests.fakes import NOW
from tests.unit.services.trade import LIMITS, Trade

ACCEPTED = (LineState.ACCEPTED, None)


@pytest.fixture
def trade() -> Trade:
    return Trade()


class TestANewLine:
    def test_becomes_an_entry_an_operation_audit_lines_and_a_message_to_a_worker(self, trade: Trade) -> None:
        key = trade.place(quantity=25)
        assert trade.collect() == Collected(read=1, new=1, judged=1)
        assert trade.state_of(key) == ACCEPTED
        (entry,) = trade.world.ledger
        (operation,) = trade.world.operations.values()
        assert (entry.holder_id, entry.tenant_id, entry.delta) == (SCHOOL, TENANT, 25)
        assert (operation.state, operation.due_at, operation.lane) == (OperationState.NEW, NOW, Lane.ORDER)
        assert (operation.wish.line, operation.wish.seats_wanted) == (key, 25)
        assert trade.world.kinds() == ["order.received", "order.accepted", "operation.created"]
        assert trade.dispatcher.sent == [(operation.operation_id, Lane.ORDER)]

    @pytest.mark.parametrize(("seats", "lane"), [(1000, Lane.ORDER), (1001, Lane.BULK)])
    def test_of_more_than_a_thousand_seats_yields_to_others(self, trade: Trade, seats: int, lane: Lane) -> None:
        trade.order(quantity=seats)
        assert [operation.lane for operation in trade.world.operations.values()] == [lane]

    def test_audit_lines_are_of_the_system_and_name_the_line(self, trade: Trade) -> None:
        key = trade.order()
        assert {event.actor for event in trade.world.events} == {SYSTEM}
        assert {event.details["line"] for event in trade.world.events} == {str(key)}


class TestTheSameAgain:
    def test_s13_reading_the_same_row_again_has_no_effect(self, trade: Trade) -> None:
        trade.order()
        before = list(trade.world.events)
        assert trade.collect() == Collected(read=1)
        assert trade.world.events == before
        assert len(trade.world.ledger) == 1

    def test_two_collectors_at_once_deliver_once(self, trade: Trade) -> None:
        trade.place()
        other = Trade(world=trade.world, shop=trade.shop, clock=trade.clock, dispatcher=trade.dispatcher)
        rows = list(trade.shop.rows.values())
        trade.collect.take_over(rows)
        other.collect.take_over(rows)
        trade.judge()
        other.judge()
        assert len(trade.world.ledger) == len(trade.world.operations) == 1

    def test_s13_the_same_wish_under_another_id_within_a_day_is_held(self, trade: Trade) -> None:
        trade.order(1, article_code="MS-EXCHANGE-P2-MED")
        trade.later(hours=23)
        again = trade.order(2, article_code="MS-EXCHANGE-P2-MED")
        assert trade.state_of(again) == (LineState.HELD, Reason.DUPLICATE_ORDER_SUSPECTED)

    def test_s13_after_a_day_it_is_an_order_like_any(self, trade: Trade) -> None:
        trade.order(1, article_code="MS-EXCHANGE-P2-MED")
        trade.later(hours=25)
        assert trade.state_of(trade.order(2, article_code="MS-EXCHANGE-P2-MED")) == ACCEPTED

    def test_two_judges_of_one_customer_wait_for_each_other(self, trade: Trade) -> None:
        trade.order()
        assert trade.world.queued_up == [f"orders:{SCHOOL}"]


class TestACorrection:
    def test_of_a_held_line_is_judged_again(self, trade: Trade) -> None:
        key = trade.order(quantity="twelve")
        assert trade.state_of(key) == (LineState.HELD, Reason.QUANTITY_INVALID)
        trade.later(minutes=5)
        trade.place(quantity=12)
        assert trade.collect() == Collected(read=1, corrected=1, judged=1)
        assert trade.state_of(key) == ACCEPTED
        corrected = next(event for event in trade.world.events if event.kind == "order.corrected")
        assert "quantity" in corrected.details["columns"].split()

    def test_s14_that_arrives_before_the_order_itself_is_the_order(self, trade: Trade) -> None:
        newer = trade.row(quantity=12)
        trade.collect.take_over([newer])
        trade.shop.put(newer)
        trade.collect()
        assert [entry.delta for entry in trade.world.ledger] == [12]

    def test_r10_a_cancellation_before_acceptance_cancels(self, trade: Trade) -> None:
        key = trade.order(quantity="twelve")
        trade.later(minutes=5)
        trade.order(status="cancelled")
        assert trade.state_of(key) == (LineState.CANCELLED, None)

    def test_r10_a_cancellation_after_acceptance_is_kept_answered_and_without_effect(self, trade: Trade) -> None:
        key = trade.order()
        trade.later(minutes=5)
        trade.order(status="cancelled")
        line = trade.world.lines[key]
        assert (line.state, line.warnings[-1]) == (LineState.ACCEPTED, Reason.CANCELLATION_NOT_ALLOWED)
        assert sum(entry.delta for entry in trade.world.ledger) == 10
        assert trade.world.topics() == ["order_change_refused"]
        refused = trade.world.events[-1]
        assert (refused.kind, refused.reason) == ("order.change_refused", Reason.CANCELLATION_NOT_ALLOWED)

    def test_r10_it_is_answered_once_however_often_it_is_read(self, trade: Trade) -> None:
        trade.order()
        trade.later(minutes=5)
        trade.order(status="cancelled")
        events = list(trade.world.events)
        trade.collect()
        trade.compare()
        assert trade.world.events == events


class TestTheWatermark:
    def test_follows_the_latest_change_and_is_read_back_a_day(self, trade: Trade) -> None:
        trade.order(changed_at=NOW - timedelta(hours=1))
        trade.collect()
        assert trade.world.watermarks == {"shop": NOW - timedelta(hours=1)}
        assert trade.shop.asked_since == [None, NOW - timedelta(hours=1) - LIMITS.watermark_overlap]

    def test_stays_when_the_shop_is_away_and_says_so(self, trade: Trade) -> None:
        trade.order()
        trade.shop.is_away = True
        with pytest.raises(UnavailableError):
            trade.collect()
        assert trade.world.watermarks == {"shop": NOW}

    def test_never_runs_ahead_of_our_own_clock(self, trade: Trade) -> None:
        trade.order(changed_at=NOW + timedelta(days=3))
        assert trade.world.watermarks == {"shop": NOW}

    def test_a_row_that_was_committed_late_is_found_within_the_overlap(self, trade: Trade) -> None:
        trade.order(1)
        late = trade.place(2, article_code="MS-APPS-MED", changed_at=NOW - timedelta(hours=23))
        trade.collect()
        assert trade.state_of(late) == ACCEPTED


class TestOneBadLine:
    def test_stops_nobody_and_is_put_aside(self, trade: Trade) -> None:
        broken = trade.place(1, tenant_hint="school.example")
        good = trade.place(2, article_code="MS-APPS-MED")
        trade.world.tenants[TENANT] = None  # type: ignore[assignment]  # a row that no code expects
        trade.collect()
        assert trade.state_of(broken) == (LineState.HELD, Reason.POISON)
        assert trade.state_of(good) == ACCEPTED

    def test_in_the_order_of_placing_not_of_arrival(self, trade: Trade) -> None:
        trade.place(1, article_code="MS-EXCHANGE-P2-MED", placed_at=NOW)
        earlier = trade.place(2, article_code="MS-EXCHANGE-P2-MED", placed_at=NOW - timedelta(hours=1))
        trade.collect()
        assert trade.state_of(earlier) == ACCEPTED


def test_a_full_day_of_orders_is_one_pass(trade: Trade) -> None:
    for number in range(450):
        trade.shop.put(trade.row(number, key=LineKey("shop", str(number), "1"), quantity=-1))
    assert trade.collect() == Collected(read=450, new=450, judged=450)
