"""The remap that a ticket asks for in one tenant: one operation, however often it is begun."""

from collections.abc import Sequence
from datetime import datetime

from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import OrganisationId, TenantId
from provisioning.domain.operation import Operation
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import ChangeSku
from provisioning.ports import UnitOfWork
from provisioning.services.begin_remap import AskedRemap, begin_remap
from provisioning.services.boards import board_of


def remap_of_ticket(
    mappings: Mappings,
    uow: UnitOfWork,
    ticket: Ticket,
    wish: ChangeSku,
    tenant: TenantId,
    organisations: Sequence[OrganisationId],
    now: datetime,
) -> Operation:
    """In the caller's transaction. Raises InputError when the two products cannot take each other's place."""
    asked = AskedRemap(
        tenant_id=tenant,
        from_sku=wish.from_sku,
        to_sku=wish.to_sku,
        holder_id=ticket.organisation_id,
        organisations=tuple(organisations),
        requested_by=ticket.requested_by,
        along=wish.along,
        audience=wish.audience,
        starts_on=wish.starts_on,
        ticket_id=ticket.ticket_id,
        board_id=board_of(uow, ticket.organisation_id, dutch_day(now)),
    )
    return begin_remap(uow, mappings, asked, now)
