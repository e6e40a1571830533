"""Which boards and schools we know, and what hangs on one."""

from dataclasses import dataclass

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.order import LedgerEntry
from provisioning.domain.tenancy import Binding, Organisation, OrganisationKind, Relation
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.lookup import get_organisation


class OrganisationSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One organisation with its relations and bindings of today, and all it bought."""

    organisation: Organisation
    relations: list[Relation]
    bindings: list[Binding]
    ledger: list[LedgerEntry]


@dataclass(frozen=True, kw_only=True)
class ShowOrganisations:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, kind: OrganisationKind | None = None) -> list[Organisation]:
        """All of them, or those of one kind."""
        with self.open_uow() as uow:
            return uow.organisations.list_all(kind)

    def one(self, named: str) -> OrganisationSheet:
        """The organisation with this register code; raises InputError when there is none."""
        today = dutch_day(self.clock.now())
        with self.open_uow() as uow:
            organisation = get_organisation(uow, named)
            organisation_id = organisation.organisation_id
            return OrganisationSheet(
                organisation=organisation,
                relations=uow.organisations.relations_of(organisation_id, today),
                bindings=uow.tenants.bindings_of(organisation_id, today),
                ledger=uow.ledger.list_by(organisation_id),
            )
