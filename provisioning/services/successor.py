"""An operation that ended is not opened again: whoever was left out is looked at anew by another one."""

from datetime import datetime
from uuid import uuid4

import msgspec

from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, Actor, OperationId, OrganisationId, SkuId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.ports import UnitOfWork

_OPEN = frozenset(set(OperationState) - OPERATION_ENDS)


def is_under_way(uow: UnitOfWork, ended: Operation) -> bool:
    """Whether an open operation of the same holder for the same product in the tenant takes its people along.

    A part of a migration takes nobody but its own, and a remap nobody but who has its old product.
    """
    return any(
        operation.wish.part is None and _speaks_of(operation.wish) == _speaks_of(ended.wish)
        for operation in uow.operations.list_by(states=_OPEN, tenant=ended.tenant_id)
    )


def _speaks_of(wish: Wish) -> tuple[SkuId, OrganisationId, SkuId | None]:
    return wish.sku_id, wish.holder_id, wish.remap.from_sku if wish.remap else None


def begin_change(uow: UnitOfWork, ended: Operation, now: datetime, details: dict[str, str] | None = None) -> Operation:
    """Add the same wish as a change: whoever has the product is brought to have it as the policy says.

    It is bulk work, and no part of the order's outcome.
    """
    wish = msgspec.structs.replace(ended.wish, line=None)
    changed = msgspec.structs.replace(ended, kind=OperationKind.CHANGE, lane=Lane.BULK, wish=wish)
    return begin_successor(uow, changed, SYSTEM, now, details)


def begin_successor(
    uow: UnitOfWork, ended: Operation, by: Actor, now: datetime, details: dict[str, str] | None = None
) -> Operation:
    """Add the same wish once more, without new seats, and put it on record.

    Whoever had a hand in the one that ended has one in this, whoever begins it.
    """
    operation = Operation(
        operation_id=OperationId(str(uuid4())),
        kind=ended.kind,
        tenant_id=ended.tenant_id,
        lane=ended.lane,
        state=OperationState.NEW,
        wish=msgspec.structs.replace(ended.wish, seats_wanted=0, seats_before=None),
        requested_by=by,
        hands=ended.with_hands(ended.requested_by).hands,
        created_at=now,
        entered_at=now,
        due_at=now,
    )
    begun = Event(
        at=now,
        actor=by,
        kind="operation.begun",
        organisation=ended.wish.holder_id,
        tenant=ended.tenant_id,
        operation=operation.operation_id,
        details={"serves": ended.operation_id, **(details or {})},
    )
    uow.operations.add(operation)
    uow.audit.record([begun])
    return operation
