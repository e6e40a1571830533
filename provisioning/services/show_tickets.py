"""Tickets and where they stand, each with its answers; a board sees its own."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import OperationId
from provisioning.domain.operation import Operation
from provisioning.domain.rights import Action, may
from provisioning.domain.ticket import Answer, Ticket, TicketKind, TicketState
from provisioning.domain.ticket_wishes import MoveSchool, wish_of
from provisioning.planning.school_move import draft_of
from provisioning.planning.ticket_turn import Standing
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.boards import board_of
from provisioning.services.find_ticket import get_ticket, sight_of_tickets
from provisioning.services.ticket_authority import may_know
from provisioning.services.ticket_work import Works


class TicketSheet(msgspec.Struct, frozen=True, kw_only=True):
    """`texts`: what was written beside the fields, for those who may see it. `standing`: what it comes to by now."""

    ticket: Ticket
    answers: tuple[Answer, ...]
    operations: tuple[Operation, ...] = ()
    texts: tuple[str, ...] = ()
    standing: Standing | None = None
    move: AgreementMove | None = None  # of agreements that Microsoft moves, for our own people

    @property
    def operation_ids(self) -> tuple[OperationId, ...]:
        return tuple(operation.operation_id for operation in self.operations)


@dataclass(frozen=True, kw_only=True)
class ShowTickets:
    open_uow: OpenUnitOfWork
    clock: Clock
    works: Works
    mappings: Mappings

    def __call__(self, identity: Identity, states: Collection[TicketState] = (), limit: int = 100) -> list[Ticket]:
        with self.open_uow() as uow:
            sight = sight_of_tickets(uow, identity, dutch_day(self.clock.now()))
            return uow.pages.tickets(sight, states=states, limit=limit)

    def plain(self, identity: Identity, named: str) -> Ticket:
        """The ticket alone. Raises NotFoundError when there is none, or none that is theirs to see."""
        with self.open_uow() as uow:
            return get_ticket(uow, named, identity, dutch_day(self.clock.now()))

    def one(self, identity: Identity, named: str) -> TicketSheet:
        """Raises NotFoundError when there is none, or none that is theirs to see."""
        with self.open_uow() as uow:
            ticket = get_ticket(uow, named, identity, dutch_day(self.clock.now()))
            today = dutch_day(self.clock.now())
            is_drawn = not ticket.missing and not ticket.has_ended and may_know(uow, identity, ticket, today)
            texts = self._texts(uow, identity, ticket)
            sheet = TicketSheet(
                ticket=ticket,
                answers=tuple(uow.outbox.answers(ticket.ticket_id)),
                operations=tuple(uow.tickets.operations_of(ticket.ticket_id)),
                texts=texts,
                move=uow.agreement_moves.find(ticket.ticket_id) if may(identity, Action.SEE_CASE) else None,
                standing=self.works[ticket.kind].standing(uow, ticket, self.clock.now()) if is_drawn else None,
            )
            uow.commit()
        return sheet

    def _texts(self, uow: UnitOfWork, identity: Identity, ticket: Ticket) -> tuple[str, ...]:
        """People write names there: each showing is on record."""
        texts = tuple(uow.tickets.texts(ticket.ticket_id)) if may(identity, Action.SEE_TICKET_TEXT) else ()
        if texts:
            shown = Event(
                at=self.clock.now(),
                actor=identity.actor,
                kind="ticket.text_shown",
                organisation=ticket.organisation_id,
                details={"ticket": ticket.ticket_id},
            )
            uow.audit.record([shown])
        return texts

    def draft(self, identity: Identity, named: str) -> str:
        """The file that `migrations create` reads, as far as the ticket says it. Raises InputError for other kinds."""
        with self.open_uow() as uow:
            ticket = get_ticket(uow, named, identity, dutch_day(self.clock.now()))
            if ticket.kind is not TicketKind.MOVE_SCHOOL or ticket.missing:
                raise InputError(
                    f"Ticket {ticket.key} asks for no migration, or not wholly: there is nothing to draft."
                )
            wish = cast("MoveSchool", wish_of(ticket.kind, ticket.given))
            today = dutch_day(self.clock.now())
            return draft_of(ticket, wish, board_of(uow, wish.school, today), self.mappings)
