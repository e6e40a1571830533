"""A person refuses a plan: the operation is held, with the reason, until somebody changes something."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.approve_plan import decision
from provisioning.services.decisions import decide
from provisioning.services.lookup import get_operation
from provisioning.services.show_plan import awaits_approval, current_plan
from provisioning.services.transitions import move


@dataclass(frozen=True, kw_only=True)
class RejectPlan:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, named: str, reason: str) -> Operation:
        """Raises ConflictError when the plan waits for nobody's decision."""
        require(identity, Action.REJECT_PLAN)
        if not reason.strip():
            raise InputError("A rejection needs a reason: what should be different?")
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, reason))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, reason: str) -> Operation:
        now = self.clock.now()
        operation = get_operation(uow, named)
        record = current_plan(uow, operation)
        if not awaits_approval(operation, record, now):
            raise ConflictError("This plan waits for no decision; look at it again with `provisioning plans show`.")
        uow.plans.reject(record.plan_id, identity.actor, reason, now)
        uow.audit.record([decision("plan.rejected", identity, operation, record, now, reason)])
        return move(uow, operation, OperationState.HELD, now, reason=Reason.PLAN_REJECTED, actor=identity.actor)
