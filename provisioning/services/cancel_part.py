"""A part of a migration that is not needed any more ends; what was written by it is read back first, by a worker."""

from datetime import datetime

from provisioning.domain.lifecycle import OPERATION_ENDS, WRITTEN_NOT_READ, OperationState, StepState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.ports import UnitOfWork
from provisioning.services.transitions import move

_AT_WORK = frozenset({OperationState.APPLYING, OperationState.VERIFYING})


def is_in_doubt(uow: UnitOfWork, operation: Operation) -> bool:
    """Whether something was written, or perhaps was, that nobody has read back.

    What seemed not to have arrived, and was to be sent again, may yet be shown by another replica; and what was found
    absent after its plan was over is ended by nobody but who holds the tenant.
    """
    if uow.journal.steps_in(operation.operation_id, WRITTEN_NOT_READ, 1):
        return True
    to_be_sent = uow.journal.steps_in(operation.operation_id, {StepState.PENDING})
    is_over = uow.plans.current(operation.operation_id) is None
    return any(one.reason is Reason.NO_ANSWER or (is_over and one.last_attempt is not None) for one in to_be_sent)


def cancel_part(uow: UnitOfWork, operation: Operation, reason: Reason, now: datetime) -> None:
    """In the caller's transaction, of one that is not in doubt: its plan is void, its seats are free again.

    Whoever waited for one of them waits no more.
    """
    uow.seats.stop_waiting(operation.operation_id, now)
    plan = uow.plans.current(operation.operation_id)
    if plan is not None:
        uow.plans.void(plan.plan_id, reason, now)
    move(uow, operation, OperationState.CANCELLED, now, reason=reason)


def cancel_unless_at_work(uow: UnitOfWork, operation: Operation, reason: Reason, now: datetime) -> None:
    """As a person decides it. What is in doubt goes on, so that the worker which holds its tenant ends it.

    That one then sees that it was called off, and does nothing but read back. Of what has ended nobody waits any more.
    """
    uow.seats.stop_waiting(operation.operation_id, now)
    if operation.state in OPERATION_ENDS | _AT_WORK:
        return
    if not is_in_doubt(uow, operation):
        cancel_part(uow, operation, reason, now)
    elif operation.state is OperationState.HELD:
        move(uow, operation, OperationState.VERIFYING, now, reason=reason)
    elif operation.state is OperationState.AWAITING_APPROVAL:
        move(uow, operation, OperationState.PLANNING, now, reason=reason)
    else:
        uow.operations.postpone(operation.operation_id, now)
