"""A ticket ends without being carried out: a person of ours refuses it, or whoever brought it in takes it back."""

from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError, NotAllowedError
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, require
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.decisions import decide
from provisioning.services.find_ticket import get_ticket
from provisioning.services.ticket_deeds import TicketDeeds, require_words
from provisioning.services.ticket_work import TicketWork, Works


@dataclass(frozen=True, kw_only=True)
class CloseTicket:
    open_uow: OpenUnitOfWork
    clock: Clock
    deeds: TicketDeeds
    works: Works

    def reject(self, identity: Identity, named: str, reason: str) -> Ticket:
        """`reason` goes to the board: what it can ask instead; it names nobody. Raises ConflictError once approved."""
        require(identity, Action.REJECT_TICKET)
        return self._close(identity, named, TicketState.REJECTED, reason)

    def withdraw(self, identity: Identity, named: str, reason: str) -> Ticket:
        """As `reject`, by whoever brought it in. A client takes back its own."""
        require(identity, Action.WITHDRAW_TICKET)
        return self._close(identity, named, TicketState.WITHDRAWN, reason)

    def _close(self, identity: Identity, named: str, state: TicketState, reason: str) -> Ticket:
        words = require_words(reason, "A ticket that ends unheard needs a reason: what can the board do instead?")
        with self.open_uow() as uow:
            ticket = self._open(uow, identity, named)
        self.works[ticket.kind].look_before_end(ticket)
        return decide(self.open_uow, lambda uow: self._end(uow, identity, named, state, words))

    def _open(self, uow: UnitOfWork, identity: Identity, named: str) -> Ticket:
        ticket = get_ticket(uow, named, identity, dutch_day(self.clock.now()))
        _require_own(identity, ticket)
        _require_open(ticket, self.works[ticket.kind])
        return ticket

    def _end(self, uow: UnitOfWork, identity: Identity, named: str, state: TicketState, words: str) -> Ticket:
        now = self.clock.now()
        ticket = self._open(uow, identity, named)
        self.works[ticket.kind].close(uow, ticket, now)
        ending = msgspec.structs.replace(ticket, closing_words=words)
        return self.deeds.move(uow, ending, state, now, reason=Reason.TICKET_CLOSED, actor=identity.actor)


def _require_own(identity: Identity, ticket: Ticket) -> None:
    """Clients are programs: each takes back what it brought in, no more."""
    if not identity.is_person and identity.actor != ticket.requested_by:
        raise NotAllowedError(f"{identity.actor} did not bring in ticket {ticket.key}.")


def _require_open(ticket: Ticket, work: TicketWork) -> None:
    if ticket.has_ended:
        raise ConflictError(f"Ticket {ticket.key} has ended: it is {ticket.state.replace('_', ' ')}.")
    waits_outside = work.once_approved is TicketState.AWAITING_MICROSOFT
    if waits_outside and ticket.state in {TicketState.AWAITING_MICROSOFT, TicketState.HELD}:
        return  # Microsoft may say no, and a board may think better of it; its work says when that is too late
    if ticket.approved_by is not None or ticket.state is TicketState.RUNNING:
        raise ConflictError(
            f"Ticket {ticket.key} is being carried out; stop or undo its operations, and it ends with them."
        )
