"""The school assigns by itself: visible seats are the whole delivery, and what we had begun comes to its end."""

from datetime import datetime

from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState
from provisioning.domain.operation import Operation, StepRecord, SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import StepUpdate, SubjectUpdate, UnitOfWork
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.serve_school import serve_school_later
from provisioning.services.transitions import move

_WRITTEN_NOT_READ = frozenset({StepState.IN_FLIGHT, StepState.UNKNOWN, StepState.APPLIED})


def leave_to_school(
    uow: UnitOfWork, operation: Operation, lease: Lease, finish: FinishOperation, now: datetime
) -> bool:
    """End it, in the caller's transaction; whether something that was written has to be read back first.

    The policy may have changed in the middle: nothing more is written, who has a licence keeps it, and whose write
    left the machine is looked at before anything is said of them.
    """
    plan = uow.plans.current(operation.operation_id)
    if plan is not None:
        uow.plans.void(plan.plan_id, Reason.SCHOOL_ASSIGNS, now)
    open_steps = uow.journal.steps_in(operation.operation_id, _WRITTEN_NOT_READ)
    in_doubt = {record.step.subject_id for record in open_steps}
    people = uow.journal.subjects(operation.operation_id)
    left = [one for one in people if one.state is SubjectState.PENDING and one.subject_id not in in_doubt]
    if left:
        uow.journal.close(operation.operation_id, lease, [], [_update(one) for one in left])
        uow.audit.record([_event(operation, one, now) for one in left])
    if open_steps:
        move(uow, operation, OperationState.VERIFYING, now, reason=Reason.SCHOOL_ASSIGNS)
        return True
    # found absent after their plan was over: nobody writes them any more
    if pending := uow.journal.steps_in(operation.operation_id, {StepState.PENDING}):
        uow.journal.close(operation.operation_id, lease, [_skipped(record) for record in pending], [])
    serve_school_later(uow, finish(uow, operation), now)  # the sweep tells a worker of it
    return False


def _update(person: SubjectRecord) -> SubjectUpdate:
    return SubjectUpdate(subject_id=person.subject_id, state=SubjectState.REFUSED, reason=Reason.SCHOOL_ASSIGNS)


def _skipped(record: StepRecord) -> StepUpdate:
    return StepUpdate(step_id=record.step_id, state=StepState.SKIPPED, reason=Reason.SCHOOL_ASSIGNS)


def _event(operation: Operation, person: SubjectRecord, now: datetime) -> Event:
    return Event(
        at=now,
        actor=SYSTEM,
        kind=f"subject.{SubjectState.REFUSED}",
        organisation=person.organisation_id,
        tenant=operation.tenant_id,
        operation=operation.operation_id,
        subject=person.pseudonym,
        reason=Reason.SCHOOL_ASSIGNS,
    )
