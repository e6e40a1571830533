"""Microsoft's number of seats against what was bought: are those of this order there? (decision 0024)"""

from datetime import datetime

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.ids import SkuId, TenantId
from provisioning.domain.lifecycle import OPERATION_WAITS, OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Seats
from provisioning.domain.operation import Operation
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.arrival import Arrival, Queue, baseline, queue_for, unexplained
from provisioning.ports import Clock, UnitOfWork

_PERHAPS_OUTSTANDING = OPERATION_WAITS | {OperationState.NEW, OperationState.HELD}
_ALL = 100_000


def look_for_seats(
    uow: UnitOfWork, operation: Operation, mode: AssignmentMode, seats: Seats, clock: Clock, limits: Limits
) -> tuple[Operation, bool]:
    """The operation with what this look taught, and whether it may begin; the caller saves and commits."""
    now, wish = clock.now(), operation.wish
    queue = _queue(uow, operation.tenant_id, wish.sku_id, now)
    bought = uow.ledger.tenant_total(operation.tenant_id, wish.sku_id, dutch_day(now))
    enabled = seats.enabled(wish.sku_id)
    before = baseline(wish.seats_before, enabled, bought, queue.wanted(), mode)
    arrival = Arrival(
        enabled=enabled,
        free=_free(uow, operation, seats, queue),
        expected=bought - queue.after(operation),
        wanted=wish.seats_wanted,
        before=before or 0,
        serves_people=mode is not AssignmentMode.NONE,
        stood_still=_stood_still(operation, enabled, now, limits),
    )
    taught = msgspec.structs.replace(operation, wish=msgspec.structs.replace(wish, seats_before=before))
    return taught, arrival.may_begin


def note_baseline(uow: UnitOfWork, tenant: TenantId, sku: SkuId, seats: Seats, now: datetime) -> None:
    """Remember what is there that no order of ours explains, for orders still to come.

    Only while no order is outstanding: of what then appears nobody can say whose it is.
    """
    if not _queue(uow, tenant, sku, now).outstanding:
        bought = uow.ledger.tenant_total(tenant, sku, dutch_day(now))
        uow.seats.note_unexplained(tenant, sku, unexplained(seats.enabled(sku), bought), now)


def _queue(uow: UnitOfWork, tenant: TenantId, sku: SkuId, now: datetime) -> Queue:
    return queue_for(uow.operations.list_by(_PERHAPS_OUTSTANDING, tenant, limit=_ALL), sku, dutch_day(now))


def _free(uow: UnitOfWork, operation: Operation, seats: Seats, queue: Queue) -> int:
    count = seats.counts.get(operation.wish.sku_id)
    if count is None:
        return 0
    reserved = uow.seats.reserved(operation.tenant_id, operation.wish.sku_id, apart_from=operation.operation_id)
    return count.enabled - count.consumed - len(reserved) - queue.before(operation)


def _stood_still(operation: Operation, enabled: int, now: datetime, limits: Limits) -> bool:
    since = operation.seats_seen_since
    return operation.seats_seen == enabled and since is not None and now - since >= limits.seats_short_after
