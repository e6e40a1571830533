"""One operation, one push: take the tenant's lease, do what the state asks, let go."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import msgspec

from provisioning.domain.errors import ConflictError, StaleLeaseError
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OPERATION_WAITS, OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork
from provisioning.services.transitions import move, wait

# what a state asks for; returns whether there is more to do at once
Work = Callable[[Operation, Lease], bool]

_BUSY_WAIT = timedelta(seconds=1)
_LOOKED_AT = OPERATION_WAITS | {
    OperationState.NEW,
    OperationState.PLANNING,
    OperationState.AWAITING_APPROVAL,
    OperationState.APPLYING,
    OperationState.VERIFYING,
}


class AdvanceOperation:
    """Called with an id by a task, any number of times: it re-reads, decides, and returns quietly if all is done."""

    def __init__(
        self,
        *,
        open_uow: OpenUnitOfWork,
        dispatcher: Dispatcher,
        clock: Clock,
        limits: Limits,
        holder: str,
        work: Mapping[OperationState, Work],
    ) -> None:
        self._open_uow = open_uow
        self._dispatcher = dispatcher
        self._clock = clock
        self._limits = limits
        self._holder = holder
        self._work = work

    def __call__(self, operation_id: OperationId) -> None:
        begun = self._begin(operation_id)
        if begun is None:
            return
        operation, lease = begun
        try:
            more = self._work[operation.state](operation, lease)
        except (ConflictError, StaleLeaseError):
            more = False  # another worker, or a person, was quicker: theirs counts, and the sweep looks again
        self._let_go(operation_id, lease, more=more)
        if more:
            self._dispatcher.advance(operation_id, operation.lane)

    def _begin(self, operation_id: OperationId) -> tuple[Operation, Lease] | None:
        """Take the lease and count the attempt, committed before any work starts: a crash must leave a trace."""
        now, wall = self._clock.now(), self._clock.wall()
        with self._open_uow() as uow:
            operation = uow.operations.find(operation_id)
            if operation is None or operation.state not in _LOOKED_AT or operation.due_at is None:
                return None
            lease = uow.leases.take(f"tenant:{operation.tenant_id}", self._holder, wall, self._limits.lease_duration)
            if lease is None:
                uow.operations.postpone(operation_id, now + _BUSY_WAIT)  # no new version: its holder is at work
                uow.commit()
                return None
            if operation.lost_attempts >= self._limits.lost_attempts:
                move(uow, operation, OperationState.HELD, now, reason=Reason.POISON)
                uow.leases.release(lease)
                uow.commit()
                return None
            counted = msgspec.structs.replace(
                operation, lost_attempts=operation.lost_attempts + 1, due_at=now + self._limits.requeue_after
            )
            operation = uow.operations.save(counted)
            uow.commit()
        return operation, lease

    def _let_go(self, operation_id: OperationId, lease: Lease, *, more: bool) -> None:
        """A crash before this leaves the lease to lapse: whoever comes next then looks before it writes."""
        with self._open_uow() as uow:
            uow.leases.release(lease)
            if more:  # the message is about to be sent; the sweep repeats it only if it gets lost
                uow.operations.postpone(operation_id, self._clock.now() + self._limits.requeue_after)
            uow.commit()


def look_again(
    open_uow: OpenUnitOfWork, operation: Operation, clock: Clock, after: timedelta, reason: Reason | None = None
) -> bool:
    """Close a push that found nothing to do yet."""
    with open_uow() as uow:
        wait(uow, operation, clock.now() + after, reason)
        uow.commit()
    return False
