"""Whose organisation is whose: the board above a school, and who of a board uses a tenant."""

from collections.abc import Collection
from datetime import date

import msgspec

from provisioning.domain.ids import OrganisationId, SubjectId, TenantId
from provisioning.domain.observation import Census
from provisioning.domain.tenancy import Binding, RelationKind
from provisioning.planning.selection import keys_needed
from provisioning.planning.sharing import claimed_by, who_takes_from_us
from provisioning.ports import LicenceGateway, UnitOfWork


def board_of(uow: UnitOfWork, organisation: OrganisationId, today: date) -> OrganisationId:
    """The board above, or the organisation itself when it has none."""
    for relation in uow.organisations.relations_of(organisation, today):
        if relation.kind is RelationKind.HIERARCHICAL and relation.child_id == organisation:
            return board_of(uow, relation.parent_id, today)
    return organisation


def is_under(uow: UnitOfWork, organisation: OrganisationId, holder: OrganisationId, today: date) -> bool:
    """Whether it is the holder itself, or stands under it."""
    return organisation == holder or any(
        is_under(uow, relation.parent_id, holder, today)
        for relation in uow.organisations.relations_of(organisation, today)
        if relation.kind is RelationKind.HIERARCHICAL and relation.child_id == organisation
    )


def of_board_in(uow: UnitOfWork, tenant: TenantId, holder: OrganisationId, today: date) -> tuple[OrganisationId, ...]:
    """The holder and whoever is under the same board, as far as they use this tenant; in the order of their codes."""
    board = board_of(uow, holder, today)
    bound = {binding.organisation_id for binding in uow.tenants.bindings_in(tenant, today)}
    return tuple(sorted(one for one in bound if board_of(uow, one, today) == board))


class Neighbours(msgspec.Struct, frozen=True, kw_only=True):
    """Who uses a tenant: bindings of the holder's board, and those of other boards."""

    own: tuple[Binding, ...]
    strangers: tuple[Binding, ...]

    def claimed(self, gateway: LicenceGateway, census: Census) -> frozenset[SubjectId]:
        """Whom another board's selector matches. Raises UnavailableError, and GraphError, when that cannot be read."""
        if not self.strangers:
            return frozenset()
        memberships = gateway.observe_memberships(census.tenant_id, keys_needed(self.strangers))
        return claimed_by(self.strangers, census, memberships)

    def counting_for_us(
        self, gateway: LicenceGateway, census: Census, ours: Collection[SubjectId]
    ) -> frozenset[SubjectId] | None:
        """Whose licences take from the holder's entitlement; None: everybody's. Raises as `claimed`."""
        if not self.strangers:
            return None
        memberships = gateway.observe_memberships(census.tenant_id, keys_needed([*self.own, *self.strangers]))
        return who_takes_from_us(self.own, self.strangers, census, memberships, ours)


def neighbours_in(uow: UnitOfWork, tenant: TenantId, holder: OrganisationId, today: date) -> Neighbours:
    """Everybody who is bound to the tenant, by whether they are of the holder's board."""
    board = board_of(uow, holder, today)
    bindings = uow.tenants.bindings_in(tenant, today)
    own = tuple(one for one in bindings if board_of(uow, one.organisation_id, today) == board)
    return Neighbours(own=own, strangers=tuple(one for one in bindings if one not in own))
