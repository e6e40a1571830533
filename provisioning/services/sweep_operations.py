"""The look at the database that makes losing any message harmless."""

from dataclasses import dataclass

from provisioning.domain.limits import Limits
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork

_AT_ONCE = 500  # a second's look sends what two workers do in that time many times over


@dataclass(frozen=True, kw_only=True)
class SweepOperations:
    """Tells the workers about every operation whose time has come; returns how many there were."""

    open_uow: OpenUnitOfWork
    dispatcher: Dispatcher
    clock: Clock
    limits: Limits

    def __call__(self) -> int:
        now = self.clock.now()
        with self.open_uow() as uow:
            due = uow.operations.claim_due(now, now + self.limits.requeue_after, _AT_ONCE)
            uow.commit()  # before sending: a worker must not be quicker than the claim
        for operation, lane in due:
            self.dispatcher.advance(operation, lane)
        return len(due)
