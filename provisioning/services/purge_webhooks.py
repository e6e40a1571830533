"""Messages that were taken, and the ids of those that came in, are kept only for a while."""

from dataclasses import dataclass

from provisioning.domain.limits import Limits
from provisioning.ports import Clock, OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class PurgeWebhooks:
    """Returns how many went."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits

    def __call__(self) -> int:
        with self.open_uow() as uow:
            purged = uow.webhooks.purge(self.clock.now() - self.limits.webhooks_kept)
            uow.commit()
        return purged
