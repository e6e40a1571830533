"""An approval that nobody gave in time is asked anew, for a plan drawn anew."""

from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.transitions import move, wait


class ExpireApproval:
    """Work for operations that wait for approval; they are due when their plan's time has passed."""

    def __init__(self, *, open_uow: OpenUnitOfWork, clock: Clock) -> None:
        self._open_uow = open_uow
        self._clock = clock

    def __call__(self, operation: Operation, _lease: Lease) -> bool:
        now = self._clock.now()
        with self._open_uow() as uow:
            plan = uow.plans.current(operation.operation_id)
            has_expired = plan is None or plan.valid_until <= now
            if plan is not None and not has_expired:
                wait(uow, operation, plan.valid_until)
            else:
                if plan is not None:
                    uow.plans.void(plan.plan_id, Reason.APPROVAL_EXPIRED, now)
                move(uow, operation, OperationState.PLANNING, now, reason=Reason.APPROVAL_EXPIRED)
            uow.commit()
        return has_expired
