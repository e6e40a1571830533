"""What people wrote beside a ticket goes when it is old, later who asked for whom, and what was seen; it stays."""

from dataclasses import dataclass

from provisioning.domain.limits import Limits
from provisioning.ports import Clock, OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class PurgeTickets:
    """Returns how many texts went."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits

    def __call__(self) -> int:
        with self.open_uow() as uow:
            purged = uow.tickets.purge_texts(self.clock.now() - self.limits.ticket_texts_kept)
            uow.tickets.purge_people(self.clock.now() - self.limits.operational_kept)
            uow.rebind_looks.purge(self.clock.now() - self.limits.operational_kept)
            uow.commit()
        return purged
