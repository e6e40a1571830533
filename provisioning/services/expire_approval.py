"""An approval that nobody gave in time is asked anew, for a plan drawn anew."""

from dataclasses import dataclass

from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.transitions import move, wait


@dataclass(frozen=True, kw_only=True)
class ExpireApproval:
    """Work for operations that wait for approval; they are due when their plan's time has passed."""

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, operation: Operation, _lease: Lease) -> bool:
        now = self.clock.now()
        with self.open_uow() as uow:
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
