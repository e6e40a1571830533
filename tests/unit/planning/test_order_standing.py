"""What is asked once more of an accepted line after a week of waiting."""

import msgspec
import pytest

from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import OrderLine
from provisioning.domain.reasons import Reason
from provisioning.planning.order_context import OrderContext
from provisioning.planning.order_standing import objection
from tests.factories.trade import (
    BOARD,
    SCHOOL,
    board_context,
    context,
    count,
    entry,
    order_line,
    organisation,
)


def accepted(**columns: object) -> OrderLine:
    return msgspec.structs.replace(order_line(**columns), state=LineState.ACCEPTED)


class TestObjection:
    def test_an_order_that_still_stands(self) -> None:
        assert objection(accepted(), context()) is None

    def test_its_own_entry_in_the_ledger_is_no_second_base_order(self) -> None:
        assert objection(accepted(), context(entries=(entry(),))) is None

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            pytest.param(
                context(organisation=organisation(membership="ended")), Reason.NOT_A_MEMBER, id="membership ended"
            ),
            pytest.param(context(organisation=None), Reason.ORGANISATION_UNKNOWN, id="customer gone from the register"),
        ],
    )
    def test_the_customer(self, changed: OrderContext, reason: Reason) -> None:
        assert objection(accepted(), changed) is reason

    def test_a_declaration_that_was_revoked(self) -> None:
        line = accepted(organisation_code=BOARD, actor=BOARD)
        standing = board_context(count(SCHOOL, 10))
        assert objection(line, standing) is None
        revoked = msgspec.structs.replace(standing, records=msgspec.structs.replace(standing.records, declarations=()))
        assert objection(line, revoked) is Reason.BOARD_DECLARATION_MISSING

    @pytest.mark.parametrize("state", [LineState.COMPLETED, LineState.PARTIALLY_COMPLETED])
    def test_a_line_that_was_served_stands_for_the_operations_that_follow(self, state: LineState) -> None:
        assert objection(msgspec.structs.replace(accepted(), state=state), context()) is None

    @pytest.mark.parametrize("state", [LineState.HELD, LineState.CANCELLED])
    def test_a_line_that_is_no_longer_accepted(self, state: LineState) -> None:
        line = msgspec.structs.replace(accepted(), state=state)
        assert objection(line, context()) is Reason.LINE_CHANGED
