"""A line ends when its operations have, and says how."""

from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.ids import LineKey, OperationId
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.services.settle_line import end_of, settle_line
from tests.factories.trade import OTHER_TENANT, TENANT
from tests.fakes import NOW, FakeUnitOfWork
from tests.unit.services.trade import Trade

_O = OperationState


@pytest.fixture
def trade() -> Trade:
    return Trade()


def ended(trade: Trade, key: LineKey, *states: OperationState) -> LineState | None:
    """The line's operation is replaced by some that ended so, each in a tenant of its own; then it is settled."""
    (operation,) = trade.world.operations.values()
    tenants = (TENANT, OTHER_TENANT)
    trade.world.operations = {
        OperationId(str(number)): msgspec.structs.replace(
            operation, operation_id=OperationId(str(number)), tenant_id=tenants[number], state=state
        )
        for number, state in enumerate(states)
    }
    uow = FakeUnitOfWork(trade.world)
    settled = settle_line(uow, key, NOW)  # type: ignore[arg-type]  # the part of a unit of work that it uses
    uow.commit()
    return settled


class TestSettleLine:
    @pytest.mark.parametrize(
        ("states", "expected"),
        [
            pytest.param((_O.COMPLETED,), LineState.COMPLETED, id="the only one"),
            pytest.param((_O.COMPLETED, _O.COMPLETED), LineState.COMPLETED, id="all of them"),
            pytest.param((_O.COMPLETED, _O.APPLYING), None, id="one is under way"),
            pytest.param((_O.COMPLETED, _O.HELD), None, id="one waits for a person"),
            pytest.param((_O.COMPLETED, _O.PARTIALLY_COMPLETED), LineState.PARTIALLY_COMPLETED, id="one in part"),
            pytest.param((_O.COMPLETED, _O.FAILED), LineState.PARTIALLY_COMPLETED, id="one failed"),
            pytest.param((_O.COMPLETED, _O.CANCELLED), LineState.PARTIALLY_COMPLETED, id="one cancelled"),
            pytest.param((_O.CANCELLED, _O.CANCELLED), LineState.CANCELLED, id="all cancelled"),
            pytest.param((_O.FAILED,), None, id="what failed may be tried again"),
        ],
    )
    def test_follows_from_all_operations(
        self, trade: Trade, states: tuple[OperationState, ...], expected: LineState | None
    ) -> None:
        key = trade.order()
        assert ended(trade, key, *states) == expected
        assert trade.world.lines[key].state == (expected or LineState.ACCEPTED)

    @pytest.mark.parametrize("state", [_O.COMPLETED, _O.PARTIALLY_COMPLETED, _O.CANCELLED])
    def test_says_so_in_the_audit_log_and_to_the_customer(self, trade: Trade, state: OperationState) -> None:
        key = trade.order()
        ended(trade, key, state)
        assert trade.world.kinds()[-1] == f"order.{state}"
        assert trade.world.topics() == [f"order_{state}"]

    def test_again_changes_nothing(self, trade: Trade) -> None:
        key = trade.order()
        ended(trade, key, _O.COMPLETED)
        uow = FakeUnitOfWork(trade.world)
        assert settle_line(uow, key, NOW) is None  # type: ignore[arg-type]  # as above

    def test_follows_what_came_after_it_was_complete(self, trade: Trade) -> None:
        """A school that assigned by itself wants it done, and for some of its people there is no seat."""
        key = trade.order()
        assert ended(trade, key, _O.COMPLETED) is LineState.COMPLETED
        (served,) = trade.world.operations.values()
        more = {"operation_id": OperationId("more"), "created_at": NOW + timedelta(days=1)}
        for state, line in [
            (_O.APPLYING, LineState.COMPLETED),
            (_O.PARTIALLY_COMPLETED, LineState.PARTIALLY_COMPLETED),
            (_O.COMPLETED, LineState.COMPLETED),
        ]:
            trade.world.operations[OperationId("more")] = msgspec.structs.replace(served, **more, state=state)
            uow = FakeUnitOfWork(trade.world)
            settle_line(uow, key, NOW)  # type: ignore[arg-type]  # as above
            uow.commit()
            assert trade.world.lines[key].state is line

    def test_of_no_line_is_nothing(self, trade: Trade) -> None:
        uow = FakeUnitOfWork(trade.world)
        assert settle_line(uow, LineKey("shop", "0", "0"), NOW) is None  # type: ignore[arg-type]  # as above


class TestEndOf:
    def test_the_latest_operation_in_a_tenant_counts(self, trade: Trade) -> None:
        trade.order()
        (operation,) = trade.world.operations.values()
        first = msgspec.structs.replace(operation, state=_O.PARTIALLY_COMPLETED)
        second = msgspec.structs.replace(operation, state=_O.COMPLETED, created_at=NOW + timedelta(days=1))
        assert end_of([second, first]) is LineState.COMPLETED

    def test_of_nothing_is_no_end(self) -> None:
        assert end_of([]) is None
