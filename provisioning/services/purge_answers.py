"""Answers that were kept for requests sent twice are of no use after a day."""

from dataclasses import dataclass
from datetime import timedelta

from provisioning.ports import Clock, OpenUnitOfWork

KEPT = timedelta(hours=24)  # longer than any client goes on repeating


@dataclass(frozen=True, kw_only=True)
class PurgeAnswers:
    """Returns how many went. They are as old as in real time: clients wait in no other."""

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self) -> int:
        with self.open_uow() as uow:
            purged = uow.answers.purge(self.clock.wall() - KEPT)
            uow.commit()
        return purged
