"""The school assigns by itself: visible seats are the whole delivery, and what we had begun comes to its end."""

from datetime import datetime, timedelta

from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import UnitOfWork
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.leave_rest import leave_rest
from provisioning.services.serve_school import serve_school_later
from provisioning.services.transitions import move


def leave_to_school(
    uow: UnitOfWork, operation: Operation, lease: Lease, finish: FinishOperation, now: datetime, lag_horizon: timedelta
) -> bool:
    """End it, in the caller's transaction; whether something that was written has to be read back first.

    The policy may have changed in the middle.
    """
    if leave_rest(uow, operation, lease, Reason.SCHOOL_ASSIGNS, now, lag_horizon):
        move(uow, operation, OperationState.VERIFYING, now, reason=Reason.SCHOOL_ASSIGNS)
        return True
    serve_school_later(uow, finish(uow, operation), now)  # the sweep tells a worker of it
    return False
