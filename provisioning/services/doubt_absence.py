"""Before a plan is over: what only seemed not to have arrived is looked at once more, and not forgotten."""

from datetime import datetime, timedelta

from provisioning.domain.lifecycle import StepState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import Clock, OpenUnitOfWork, StepUpdate, UnitOfWork


def doubt_absence(uow: UnitOfWork, operation: Operation, lease: Lease, now: datetime, lag_horizon: timedelta) -> None:
    """In the caller's transaction, before the operation's plan is void or another one takes its place.

    What seemed not to have arrived was to be sent again, which would have told what became of it; now that it is not,
    only a look after the lag horizon makes it sure, which leaves no such reason behind.
    """
    seemed = [
        StepUpdate(
            step_id=one.step_id,
            state=StepState.UNKNOWN,
            reason=Reason.NO_ANSWER,
            not_before=max(one.sent_at + lag_horizon, now),
        )
        for one in uow.journal.steps_in(operation.operation_id, {StepState.PENDING})
        if one.reason is Reason.NO_ANSWER and one.sent_at
    ]
    if seemed:
        uow.journal.close(operation.operation_id, lease, seemed, [])


def doubt_absence_first(
    open_uow: OpenUnitOfWork, operation: Operation, lease: Lease, clock: Clock, lag_horizon: timedelta
) -> None:
    """As `doubt_absence`, before another plan is drawn: it leaves these people to the one before."""
    with open_uow() as uow:
        doubt_absence(uow, operation, lease, clock.now(), lag_horizon)
        uow.commit()
