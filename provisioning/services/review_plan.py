"""Somebody else looks at what one person approved alone."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import ConflictError
from provisioning.domain.operation import Operation
from provisioning.domain.rights import Action, require, require_other
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.approve_plan import decision
from provisioning.services.lookup import get_operation
from provisioning.services.refusals import refusals_on_record


@dataclass(frozen=True, kw_only=True)
class ReviewPlan:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, named: str) -> Operation:
        """Raises NotAllowedError for whoever approved it, ConflictError when nothing waits for review."""
        with refusals_on_record(self.open_uow, self.clock, identity, Action.REVIEW_PLAN, named):
            return self._review(identity, named)

    def _review(self, identity: Identity, named: str) -> Operation:
        require(identity, Action.REVIEW_PLAN)
        now = self.clock.now()
        with self.open_uow() as uow:
            operation = get_operation(uow, named)
            alone = uow.plans.unreviewed(operation.operation_id)
            if not alone:
                raise ConflictError("No plan of this operation was approved by one person alone and waits for review.")
            for record in alone:
                require_other(identity, record.approved_by or "", "approved this plan alone")
                uow.plans.review(record.plan_id, identity.actor, now)
                uow.audit.record([decision("plan.reviewed", identity, operation, record, now)])
            uow.commit()
        return operation
