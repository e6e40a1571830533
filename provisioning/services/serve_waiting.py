"""New seats, people still waiting: a new operation serves them (partially completed is an end)."""

from datetime import datetime, timedelta
from uuid import uuid4

import msgspec

from provisioning.domain.errors import GraphError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, OperationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.observation import SeatCount
from provisioning.domain.operation import Operation
from provisioning.ports import Clock, Dispatcher, LicenceGateway, OpenUnitOfWork, UnitOfWork, WaitingList

_TRY_AGAIN = timedelta(days=1)
_OPEN = frozenset(set(OperationState) - OPERATION_ENDS)


class ServeWaiting:
    """Looks at each waiting list; returns how many operations it began."""

    def __init__(
        self, *, open_uow: OpenUnitOfWork, gateway: LicenceGateway, dispatcher: Dispatcher, clock: Clock
    ) -> None:
        self._open_uow = open_uow
        self._gateway = gateway
        self._dispatcher = dispatcher
        self._clock = clock

    def __call__(self) -> int:
        with self._open_uow() as uow:
            lists = [one for one in uow.seats.waiting_lists() if not _is_served_already(uow, one)]
        begun = [operation for one in lists if (operation := self._serve(one))]
        for operation in begun:
            self._dispatcher.advance(operation.operation_id, operation.lane)
        return len(begun)

    def _serve(self, waiting: WaitingList) -> Operation | None:
        try:
            seats = self._gateway.observe_seats(waiting.tenant_id)
        except GraphError:
            return None  # the tenant's own trouble shows on its operations; the list keeps waiting
        count = seats.counts.get(waiting.sku_id)
        now = self._clock.now()
        with self._open_uow() as uow:
            before = uow.operations.get(waiting.operation_id)
            if count is None or not _is_worth_a_try(before, count, now):
                return None
            operation = _successor(before, now)
            uow.operations.add(operation)
            uow.audit.record([_begun(operation, waiting, now)])
            uow.commit()
        return operation


def _is_served_already(uow: UnitOfWork, waiting: WaitingList) -> bool:
    """An operation that is under way for the same product in the tenant takes the waiting people along."""
    under_way = uow.operations.list_by(states=_OPEN, tenant=waiting.tenant_id)
    return any(operation.wish.sku_id == waiting.sku_id for operation in under_way)


def _is_worth_a_try(before: Operation, count: SeatCount, now: datetime) -> bool:
    """Free seats, and either more than last time or a day has passed: leavers and corrections give seats back too."""
    has_free = count.enabled > count.consumed
    has_more = count.enabled > (before.seats_seen or 0)
    return has_free and (has_more or now - before.entered_at >= _TRY_AGAIN)


def _successor(before: Operation, now: datetime) -> Operation:
    return Operation(
        operation_id=OperationId(str(uuid4())),
        kind=before.kind,
        tenant_id=before.tenant_id,
        lane=before.lane,
        state=OperationState.NEW,
        wish=msgspec.structs.replace(before.wish, seats_wanted=0),
        requested_by=SYSTEM,
        created_at=now,
        entered_at=now,
        due_at=now,
    )


def _begun(operation: Operation, waiting: WaitingList, now: datetime) -> Event:
    return Event(
        at=now,
        actor=SYSTEM,
        kind="operation.begun",
        organisation=operation.wish.holder_id,
        tenant=operation.tenant_id,
        operation=operation.operation_id,
        details={"serves": waiting.operation_id, "waiting": str(waiting.people)},
    )
