"""Whoever an operation has not come to is left as they are, because it must not go on; nobody is left in doubt."""

from datetime import datetime, timedelta

from provisioning.domain.lifecycle import WRITTEN_NOT_READ, StepState, SubjectState
from provisioning.domain.operation import Operation, StepRecord, SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.execution.outcome import subject_event
from provisioning.ports import StepUpdate, SubjectUpdate, UnitOfWork
from provisioning.services.doubt_absence import doubt_absence


def leave_rest(
    uow: UnitOfWork, operation: Operation, lease: Lease, reason: Reason, now: datetime, lag_horizon: timedelta
) -> bool:
    """In the caller's transaction; whether something that was written has to be read back first.

    Nothing more is written, who has a licence keeps it, and whose write left the machine is looked at before anything
    is said of them.
    """
    doubt_absence(uow, operation, lease, now, lag_horizon)
    plan = uow.plans.current(operation.operation_id)
    if plan is not None:
        uow.plans.void(plan.plan_id, reason, now)
    open_steps = uow.journal.steps_in(operation.operation_id, WRITTEN_NOT_READ)
    in_doubt = {record.step.subject_id for record in open_steps}
    people = uow.journal.subjects(operation.operation_id)
    left = [one for one in people if one.state is SubjectState.PENDING and one.subject_id not in in_doubt]
    # found absent after their plan was over: nobody writes them any more
    over = [] if open_steps else uow.journal.steps_in(operation.operation_id, {StepState.PENDING})
    if left or over:
        steps = [_skipped(record, reason) for record in over]
        uow.journal.close(operation.operation_id, lease, steps, [_update(one, reason) for one in left])
        uow.audit.record([subject_event(operation, one, SubjectState.REFUSED, now, reason=reason) for one in left])
    return bool(open_steps)


def _skipped(record: StepRecord, reason: Reason) -> StepUpdate:
    return StepUpdate(step_id=record.step_id, state=StepState.SKIPPED, reason=reason)


def _update(person: SubjectRecord, reason: Reason) -> SubjectUpdate:
    return SubjectUpdate(subject_id=person.subject_id, state=SubjectState.REFUSED, reason=reason)
