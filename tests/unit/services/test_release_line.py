"""Suspicions give way to a person, rules only to facts."""

import pytest

from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import LineState
from provisioning.domain.reasons import Reason
from provisioning.services.cancel_line import CancelLine
from provisioning.services.release_line import ReleaseLine
from tests.factories.trade import SCHOOL, organisation
from tests.unit.services.trade import AUDITOR, OPERATOR, Trade

EXCHANGE = "MS-EXCHANGE-P2-MED"
WHY = "asked by telephone"


@pytest.fixture
def trade() -> Trade:
    return Trade()


def release(trade: Trade, key: LineKey) -> tuple[LineState, Reason | None]:
    line = ReleaseLine(open_uow=trade.open_uow, judge=trade.judge, clock=trade.clock)(key, OPERATOR, WHY)
    return line.state, line.reason


def cancel(trade: Trade, key: LineKey) -> LineState:
    return CancelLine(open_uow=trade.open_uow, clock=trade.clock)(key, OPERATOR, WHY).state


class TestReleaseLine:
    def test_s13_a_legitimate_second_order_goes_on(self, trade: Trade) -> None:
        trade.order(1, article_code=EXCHANGE)
        key = trade.order(2, article_code=EXCHANGE)
        assert release(trade, key) == (LineState.ACCEPTED, None)
        assert len(trade.world.ledger) == 2

    def test_who_and_why_are_on_record(self, trade: Trade) -> None:
        trade.order(1, article_code=EXCHANGE)
        release(trade, trade.order(2, article_code=EXCHANGE))
        event = next(one for one in trade.world.events if one.kind == "order.released")
        assert (event.actor, event.details["because"]) == (OPERATOR.actor, WHY)

    def test_r9_a_base_ordered_again_goes_on(self, trade: Trade) -> None:
        trade.order(1, quantity=10)
        key = trade.order(2, quantity=11)
        assert trade.state_of(key) == (LineState.HELD, Reason.BASE_ORDERED_AGAIN)
        assert release(trade, key) == (LineState.ACCEPTED, None)

    def test_a_rule_does_not_give_way(self, trade: Trade) -> None:
        trade.world.organisations[SCHOOL] = organisation(membership="none")
        key = trade.order()
        assert release(trade, key) == (LineState.HELD, Reason.NOT_A_MEMBER)
        assert trade.world.lines[key].released_by is None

    def test_only_a_held_line_can_be_released(self, trade: Trade) -> None:
        with pytest.raises(InputError, match="is accepted; only a held line"):
            release(trade, trade.order())

    def test_an_unknown_line_is_named(self, trade: Trade) -> None:
        with pytest.raises(InputError, match="no order line shop/1/1"):
            release(trade, LineKey("shop", "1", "1"))

    def test_it_takes_the_right(self, trade: Trade) -> None:
        key = trade.order(quantity="x")
        with pytest.raises(NotAllowedError):
            ReleaseLine(open_uow=trade.open_uow, judge=trade.judge, clock=trade.clock)(key, AUDITOR, WHY)


class TestCancelLine:
    def test_a_held_line_is_cancelled_with_who_and_why(self, trade: Trade) -> None:
        key = trade.order(quantity="x")
        assert cancel(trade, key) is LineState.CANCELLED
        event = trade.world.events[-1]
        assert (event.kind, event.actor, event.details["because"]) == ("order.cancelled", OPERATOR.actor, WHY)

    def test_r10_what_was_bought_stays(self, trade: Trade) -> None:
        key = trade.order()
        with pytest.raises(InputError, match="CANCELLATION_NOT_ALLOWED"):
            cancel(trade, key)
        assert trade.state_of(key) == (LineState.ACCEPTED, None)

    def test_what_ended_has_ended(self, trade: Trade) -> None:
        with pytest.raises(InputError, match="has ended already: it is rejected"):
            cancel(trade, trade.order(quantity=-1))

    def test_it_takes_the_right(self, trade: Trade) -> None:
        key = trade.order(quantity="x")
        with pytest.raises(NotAllowedError):
            CancelLine(open_uow=trade.open_uow, clock=trade.clock)(key, AUDITOR, WHY)
