"""The one act that moves an operation: the state, its clock, and the audit line, in the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, Actor
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState, advance
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.ports import UnitOfWork


def created(operation: Operation, details: Mapping[str, str]) -> Event:
    """The line of an operation that is new; `details`: what it came of."""
    return Event(
        at=operation.created_at,
        actor=operation.requested_by,
        kind="operation.created",
        organisation=operation.wish.holder_id,
        tenant=operation.tenant_id,
        operation=operation.operation_id,
        after=operation.state,
        reason=operation.reason,
        details=dict(details),
    )


def move(
    uow: UnitOfWork,
    operation: Operation,
    state: OperationState,
    now: datetime,
    *,
    reason: Reason | None = None,
    due_at: datetime | None = None,
    actor: Actor = SYSTEM,
) -> Operation:
    """Bring the operation into `state`. Raises TransitionError, or ConflictError when it moved meanwhile.

    Without `due_at` a state that goes on by itself is due at once; held and ended ones are never due.
    """
    is_still = state in OPERATION_ENDS or state is OperationState.HELD
    moved = msgspec.structs.replace(
        operation,
        state=advance(operation.state, state),
        reason=reason,
        entered_at=now,
        due_at=None if is_still else due_at or now,
        waits=0,
        lost_attempts=0,
        unreadable_since=None,
        resume_state=operation.state if state is OperationState.HELD else None,
    )
    uow.audit.record([_event(operation, moved, now, actor)])
    if state in OPERATION_ENDS:
        uow.seats.release(operation.operation_id)
    return uow.operations.save(moved)


def wait(
    uow: UnitOfWork,
    operation: Operation,
    until: datetime,
    reason: Reason | None = None,
    *,
    unreadable_since: datetime | None = None,
) -> Operation:
    """Stay in this state and look again later; nobody needs to know.

    `unreadable_since`: the tenant has not been read since. Without it it has, and what was said of that is over.
    """
    could_be_read = operation.unreadable_since is not None and unreadable_since is None
    waiting = msgspec.structs.replace(
        operation,
        due_at=until,
        waits=operation.waits + 1,
        lost_attempts=0,
        reason=reason or (None if could_be_read else operation.reason),
        unreadable_since=unreadable_since,
    )
    return uow.operations.save(waiting)


def _event(before: Operation, after: Operation, now: datetime, actor: Actor) -> Event:
    return Event(
        at=now,
        actor=actor,
        kind=f"operation.{after.state}",
        organisation=after.wish.holder_id,
        tenant=after.tenant_id,
        operation=after.operation_id,
        before=before.state,
        after=after.state,
        reason=after.reason,
    )
