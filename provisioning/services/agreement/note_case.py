"""An operator notes that the case lies with Microsoft, under which number; the board hears that it was asked."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.events import Event
from provisioning.domain.records import MappingState
from provisioning.domain.rights import Action, require
from provisioning.domain.ticket import Ticket, TicketKind, TicketState
from provisioning.planning.agreement_watch import is_untouched
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.agreement.carry import note_mapping
from provisioning.services.decisions import decide
from provisioning.services.find_ticket import get_ticket
from provisioning.services.ticket_deeds import TicketDeeds

CASE_FILED = "case_filed"
_LONGEST = 60  # characters: Microsoft's numbers have 16


@dataclass(frozen=True, kw_only=True)
class NoteCase:
    open_uow: OpenUnitOfWork
    clock: Clock
    deeds: TicketDeeds

    def __call__(self, identity: Identity, named: str, case_number: str) -> Ticket:
        """The same number again changes nothing; another one takes its place.

        Raises ConflictError for a ticket that does not wait for Microsoft, InputError for no number.
        """
        require(identity, Action.FILE_CASE)
        number = _number(case_number)
        return decide(self.open_uow, lambda uow: self._note(uow, identity, named, number))

    def _note(self, uow: UnitOfWork, identity: Identity, named: str, number: str) -> Ticket:
        now = self.clock.now()
        ticket = get_ticket(uow, named, identity, dutch_day(now))
        move = _require_waiting(ticket, uow.agreement_moves.find_for_work(ticket.ticket_id))
        if move.case_number == number:
            return ticket
        uow.agreement_moves.save(ticket.ticket_id, _filed(move, identity, number, now), now)
        note_mapping(uow, ticket, MappingState.REMAP_REQUESTED, now)
        uow.audit.record([_event(identity, ticket, move, number, now)])
        if ticket.state is not TicketState.AWAITING_MICROSOFT:
            return ticket
        return self.deeds.move(uow, ticket, ticket.state, now, actor=identity.actor, notes=(CASE_FILED,))


def _filed(move: AgreementMove, identity: Identity, number: str, now: datetime) -> AgreementMove:
    """From now on Microsoft's silence is counted, unless it has begun."""
    is_new = move.case_number is None and is_untouched(move)
    return msgspec.structs.replace(
        move,
        case_number=number,
        filed_by=identity.actor,
        seen_since=now if is_new else move.seen_since,
        looks=1,
        next_look_at=now,
    )


def _number(given: str) -> str:
    number = given.strip()
    if not number or len(number) > _LONGEST or not number.isprintable():
        raise InputError("Give the number under which Microsoft keeps the case, as its support wrote it.")
    return number


def _require_waiting(ticket: Ticket, move: AgreementMove | None) -> AgreementMove:
    if ticket.kind is not TicketKind.REMAP_AGREEMENT or ticket.approved_by is None or move is None:
        raise ConflictError(f"Ticket {ticket.key} has nothing to ask of Microsoft yet; look at it again.")
    if move.moved_on is not None or ticket.has_ended:
        raise ConflictError(f"The seats of ticket {ticket.key} were moved already.")
    return move


def _event(identity: Identity, ticket: Ticket, move: AgreementMove, number: str, now: datetime) -> Event:
    return Event(
        at=now,
        actor=identity.actor,
        kind="ticket.case_filed",
        organisation=ticket.organisation_id,
        tenant=move.target,
        before=move.case_number,
        after=number,
        details={"ticket": ticket.ticket_id},
    )
