from provisioning.services.show_orders import LineSheet, ShowOrders
from tests.unit.services.trade import Trade


def the_sheet(trade: Trade) -> LineSheet:
    (sheet,) = ShowOrders(open_uow=trade.open_uow).one("1001")
    return sheet


def told(trade: Trade) -> list[str]:
    return [event.kind for event in the_sheet(trade).events]


class TestTheStoryOfAnOrder:
    def test_tells_each_event_once_though_it_speaks_of_the_line_and_of_its_operation(self) -> None:
        trade = Trade()
        trade.order()
        assert told(trade) == ["order.received", "order.accepted", "operation.created"]

    def test_is_whole_when_the_shop_writes_the_school_in_its_own_way(self) -> None:
        trade = Trade()
        trade.order(organisation_code="00xx")
        assert sorted(told(trade)) == ["operation.created", "order.accepted", "order.received"]

    def test_leaves_other_orders_out(self) -> None:
        trade = Trade()
        trade.order(1)
        trade.order(2, quantity=40)
        assert len(told(trade)) == 3
