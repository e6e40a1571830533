"""Names from orders and identity maps rest only as long as somebody may still resolve them."""

from dataclasses import dataclass

from provisioning.domain.limits import Limits
from provisioning.ports import Clock, OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class PurgeReferences:
    """Forgets the UPNs and ids that are too old; returns how many."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits

    def __call__(self) -> int:
        with self.open_uow() as uow:
            purged = uow.references.purge(self.clock.now() - self.limits.references_kept)
            uow.commit()
        return purged
