"""Tickets come in: by file, from a desk, from a board's own programs. The same again has no effect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError
from provisioning.domain.events import Event
from provisioning.domain.ids import OrganisationId, TicketId
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, require
from provisioning.domain.ticket import Ticket, TicketForm, TicketState
from provisioning.domain.ticket_wishes import missing_in
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.decisions import decide
from provisioning.services.find_ticket import get_ticket
from provisioning.services.ticket_deeds import TicketDeeds

_FILES = "file"  # the source of what persons bring in, unless they say where it came from
_ANSWERED_WITH_FIELDS = frozenset({Reason.PEOPLE_NOT_THERE})  # what holds it may be a number that the board can give


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    ticket: Ticket
    is_new: bool
    is_continued: bool = False


@dataclass(frozen=True, kw_only=True)
class SubmitTickets:
    open_uow: OpenUnitOfWork
    clock: Clock
    deeds: TicketDeeds
    advance: Callable[[TicketId], Ticket]

    def __call__(self, identity: Identity, forms: Sequence[TicketForm]) -> list[Submitted]:
        """Whole or not at all. Raises NotAllowedError, InputError, or ConflictError for a reference that says else.

        A ticket that lacks something, and comes again with it, goes on.
        """
        require(identity, Action.SUBMIT_TICKETS)
        taken = decide(self.open_uow, lambda uow: [self._take(uow, identity, form) for form in forms])
        return [self._advanced(one) for one in taken]

    def complete(self, identity: Identity, named: str, form: TicketForm) -> Submitted:
        """Fields that were missing, or free text. Raises ConflictError for what says something else than before."""
        require(identity, Action.SUBMIT_TICKETS)
        return self._advanced(decide(self.open_uow, lambda uow: self._complete(uow, identity, named, form)))

    def _complete(self, uow: UnitOfWork, identity: Identity, named: str, form: TicketForm) -> Submitted:
        ticket = get_ticket(uow, named, identity, dutch_day(self.clock.now()))
        return self._continue(uow, identity, ticket, form)

    def _take(self, uow: UnitOfWork, identity: Identity, form: TicketForm) -> Submitted:
        ticket = _ticket(uow, identity, form, self.clock.now())
        received = self.deeds.receive(uow, ticket, ticket.created_at)
        if received is not None:
            self._keep_text(uow, received, form)
            return Submitted(ticket=received, is_new=True)
        known = uow.tickets.find_by_reference(ticket.source, ticket.reference)
        if known is None or known.board_id != ticket.board_id or known.organisation_id != ticket.organisation_id:
            raise _differs(ticket.key, "organisation")
        return self._continue(uow, identity, known, form)

    def _continue(self, uow: UnitOfWork, identity: Identity, ticket: Ticket, form: TicketForm) -> Submitted:
        _require_same(ticket, form)
        self._keep_text(uow, ticket, form)
        news = {name: value for name, value in form.given.items() if name not in ticket.given}
        requester = ticket.requester or form.requester
        if not news and requester == ticket.requester:
            return Submitted(ticket=ticket, is_new=False)
        if ticket.state is not TicketState.INCOMPLETE and ticket.reason not in _ANSWERED_WITH_FIELDS:
            raise _differs(ticket.key, ", ".join(news) or "requester")
        given = ticket.given | news
        continued = msgspec.structs.replace(
            ticket,
            given=given,
            requester=requester,
            missing=missing_in(ticket.kind, given, requester),
            authors=tuple(dict.fromkeys([*ticket.authors, identity.actor])),
        )
        uow.audit.record([_completed(continued, identity, news, self.clock.now())])
        moved = self.deeds.move(uow, continued, TicketState.RECEIVED, self.clock.now(), actor=identity.actor)
        return Submitted(ticket=moved, is_new=False, is_continued=True)

    def _keep_text(self, uow: UnitOfWork, ticket: Ticket, form: TicketForm) -> None:
        if form.text:
            uow.tickets.keep_text(ticket.ticket_id, form.text, self.clock.now())

    def _advanced(self, taken: Submitted) -> Submitted:
        if not (taken.is_new or taken.is_continued):
            return taken
        return msgspec.structs.replace(taken, ticket=self.advance(taken.ticket.ticket_id))


def _ticket(uow: UnitOfWork, identity: Identity, form: TicketForm, now: datetime) -> Ticket:
    return Ticket(
        ticket_id=TicketId(str(uuid4())),
        source=_source(identity, form),
        reference=form.reference,
        kind=form.kind,
        organisation_id=_organisation(uow, identity, form),
        requested_by=identity.actor,
        authors=(identity.actor,),
        board_id=identity.board_id if Role.BOARD in identity.roles else None,
        requester=form.requester,
        given=dict(form.given),
        missing=missing_in(form.kind, form.given, form.requester),
        created_at=now,
        entered_at=now,
        due_at=now,
    )


def _source(identity: Identity, form: TicketForm) -> str:
    """A client is its own source: nobody writes, or guesses at, references of another's."""
    return (form.source or _FILES) if identity.is_person else identity.actor.partition(":")[2]


def _organisation(uow: UnitOfWork, identity: Identity, form: TicketForm) -> OrganisationId:
    is_board = Role.BOARD in identity.roles
    organisation = form.organisation_id or (identity.board_id if is_board else None)
    if organisation is None:
        raise InputError(f"Ticket {form.reference} does not say which organisation it is about: fill in organisation.")
    if is_board and organisation != identity.board_id:
        raise NotAllowedError(f"{identity.actor} speaks for board {identity.board_id}, not for {organisation}.")
    if uow.organisations.find(organisation) is None:
        raise InputError(
            f"Ticket {form.reference} is about organisation {organisation}, which is not known; "
            "`provisioning organisations import` brings it in."
        )
    return organisation


def _require_same(ticket: Ticket, form: TicketForm) -> None:
    """What both say must be the same; what only one of them says is no difference."""
    other = [name for name, value in form.given.items() if ticket.given.get(name, value) != value]
    if form.kind is not ticket.kind:
        other.append("kind")
    if form.organisation_id is not None and form.organisation_id != ticket.organisation_id:
        other.append("organisation")
    if form.requester and ticket.requester and form.requester != ticket.requester:
        other.append("requester")
    if other:
        raise _differs(ticket.key, ", ".join(other))


def _differs(key: str, fields: str) -> ConflictError:
    return ConflictError(
        f"Ticket {key} is here already and says something else ({fields}). Withdraw it, or give the new one "
        "a reference of its own."
    )


def _completed(ticket: Ticket, identity: Identity, news: dict[str, object], now: datetime) -> Event:
    return Event(
        at=now,
        actor=identity.actor,
        kind="ticket.filled_in",
        organisation=ticket.organisation_id,
        details={"ticket": ticket.ticket_id, "fields": " ".join(sorted(news))},
    )
