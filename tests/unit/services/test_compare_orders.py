"""The nightly comparison: late commits are found, vanished lines are held, what was cured goes on."""

from datetime import timedelta

import pytest

from provisioning.domain.errors import UnavailableError
from provisioning.domain.lifecycle import LineState
from provisioning.domain.reasons import Reason
from provisioning.services.compare_orders import Compared
from tests.factories.trade import SCHOOL, organisation
from tests.fakes import NOW
from tests.unit.services.trade import Trade

ACCEPTED = (LineState.ACCEPTED, None)
VANISHED = (LineState.HELD, Reason.LINE_VANISHED)


@pytest.fixture
def trade() -> Trade:
    return Trade()


class TestLateCommits:
    def test_a_row_older_than_the_overlap_is_found(self, trade: Trade) -> None:
        trade.order(1)
        late = trade.place(2, article_code="MS-APPS-MED", changed_at=NOW - timedelta(days=3))
        trade.collect()
        assert late not in trade.world.lines
        assert trade.compare() == Compared(late=1, changed=0, vanished=0, judged_again=0)
        assert trade.state_of(late) == ACCEPTED

    def test_a_row_that_changed_under_an_old_moment_is_found(self, trade: Trade) -> None:
        key = trade.order(quantity="x", changed_at=NOW - timedelta(days=3))
        trade.place(quantity=5, changed_at=NOW - timedelta(days=3))
        assert trade.compare().changed == 1
        assert trade.state_of(key) == ACCEPTED


class TestVanishedLines:
    def test_are_held_and_never_cancelled(self, trade: Trade) -> None:
        key, other = trade.order(1, quantity="x"), trade.order(2)
        del trade.shop.rows[key]
        assert trade.compare().vanished == 1
        assert trade.state_of(key) == VANISHED
        assert trade.state_of(other) == ACCEPTED

    def test_are_held_once(self, trade: Trade) -> None:
        key = trade.order(1, quantity="x")
        trade.order(2)
        del trade.shop.rows[key]
        trade.compare()
        assert trade.compare().vanished == 0
        assert trade.world.kinds().count("order.held") == 2

    def test_that_are_back_are_judged_again(self, trade: Trade) -> None:
        key = trade.order(1, quantity="x")
        row = trade.shop.rows.pop(key)
        trade.order(2)
        trade.compare()
        trade.shop.put(row)
        trade.compare()
        assert trade.state_of(key) == (LineState.HELD, Reason.QUANTITY_INVALID)

    def test_that_were_accepted_stand_as_they_are(self, trade: Trade) -> None:
        key = trade.order(1)
        del trade.shop.rows[key]
        trade.place(2, article_code="MS-APPS-MED")
        trade.compare()
        assert trade.state_of(key) == ACCEPTED

    def test_an_empty_view_is_trouble_of_the_shop_and_holds_nobody(self, trade: Trade) -> None:
        key = trade.order(quantity="x")
        trade.shop.rows.clear()
        with pytest.raises(UnavailableError, match="empty while 1 lines are open"):
            trade.compare()
        assert trade.state_of(key) == (LineState.HELD, Reason.QUANTITY_INVALID)


class TestCuredLines:
    def test_what_was_cured_without_anybody_saying_so_goes_on(self, trade: Trade) -> None:
        trade.world.organisations[SCHOOL] = organisation(membership="none")
        key = trade.order()
        trade.world.organisations[SCHOOL] = organisation()
        assert trade.compare().judged_again == 1
        assert trade.state_of(key) == ACCEPTED

    def test_a_suspicion_stays_with_its_person(self, trade: Trade) -> None:
        trade.order(1, article_code="MS-EXCHANGE-P2-MED")
        key = trade.order(2, article_code="MS-EXCHANGE-P2-MED")
        trade.later(days=3)
        trade.compare()
        assert trade.state_of(key) == (LineState.HELD, Reason.DUPLICATE_ORDER_SUSPECTED)
