"""Whether whoever asks may ask it, by the records as they are now, and who had a hand in that."""

from collections.abc import Iterator
from datetime import date
from typing import cast

from provisioning.domain.actors import Identity
from provisioning.domain.ids import Actor, OrganisationId, TenantId
from provisioning.domain.records import Declaration, Mandate, RecordKind, VolumeLicence
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import (
    RemapAgreement,
    ServicePlanPolicy,
    TicketWish,
    organisations_in,
    wish_of,
)
from provisioning.planning.authority import Finding, judge_authority
from provisioning.ports import UnitOfWork


def find_authority(uow: UnitOfWork, ticket: Ticket, today: date) -> Finding:
    """Of a ticket in which nothing is missing; read in the caller's transaction."""
    wish = wish_of(ticket.kind, ticket.given)
    return judge_authority(
        ticket,
        _concerned(uow, ticket, wish, today),
        cast("list[Mandate]", uow.records.list_by(RecordKind.MANDATE)),
        cast("list[Declaration]", uow.records.list_by(RecordKind.DECLARATION)),
        today,
        uow.actors.boards_of(ticket.authors),
    )


def may_know(uow: UnitOfWork, identity: Identity, ticket: Ticket, today: date) -> bool:
    """Whether what a ticket comes to is theirs to read: people of ours, and clients once whoever asks may ask it.

    Else a board would learn of another's seats by asking for them.
    """
    is_client = not identity.is_person and bool(identity.roles)
    return not is_client or (not ticket.missing and find_authority(uow, ticket, today).reason is None)


def authors_of_authority(uow: UnitOfWork, ticket: Ticket, finding: Finding) -> Iterator[tuple[Actor, str]]:
    """Each with what they did, as the end of a sentence that begins with "you"."""
    for author in ticket.authors:
        yield author, "wrote some of this ticket"
    if ticket.requester:
        yield Actor(ticket.requester), "asked for it at the board"
    for ground in finding.grounds:
        author_of_record = uow.records.author(ground.kind, ground.record_id)
        if author_of_record is not None:
            yield author_of_record, f"imported the {ground.kind} that it rests on"


def _concerned(uow: UnitOfWork, ticket: Ticket, wish: TicketWish, today: date) -> tuple[OrganisationId, ...]:
    """Every organisation whose affairs it touches: a tenant's policy touches all that use the tenant."""
    named = (ticket.organisation_id, *organisations_in(wish))
    match wish:
        case ServicePlanPolicy():
            tenant = _tenant(uow, wish.tenant)
            bound = uow.tenants.bindings_in(tenant, today) if tenant else []
            return (*named, *sorted({binding.organisation_id for binding in bound}))
        case RemapAgreement():
            licences = cast("list[VolumeLicence]", uow.records.list_by(RecordKind.VOLUME_LICENCE))
            number = wish.public_customer_number
            return (*named, *(one.organisation_id for one in licences if one.public_customer_number == number))
        case _:
            return named


def _tenant(uow: UnitOfWork, named: str) -> TenantId | None:
    found = uow.tenants.find_by_domain(named) if "." in named else uow.tenants.find(TenantId(named))
    return None if found is None else found.tenant_id
