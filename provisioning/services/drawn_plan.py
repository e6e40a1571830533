"""What every planner looks up before it draws, and does with the plan that was drawn: one act, whichever plan it is."""

from datetime import datetime, timedelta

from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, OperationId, SubjectId, TenantId
from provisioning.domain.lifecycle import STEP_ENDS, WRITTEN_NOT_READ, OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Tenant
from provisioning.domain.worklist import Intent, Topic
from provisioning.planning.guards import Usage
from provisioning.planning.plan import Plan
from provisioning.ports import UnitOfWork
from provisioning.services.application_incident import OURSELVES
from provisioning.services.transitions import move


def usage_of(uow: UnitOfWork, tenant_id: TenantId, tenant: Tenant | None, since: datetime) -> Usage:
    """What was written there since then, through whichever door: the guards count it along."""
    return Usage.from_kinds(
        uow.journal.kinds_since(tenant_id, since), is_proven=tenant is not None and tenant.proven_at is not None
    )


def in_doubt(uow: UnitOfWork, operation: OperationId) -> frozenset[SubjectId]:
    """Of whom something was written, or perhaps was, that nobody has read back."""
    return frozenset(record.step.subject_id for record in uow.journal.steps_in(operation, WRITTEN_NOT_READ))


def has_open_steps(uow: UnitOfWork, operation: Operation) -> bool:
    counts = uow.journal.step_counts(operation.operation_id)
    return any(people for state, people in counts.items() if state not in STEP_ENDS)


def plan_drawn(operation: Operation, plan: Plan) -> Event:
    return Event(
        at=plan.drawn_at,
        actor=SYSTEM,
        kind="plan.drawn",
        organisation=operation.wish.holder_id,
        tenant=plan.tenant_id,
        operation=plan.operation_id,
        after=plan.envelope.digest,
        details={kind: str(number) for kind, number in plan.counts.items()},
    )


def await_approval(uow: UnitOfWork, operation: Operation, now: datetime, validity: timedelta) -> None:
    """Tells ourselves: approvers are ours, and the school has nothing to decide."""
    due = now + validity
    move(uow, operation, OperationState.AWAITING_APPROVAL, now, reason=Reason.APPROVAL_NEEDED, due_at=due)
    wanted = Intent(topic=Topic.APPROVAL_NEEDED, organisation_id=OURSELVES, reference=operation.operation_id, at=now)
    uow.outbox.add([wanted])
