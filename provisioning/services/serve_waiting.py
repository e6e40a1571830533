"""New seats, people still waiting: a new operation serves them (partially completed is an end)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import GraphError
from provisioning.domain.ids import SYSTEM
from provisioning.domain.observation import SeatCount
from provisioning.domain.operation import Operation
from provisioning.domain.tenancy import AssignmentMode
from provisioning.ports import Clock, Dispatcher, LicenceGateway, OpenUnitOfWork, UnitOfWork, WaitingList
from provisioning.services.customer_turn import await_customer_turn
from provisioning.services.successor import begin_successor, is_under_way

_TRY_AGAIN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ServeWaiting:
    """Looks at each waiting list; returns how many operations it began."""

    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    dispatcher: Dispatcher
    clock: Clock

    def __call__(self) -> int:
        with self.open_uow() as uow:
            lists = [
                waiting
                for waiting in uow.seats.waiting_lists()
                if _is_ours_to_serve(uow, uow.operations.get(waiting.operation_id))
            ]
        begun = [operation for one in lists if (operation := self._serve(one))]
        for operation in begun:
            self.dispatcher.advance(operation.operation_id, operation.lane)
        return len(begun)

    def _serve(self, waiting: WaitingList) -> Operation | None:
        try:
            seats = self.gateway.observe_seats(waiting.tenant_id)
        except GraphError:
            return None  # the tenant's own trouble shows on its operations; the list keeps waiting
        count = seats.counts.get(waiting.sku_id)
        now = self.clock.now()
        with self.open_uow() as uow:
            before = uow.operations.get(waiting.operation_id)
            await_customer_turn(uow, [before.wish.holder_id], self.clock.wall())
            if not _still_waits(uow, waiting, before):
                return None
            policy = uow.tenants.policy_on(waiting.tenant_id, dutch_day(now))
            if policy.assignment_mode is AssignmentMode.NONE:
                return None  # the school gives its free seats itself
            if count is None or not _is_worth_a_try(before, count, now):
                return None
            operation = begin_successor(uow, before, SYSTEM, now, {"waiting": str(waiting.people)})
            uow.commit()
        return operation


def _is_ours_to_serve(uow: UnitOfWork, latest: Operation) -> bool:
    """People of a migration are tried again by who steers it, not behind their back."""
    return latest.wish.part is None and not is_under_way(uow, latest)


def _still_waits(uow: UnitOfWork, waiting: WaitingList, latest: Operation) -> bool:
    """While seats were looked at another round, or a person, may have begun what serves them."""
    standing = {(one.sku_id, one.operation_id) for one in uow.seats.waiting_lists(waiting.tenant_id)}
    return (waiting.sku_id, waiting.operation_id) in standing and _is_ours_to_serve(uow, latest)


def _is_worth_a_try(before: Operation, count: SeatCount, now: datetime) -> bool:
    """Free seats, and either more than last time or a day has passed: leavers and corrections give seats back too."""
    has_free = count.enabled > count.consumed
    has_more = count.enabled > (before.seats_seen or 0)
    return has_free and (has_more or now - before.entered_at >= _TRY_AGAIN)
