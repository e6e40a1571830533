"""Who may act, as what, until when."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.ports import OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class ListActors:
    open_uow: OpenUnitOfWork

    def __call__(self) -> list[Identity]:
        """Everybody whose token was not revoked, by name."""
        with self.open_uow() as uow:
            return sorted(uow.actors.list_all(), key=lambda identity: identity.actor)
