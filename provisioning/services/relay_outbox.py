"""What is to be told becomes notices, gathered so that nobody gets two messages where one will do."""

from dataclasses import dataclass

from provisioning.domain.limits import Limits
from provisioning.ports import Clock, OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class RelayOutbox:
    """Relays intents that have lain for a moment; returns how many. A burst of new notices waits for its window."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits

    def __call__(self) -> int:
        limits = self.limits
        with self.open_uow() as uow:
            relayed = uow.outbox.relay(
                self.clock.now(), limits.requeue_after, limits.notices_burst, limits.notices_window
            )
            uow.commit()
        return relayed
