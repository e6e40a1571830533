"""One operation, one push: take the tenant's lease, do what the state asks, let go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import structlog

from provisioning.domain.errors import ConflictError, StaleLeaseError, UnavailableError
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OPERATION_WAITS, OperationState
from provisioning.domain.limits import Limits
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.execution.backoff import growing
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork
from provisioning.services.transitions import move, wait

# what a state asks for; returns whether there is more to do at once
Work = Callable[[Operation, Lease], bool]

_log = structlog.get_logger(__name__)

_BUSY_WAIT = timedelta(seconds=1)
_LOOKED_AT = OPERATION_WAITS | {
    OperationState.NEW,
    OperationState.PLANNING,
    OperationState.AWAITING_APPROVAL,
    OperationState.APPLYING,
    OperationState.VERIFYING,
}


@dataclass(frozen=True, kw_only=True)
class AdvanceOperation:
    """Called with an id by a task, any number of times: it re-reads, decides, and returns quietly if all is done."""

    open_uow: OpenUnitOfWork
    dispatcher: Dispatcher
    clock: Clock
    limits: Limits
    holder: str
    work: Mapping[OperationState, Work]

    def __call__(self, operation_id: OperationId) -> None:
        begun = self._begin(operation_id)
        if begun is None:
            return
        operation, lease = begun
        try:
            more = self.work[operation.state](operation, lease)
        except StaleLeaseError:  # whoever holds the tenant now goes on
            self._close(operation, lease)
        except UnavailableError:
            self._close(operation, lease)
            raise  # an engine is away, the work is not to blame; the task says so
        except Exception as error:  # noqa: BLE001  # whatever it was, it is this operation's and the worker lives on
            self._broke_off(operation, lease, error)
        else:
            self._let_go(operation_id, lease, more=more)
            if more:
                self.dispatcher.advance(operation_id, operation.lane)

    def _begin(self, operation_id: OperationId) -> tuple[Operation, Lease] | None:
        """Take the lease and count the attempt, committed before any work starts: a crash must leave a trace."""
        now, wall = self.clock.now(), self.clock.wall()
        with self.open_uow() as uow:
            operation = uow.operations.find(operation_id)
            if operation is None or operation.state not in _LOOKED_AT or operation.due_at is None:
                return None
            lease = uow.leases.take(f"tenant:{operation.tenant_id}", self.holder, wall, self.limits.lease_duration)
            if lease is None:
                uow.operations.postpone(operation_id, now + _BUSY_WAIT)  # no new version: its holder is at work
                uow.commit()
                return None
            if operation.lost_attempts >= self.limits.lost_attempts:
                move(uow, operation, OperationState.HELD, now, reason=Reason.POISON)
                uow.leases.release(lease)
                uow.commit()
                return None
            counted = msgspec.structs.replace(
                operation, lost_attempts=operation.lost_attempts + 1, due_at=now + self.limits.requeue_after
            )
            operation = uow.operations.save(counted)
            uow.commit()
        return operation, lease

    def _close(self, operation: Operation, lease: Lease) -> None:
        """Nobody was lost: the attempt does not count, and the sweep looks again."""
        with self.open_uow() as uow:
            uow.leases.release(lease)
            current = uow.operations.get(operation.operation_id)
            if current.version == operation.version:
                uow.operations.save(msgspec.structs.replace(current, lost_attempts=current.lost_attempts - 1))
            uow.commit()

    def _broke_off(self, operation: Operation, lease: Lease, error: Exception) -> None:
        """An error of ours, told apart from a lost worker: tried again at growing intervals, then held for a person.

        The attempt stays counted until a push ends in order.
        """
        now = self.clock.now()
        with self.open_uow() as uow:
            uow.leases.release(lease)
            current = uow.operations.get(operation.operation_id)
            is_overtaken = current.version != operation.version  # by a person, or another worker: theirs counts
            if not is_overtaken and current.lost_attempts >= self.limits.lost_attempts:
                move(uow, current, OperationState.HELD, now, reason=Reason.WORK_FAILED)
            elif not is_overtaken:
                wait_for = growing(self.limits.failed_waits, current.lost_attempts - 1)
                uow.operations.postpone(current.operation_id, now + wait_for)
            uow.commit()
        if not (is_overtaken and isinstance(error, ConflictError)):
            _log.error("operation.broke_off", operation_id=operation.operation_id, exc_info=error)

    def _let_go(self, operation_id: OperationId, lease: Lease, *, more: bool) -> None:
        """A crash before this leaves the lease to lapse: whoever comes next then looks before it writes."""
        with self.open_uow() as uow:
            uow.leases.release(lease)
            if more:  # the message is about to be sent; the sweep repeats it only if it gets lost
                uow.operations.postpone(operation_id, self.clock.now() + self.limits.requeue_after)
            uow.commit()


def look_again(
    open_uow: OpenUnitOfWork, operation: Operation, clock: Clock, after: timedelta, reason: Reason | None = None
) -> bool:
    """Close a push that found nothing to do yet, and read nothing."""
    with open_uow() as uow:
        wait(uow, operation, clock.now() + after, reason, unreadable_since=operation.unreadable_since)
        uow.commit()
    return False


def hold(open_uow: OpenUnitOfWork, operation: Operation, clock: Clock, reason: Reason) -> bool:
    """Close a push with work for a person."""
    with open_uow() as uow:
        move(uow, operation, OperationState.HELD, clock.now(), reason=reason)
        uow.commit()
    return False
