"""From the default order database to accepted lines in PostgreSQL, also when two do it at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from config.limits import default_limits
from provisioning.database import order_database, order_source
from provisioning.database.order_database import SqlOrderDesk
from provisioning.database.order_source import SqlOrderSource
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.reasons import Reason
from provisioning.intake.order_files import parse_orders
from provisioning.services.collect_orders import Collected, CollectOrders
from provisioning.services.compare_orders import CompareOrders
from provisioning.services.gather_order import GatherOrder
from provisioning.services.import_records import ImportRecords
from provisioning.services.judge_lines import JudgeLines
from provisioning.services.serve_parts import ServeParts
from provisioning.services.submit_orders import SubmitOrders
from tests.factories.tenancy import TWO_FACTS
from tests.factories.trade import BOARD, MAPPINGS, NAMED, SCHOOL, SISTER, TENANT, binding, organisation, tenant
from tests.factories.trade import declaration as declared
from tests.fakes import NOW, FakeClock, FakeDispatcher
from tests.unit.services.trade import OPERATOR

OpenUow = Callable[[], SqlUnitOfWork]
ACCEPTED = (LineState.ACCEPTED, None)
HEADER = "order_number,line_number,organisation_code,article_code,quantity,subjects"


class Shop:
    """The default order database, and every service between it and ours."""

    def __init__(self, open_uow: OpenUow, url: str) -> None:
        order_database.create(url)
        self.engine = order_source.create(url)
        self.open_uow, self.clock, self.dispatcher = open_uow, FakeClock(), FakeDispatcher()
        limits, source = default_limits(), SqlOrderSource(self.engine)
        self.judge = JudgeLines(
            open_uow=open_uow,
            gather=GatherOrder(MAPPINGS, limits),
            dispatcher=self.dispatcher,
            clock=self.clock,
            unapproved=lambda: (),
        )
        self.collect = CollectOrders(
            open_uow=open_uow, source=source, judge=self.judge, clock=self.clock, limits=limits
        )
        self.compare = CompareOrders(
            open_uow=open_uow, source=source, collect=self.collect, judge=self.judge, clock=self.clock
        )
        self.desk = SubmitOrders(open_uow=open_uow, desk=SqlOrderDesk(self.engine), clock=self.clock)
        serve = ServeParts(open_uow=open_uow, dispatcher=self.dispatcher, clock=self.clock)
        self.records = ImportRecords(
            open_uow=open_uow, judge=self.judge, serve=serve, clock=self.clock, judge_tickets=lambda: 0
        )

    def submit(self, *rows: str) -> int:
        lines = parse_orders("orders.csv", "\n".join([HEADER, *rows]).encode(), self.clock.now())
        return self.desk(lines, OPERATOR)

    def state_of(self, number: int) -> tuple[LineState, Reason | None]:
        with self.open_uow() as uow:
            line = uow.orders.find(LineKey("orders", str(number), "1"))
        assert line is not None
        return line.state, line.reason


@pytest.fixture
def shop(open_uow: OpenUow, tmp_path: Path) -> Shop:
    with open_uow() as uow:
        uow.organisations.save([organisation(), organisation(SISTER), organisation(BOARD)])
        uow.tenants.save(tenant())
        for one in (SCHOOL, SISTER):
            made = binding(one, is_confirmed=False)
            uow.tenants.add_binding(made)
            uow.tenants.confirm_binding(made.binding_id, binding().confirmed_by or OPERATOR.actor, NOW, TWO_FACTS)
        uow.commit()
    return Shop(open_uow, f"sqlite:///{tmp_path / 'orders.db'}")


class TestOneOrder:
    def test_is_collected_judged_and_handed_to_a_worker(self, shop: Shop, open_uow: OpenUow) -> None:
        assert shop.submit("1,1,00xx,MS-BP-A3-MED,25,") == 1
        assert shop.collect() == Collected(read=1, new=1, judged=1)
        assert shop.state_of(1) == ACCEPTED
        with open_uow() as uow:
            (operation,) = uow.operations.list_by(line=LineKey("orders", "1", "1"))
            assert (operation.state, operation.due_at) == (OperationState.NEW, NOW)
            assert (operation.wish.seats_wanted, operation.wish.organisations) == (25, (SCHOOL,))
            (entry,) = uow.ledger.list_by(SCHOOL)
            assert uow.ledger.entitlement(SCHOOL, TENANT, operation.wish.sku_id, entry.effective_on) == 25
            kinds = [event.kind for event in uow.audit.list_by(organisation=SCHOOL)]
        assert sorted(kinds) == ["operation.created", "order.accepted"]
        assert shop.dispatcher.sent == [(operation.operation_id, operation.lane)]

    def test_submitted_and_collected_again_has_no_effect(self, shop: Shop, open_uow: OpenUow) -> None:
        shop.submit("1,1,00XX00,MS-BP-A3-MED,25,")
        shop.collect()
        shop.clock.forward(timedelta(hours=1))
        assert shop.submit("1,1,00XX00,MS-BP-A3-MED,25,") == 0
        assert shop.collect() == Collected(read=1)
        with open_uow() as uow:
            assert len(uow.ledger.list_by(SCHOOL)) == 1

    def test_s20_a_licence_code_is_a_right_without_product_or_tenant(self, shop: Shop, open_uow: OpenUow) -> None:
        shop.submit("1,1,00XX00,MS-WINSRV-STD,2,")
        shop.collect()
        assert shop.state_of(1) == (LineState.RECORDED_ONLY, Reason.NOT_PROVISIONABLE)
        with open_uow() as uow:
            (entry,) = uow.ledger.list_by(SCHOOL)
        assert (entry.sku_id, entry.tenant_id, entry.ends_on, entry.delta) == (None, None, None, 2)

    def test_s18_names_rest_in_the_references_and_nowhere_else(
        self, shop: Shop, open_uow: OpenUow, engine: Engine
    ) -> None:
        shop.submit(f'1,1,00XX00,{NAMED},2,"[""ann@school.example"", ""bob@school.example""]"')
        shop.collect()
        assert shop.state_of(1) == ACCEPTED
        with open_uow() as uow:
            assert uow.references.unresolved(LineKey("orders", "1", "1")) == [
                "ann@school.example",
                "bob@school.example",
            ]
        rows = (
            "SELECT to_jsonb(t)::text AS said FROM order_lines t"
            " UNION ALL SELECT body FROM audit_events UNION ALL SELECT wish::text FROM operations"
        )
        elsewhere = f"SELECT count(*) FROM ({rows}) AS rows WHERE said LIKE '%@school.example%'"  # noqa: S608  # our tables
        with engine.connect() as connection:
            assert connection.scalar(text(elsewhere)) == 0

    def test_r10_a_late_cancellation_is_noted_once(self, shop: Shop, open_uow: OpenUow) -> None:
        shop.submit("1,1,00XX00,MS-BP-A3-MED,25,")
        shop.collect()
        shop.clock.forward(timedelta(hours=1))
        with shop.engine.begin() as connection:
            connection.execute(text("UPDATE submitted_order_lines SET status = 'cancelled'"))
        assert shop.compare().changed == 1
        assert shop.compare().changed == 0
        with open_uow() as uow:
            line = uow.orders.find(LineKey("orders", "1", "1"))
            refused = [e for e in uow.audit.list_by(organisation=SCHOOL) if e.kind == "order.change_refused"]
        assert line is not None
        assert (line.state, Reason.CANCELLATION_NOT_ALLOWED in line.warnings) == (LineState.ACCEPTED, True)
        assert [event.reason for event in refused] == [Reason.CANCELLATION_NOT_ALLOWED]

    def test_a_line_that_vanished_is_held_and_replayed_when_it_is_back(self, shop: Shop) -> None:
        shop.submit("1,1,99ZZ00,MS-BP-A3-MED,25,", "2,1,00XX00,MS-BP-A3-MED,25,")
        shop.collect()
        hidden = "UPDATE submitted_order_lines SET order_number = '{}' WHERE order_number = '{}'"
        with shop.engine.begin() as connection:
            connection.execute(text(hidden.format("9", "1")))
        assert shop.compare().vanished == 1
        assert shop.state_of(1) == (LineState.HELD, Reason.LINE_VANISHED)
        with shop.engine.begin() as connection:
            connection.execute(text(hidden.format("1", "9")))
        shop.compare()
        assert shop.state_of(1) == (LineState.HELD, Reason.ORGANISATION_UNKNOWN)


class TestABoardOrder:
    def test_s15_waits_for_the_declaration_and_becomes_one_operation_for_the_tenant(
        self, shop: Shop, open_uow: OpenUow
    ) -> None:
        shop.submit(f"1,1,{BOARD},MS-BP-A3-MED,310,")
        shop.collect()
        assert shop.state_of(1) == (LineState.HELD, Reason.BOARD_DECLARATION_MISSING)
        assert shop.records(OPERATOR, [declared(SCHOOL, SISTER)]).lines == 1
        assert shop.state_of(1) == ACCEPTED
        with open_uow() as uow:
            (operation,) = uow.operations.list_by(line=LineKey("orders", "1", "1"))
        assert operation.wish.organisations == (SCHOOL, SISTER)


class TestTwoAtOnce:
    def test_s13_two_collectors_deliver_once(self, shop: Shop, open_uow: OpenUow) -> None:
        shop.submit(*(f"{number},1,00XX00,MS-BP-A3-MED,{number},x" for number in range(1, 31)))
        with ThreadPoolExecutor(2) as pool:
            done = [each.result() for each in [pool.submit(shop.collect), pool.submit(shop.collect)]]
        assert sum(one.new for one in done) == 30
        with open_uow() as uow:
            assert len(uow.ledger.list_by(SCHOOL)) == 1  # one base, the other twenty-nine ask again
            assert len(uow.orders.list_by({LineState.RECEIVED})) == 0

    def test_s13_of_two_equal_orders_judged_at_the_same_moment_one_is_held(self, shop: Shop, open_uow: OpenUow) -> None:
        rows = [f"{number},1,00XX00,MS-EXCHANGE-P2-MED,7," for number in range(1, 13)]
        shop.submit(*rows)
        shop.collect.take_over(SqlOrderSource(shop.engine).changed_since(None))
        keys = [LineKey("orders", str(number), "1") for number in range(1, 13)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: shop.judge.judge([key]), keys))
        with open_uow() as uow:
            assert len(uow.orders.list_by({LineState.ACCEPTED})) == 1
            held = uow.orders.list_by({LineState.HELD})
        assert {line.reason for line in held} == {Reason.DUPLICATE_ORDER_SUSPECTED}
