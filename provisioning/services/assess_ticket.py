"""What a ticket comes to, put together for one reader: whoever approves it, or the board that asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import OperationId, OrganisationId, TenantId
from provisioning.domain.records import RecordKind, VolumeLicence
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import ChangeSku, RemapAgreement, TicketWish, organisations_in, wish_of
from provisioning.planning.asked_change import asked_change
from provisioning.planning.assessment import Assessment
from provisioning.planning.assessment_facts import AgreementMove, Fact, FactKind, agreement_facts
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.assess import Assess
from provisioning.services.boards import board_of, is_under
from provisioning.services.find_ticket import get_ticket
from provisioning.services.lookup import get_tenant
from provisioning.services.ticket_work import Works


@dataclass(frozen=True, kw_only=True)
class AssessTicket:
    """In one read transaction, so that its digest is of what is told here."""

    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings
    works: Works
    assess: Assess

    def __call__(self, identity: Identity, named: str) -> Assessment:
        """Raises NotFoundError for a ticket that is not theirs to see, ConflictError while something is missing in it.

        A board gets what concerns its own organisations, in counts alone; a desk what the board of its ticket gets.
        """
        now = self.clock.now()
        today = dutch_day(now)
        with self.open_uow() as uow:
            ticket = get_ticket(uow, named, identity, today)
            _require_complete(ticket)
            wish = wish_of(ticket.kind, ticket.given)
            standing = self.works[ticket.kind].standing(uow, ticket, now)
            reader = _reader(uow, identity, ticket, today)
            operations = list(_operations(uow, ticket, reader, today))
            made = self.assess.within(uow, reader, operations, _facts(uow, ticket, wish, operations))
            names = _names(uow, wish)
            asked = asked_change(ticket, wish, standing, names, self.mappings)
            return msgspec.structs.replace(made, asked=asked)


def _require_complete(ticket: Ticket) -> None:
    if ticket.missing:
        raise ConflictError(
            f"Ticket {ticket.key} cannot be assessed yet: {', '.join(ticket.missing)} "
            f"{'is' if len(ticket.missing) == 1 else 'are'} missing."
        )


def _reader(uow: UnitOfWork, identity: Identity, ticket: Ticket, today: date) -> Identity:
    """A client reads as the board: its own, or that of the organisation which the ticket is about."""
    if identity.is_person or not identity.roles:
        return identity
    board = identity.board_id or board_of(uow, ticket.organisation_id, today)
    return Identity(actor=identity.actor, roles=frozenset({Role.BOARD}), board_id=board)


def _operations(uow: UnitOfWork, ticket: Ticket, reader: Identity, today: date) -> Iterator[OperationId]:
    """Those that the reader has a part in."""
    board = reader.board_id
    for operation in uow.tickets.operations_of(ticket.ticket_id):
        concerned = (operation.wish.holder_id, *operation.wish.organisations)
        if board is None or any(is_under(uow, one, board, today) for one in concerned):
            yield operation.operation_id


def _facts(uow: UnitOfWork, ticket: Ticket, wish: TicketWish, operations: Sequence[OperationId]) -> list[Fact]:
    match wish:
        case ChangeSku() if not operations and not ticket.has_ended:
            return [Fact(kind=FactKind.LOOK_INCOMPLETE, names=tuple(wish.organisations))]
        case RemapAgreement():
            return agreement_facts(_move(uow, wish))
        case _:
            return []


def _move(uow: UnitOfWork, wish: RemapAgreement) -> AgreementMove:
    licences = cast("list[VolumeLicence]", uow.records.list_by(RecordKind.VOLUME_LICENCE))
    return AgreementMove(
        wanted=wish.licence_ids,
        source_tenant=_tenant(uow, wish.from_tenant),
        target_tenant=_tenant(uow, wish.to_tenant),
        licences=tuple(one for one in licences if one.public_customer_number == wish.public_customer_number),
        seats_wanted=wish.seats,
    )


def _tenant(uow: UnitOfWork, named: str) -> TenantId:
    try:
        return get_tenant(uow, named).tenant_id
    except InputError:  # not known to us: then it is where no License ID on record is
        return TenantId(named)


def _names(uow: UnitOfWork, wish: TicketWish) -> dict[OrganisationId, str]:
    found = (uow.organisations.find(one) for one in organisations_in(wish))
    return {one.organisation_id: one.name for one in found if one is not None}
