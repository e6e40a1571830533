"""A held or failed operation goes on where it was, because a person says why.

One that ended with people left out is followed by another, which looks at them as they are now.
"""

from dataclasses import dataclass
from datetime import datetime

from provisioning.domain.actors import Identity
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor
from provisioning.domain.lifecycle import OPERATION_ENDS, OPERATION_TRANSITIONS, OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork, UnitOfWork
from provisioning.services.customer_turn import await_customer_turn
from provisioning.services.lookup import get_operation
from provisioning.services.successor import begin_successor, is_under_way
from provisioning.services.transitions import move

# five others, or the same ones as they are now: the old plan has had its five; and what went through a group is over
_PLANNED_ANEW = frozenset({Reason.FIRST_FIVE_FAILED, Reason.GROUP_GONE})


@dataclass(frozen=True, kw_only=True)
class RetryOperation:
    open_uow: OpenUnitOfWork
    clock: Clock
    dispatcher: Dispatcher

    def __call__(self, identity: Identity, named: str, reason: str) -> Operation:
        """Raises ConflictError when the operation waits for nobody."""
        require(identity, Action.RETRY_OPERATION)
        if not reason.strip():
            raise InputError("A retry needs a reason: what is different now?")
        now = self.clock.now()
        with self.open_uow() as uow:
            held = get_operation(uow, named)
            await_customer_turn(uow, [held.wish.holder_id], self.clock.wall())
            event = Event(
                at=now,
                actor=identity.actor,
                kind="operation.retried",
                organisation=held.wish.holder_id,
                tenant=held.tenant_id,
                operation=held.operation_id,
                before=held.reason,
                reason=reason,
            )
            operation = go_on(uow, held, identity.actor, now)
            uow.audit.record([event])
            uow.commit()
        self.dispatcher.advance(operation.operation_id, operation.lane)
        return operation


def go_on(uow: UnitOfWork, operation: Operation, actor: Actor, now: datetime) -> Operation:
    """The operation as it goes on, or the one that follows it, within the caller's transaction."""
    if operation.wish.part is not None and operation.state in OPERATION_ENDS:
        raise ConflictError(
            f"This operation is {operation.state}, and part of a migration: whom it left out is tried again by "
            "`migrations retry`."
        )
    if operation.state is not OperationState.PARTIALLY_COMPLETED:
        # who lets a shrunken selection go on accepts it as it is: the reason goes along and says so
        accepted = operation.reason if operation.reason is Reason.SELECTOR_SHRANK else None
        tried = operation.with_hands(actor)  # whoever lets it go on does not approve what comes of it
        return move(uow, tried, state_to_resume(operation), now, reason=accepted, actor=actor)
    if is_under_way(uow, operation):
        raise ConflictError("Another operation of this holder for the same product is under way: it looks at them.")
    return begin_successor(uow, operation, actor, now)


def state_to_resume(operation: Operation) -> OperationState:
    """Where a held or failed operation goes on; raises ConflictError for one that is neither."""
    if operation.state is OperationState.FAILED:
        return OperationState.NEW
    if operation.state is not OperationState.HELD:
        raise ConflictError(f"This operation is {operation.state}, not held or failed; there is nothing to retry.")
    if operation.reason in _PLANNED_ANEW:
        return OperationState.PLANNING
    goal = operation.resume_state or OperationState.NEW
    # What waited for approval when it was held is planned anew: its plan may be old.
    return goal if goal in OPERATION_TRANSITIONS[OperationState.HELD] else OperationState.PLANNING
