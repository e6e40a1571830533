"""Whose organisation is whose: the board above a school, and who of a board uses a tenant."""

from datetime import date

from provisioning.domain.ids import OrganisationId, TenantId
from provisioning.domain.tenancy import RelationKind
from provisioning.ports import UnitOfWork


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
