"""The remap that a ticket asks for in one tenant: one operation, however often it is begun."""

from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import ArticleCode, OperationId, OrganisationId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.domain.remap import RemapPart
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import ChangeSku
from provisioning.ports import UnitOfWork


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
    operation_id = OperationId(str(uuid5(NAMESPACE_URL, f"remap:{ticket.ticket_id}/{tenant}")))
    begun = uow.operations.find(operation_id)
    if begun is not None:
        return begun
    _require_sane(mappings, wish)
    operation = Operation(
        operation_id=operation_id,
        kind=OperationKind.REMAP,
        tenant_id=tenant,
        lane=Lane.BULK,
        state=OperationState.NEW,
        wish=_wish(mappings, ticket, wish, organisations),
        requested_by=ticket.requested_by,
        created_at=now,
        entered_at=now,
        due_at=now,
    )
    uow.operations.add(operation)
    uow.audit.record([_created(operation, ticket)])
    return operation


def _require_sane(mappings: Mappings, wish: ChangeSku) -> None:
    old, new = mappings.skus.get(wish.from_sku), mappings.skus.get(wish.to_sku)
    if old is None or new is None:
        raise InputError("A product of this ticket is in the mappings no longer; ask for its successor.")
    if old.sku_id == new.sku_id:
        raise InputError(f"{old.name} would become {new.name}: that is the same product, and changes nothing.")
    if new.is_retired:
        raise InputError(f"{new.name} is {new.lifecycle} and no longer given to anybody; name its successor.")
    if old.audience is not new.audience:
        raise InputError(f"{old.name} is for {old.audience} and {new.name} for {new.audience}: name two for the same.")


def _wish(mappings: Mappings, ticket: Ticket, wish: ChangeSku, organisations: Sequence[OrganisationId]) -> Wish:
    return Wish(
        sku_id=wish.to_sku,
        audience=wish.audience or mappings.skus[wish.to_sku].audience,
        article_code=ArticleCode(""),
        replaces=frozenset({wish.from_sku}),
        holder_id=ticket.organisation_id,
        organisations=tuple(organisations),
        seats_wanted=0,
        starts_on=wish.starts_on,
        remap=RemapPart(from_sku=wish.from_sku, along=wish.along, ticket_id=ticket.ticket_id),
    )


def _created(operation: Operation, ticket: Ticket) -> Event:
    return Event(
        at=operation.created_at,
        actor=operation.requested_by,
        kind="operation.created",
        organisation=ticket.organisation_id,
        tenant=operation.tenant_id,
        operation=operation.operation_id,
        after=operation.state,
        details={"ticket": ticket.ticket_id},
    )
