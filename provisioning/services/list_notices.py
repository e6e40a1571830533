"""What organisations were told, and we ourselves."""

from dataclasses import dataclass

from provisioning.domain.ids import OrganisationId
from provisioning.domain.worklist import Notice
from provisioning.ports import OpenUnitOfWork


@dataclass(frozen=True, kw_only=True)
class ListNotices:
    open_uow: OpenUnitOfWork

    def __call__(self, organisation: OrganisationId | None = None, limit: int = 200) -> list[Notice]:
        """The latest notices, to everybody or to one organisation."""
        with self.open_uow() as uow:
            return uow.outbox.notices(organisation, limit)
