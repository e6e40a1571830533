from datetime import timedelta

import pytest

from provisioning.domain.errors import InputError, NotAllowedError
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import OrderLine
from provisioning.services.submit_orders import SubmitOrders
from tests.factories.trade import shop_line
from tests.fakes import NOW, FakeClock, FakeDesk, World, opener
from tests.unit.services.trade import AUDITOR, OPERATOR


class TestSubmitOrders:
    def setup_method(self) -> None:
        self.desk, self.world = FakeDesk(), World()
        self.submit = SubmitOrders(open_uow=opener(self.world), desk=self.desk, clock=FakeClock())

    def test_puts_every_line_on_the_desk_under_its_name_and_now(self) -> None:
        assert self.submit([shop_line(1), shop_line(2)], OPERATOR) == 2
        assert set(self.desk.rows) == {LineKey("desk", "1001", "1"), LineKey("desk", "1002", "1")}
        assert {line.changed_at for line in self.desk.rows.values()} == {NOW}

    def test_says_who_submitted_what(self) -> None:
        self.submit([shop_line(1)], OPERATOR)
        (event,) = self.world.events
        assert (event.kind, event.actor, event.details) == (
            "order.submitted",
            OPERATOR.actor,
            {"line": "desk/1001/1"},
        )

    def test_keeps_whoever_the_file_says_ordered(self) -> None:
        self.submit([shop_line(1, actor="40001"), shop_line(2)], OPERATOR)
        assert [line.actor for line in self.desk.rows.values()] == ["40001", OPERATOR.actor]

    def test_remembers_the_person_who_submitted_whoever_the_file_says_asked(self) -> None:
        self.submit([shop_line(1, actor="40001", requester_reference="ticket 12")], OPERATOR)
        assert [line.requester_reference for line in self.desk.rows.values()] == [OPERATOR.actor]

    def test_what_we_have_collected_already_is_not_submitted_again(self) -> None:
        self.submit([shop_line(1)], OPERATOR)
        self.collected()
        later = shop_line(1, placed_at=NOW + timedelta(days=1), changed_at=NOW + timedelta(days=1))
        assert self.submit([later], OPERATOR) == 0
        assert len(self.world.events) == 1

    def test_a_line_that_says_something_else_is_a_correction(self) -> None:
        self.submit([shop_line(1)], OPERATOR)
        self.collected()
        assert self.submit([shop_line(1, quantity=11), shop_line(2)], OPERATOR) == 2

    def collected(self) -> None:
        for key, row in self.desk.rows.items():
            self.world.lines[key] = OrderLine(shop=row, state=LineState.RECEIVED, received_at=NOW)

    def test_nothing_is_no_order(self) -> None:
        with pytest.raises(InputError):
            self.submit([], OPERATOR)

    def test_it_takes_the_right(self) -> None:
        with pytest.raises(NotAllowedError):
            self.submit([shop_line(1)], AUDITOR)
