"""What was written down: of one operation, of one organisation, or the latest of all."""

from dataclasses import dataclass

from provisioning.domain.events import Event
from provisioning.domain.ids import OrganisationId
from provisioning.ports import OpenUnitOfWork
from provisioning.services.lookup import get_operation


@dataclass(frozen=True, kw_only=True)
class ListEvents:
    open_uow: OpenUnitOfWork

    def __call__(
        self, operation: str | None = None, organisation: OrganisationId | None = None, limit: int = 100
    ) -> list[Event]:
        """Raises InputError when there is no such operation."""
        with self.open_uow() as uow:
            operation_id = get_operation(uow, operation).operation_id if operation else None
            return uow.audit.list_by(operation=operation_id, organisation=organisation, limit=limit)
