"""Line, agreement and authority are looked at once more when an operation leaves a wait that lasted a week."""

from dataclasses import dataclass

from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.planning.order_standing import objection
from provisioning.ports import Clock, UnitOfWork
from provisioning.services.gather_order import GatherOrder


@dataclass(frozen=True, kw_only=True)
class ValidateAgain:
    """Answers within the caller's transaction; changes nothing."""

    gather: GatherOrder
    clock: Clock

    def __call__(self, uow: UnitOfWork, operation: Operation) -> Reason | None:
        """Why the operation should not go on, or None."""
        key = operation.wish.line
        line = uow.orders.find(key) if key else None
        if line is None:
            return Reason.LINE_VANISHED if key else None
        return objection(line, self.gather(uow, line, self.clock.now()))
