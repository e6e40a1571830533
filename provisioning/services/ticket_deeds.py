"""The one act that moves a ticket: its state, the audit line, what the board is told, in the caller's transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, Actor, OrganisationId
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import TICKET_ENDS, Ticket, TicketState, advance_ticket
from provisioning.domain.worklist import Intent, Topic
from provisioning.planning.ticket_turn import Standing
from provisioning.ports import UnitOfWork

Say = Callable[[Topic, Reason | None, Sequence[str], Sequence[str]], dict[str, str]]
"""A message in each language: of a topic, a reason, fields that are missing, and notes."""

_TOLD: Mapping[TicketState, tuple[Topic, ...]] = {
    TicketState.INCOMPLETE: (Topic.TICKET_ASKED_BACK,),
    TicketState.AWAITING_AUTHORITY: (Topic.TICKET_AUTHORITY_ASKED,),
    TicketState.AWAITING_APPROVAL: (Topic.TICKET_ASSESSED,),
    TicketState.HELD: (Topic.TICKET_WAITING,),
    TicketState.AWAITING_MICROSOFT: (Topic.TICKET_WAITING,),
    TicketState.COMPLETED: (Topic.TICKET_COMPLETED,),
    TicketState.PARTIALLY_COMPLETED: (Topic.TICKET_PARTIALLY_COMPLETED,),
    TicketState.REJECTED: (Topic.TICKET_REJECTED,),
    TicketState.WITHDRAWN: (Topic.TICKET_WITHDRAWN,),
}
_GO_ON = frozenset(set(TicketState) - TICKET_ENDS - {TicketState.INCOMPLETE})
_APPROVED = (Topic.TICKET_APPROVED, Topic.TICKET_STARTED)


@dataclass(frozen=True, kw_only=True)
class TicketDeeds:
    """`say` finds the words of an answer."""

    say: Say

    def move(
        self,
        uow: UnitOfWork,
        ticket: Ticket,
        state: TicketState,
        now: datetime,
        *,
        reason: Reason | None = None,
        actor: Actor = SYSTEM,
        standing: Standing | None = None,
        ask: Sequence[OrganisationId] = (),
        notes: Sequence[str] = (),
    ) -> Ticket:
        """Bring it into `state`. Raises TransitionError, or ConflictError when it moved meanwhile.

        `standing`: what its answer counts. `ask`: who is told in the place of the ticket's own organisation.
        """
        if state is not ticket.state:
            advance_ticket(ticket.state, state)
        moved = msgspec.structs.replace(
            ticket, state=state, reason=reason, entered_at=now, due_at=now if state in _GO_ON else None
        )
        if standing is not None and state is TicketState.AWAITING_APPROVAL:
            moved = msgspec.structs.replace(moved, digest=standing.digest)
        uow.audit.record([_event(ticket, moved, actor, now)])
        counts = {} if standing is None else standing.counts
        told = (*notes, *(standing.notes if standing is not None else ()))
        topics = () if _was_told(ticket, moved) else _topics(ticket, moved)
        return uow.tickets.save(self._told(uow, moved, topics, now, counts, told, ask))

    def receive(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Ticket | None:
        """Add a new ticket, and say so. None when another process was first with the same reference."""
        numbered = msgspec.structs.replace(ticket, answers=1)
        if not uow.tickets.add(numbered):
            return None
        self._told(uow, ticket, (Topic.TICKET_RECEIVED,), now, {}, (), ())
        uow.audit.record([_event(None, ticket, ticket.requested_by, now)])
        return numbered

    def _told(
        self,
        uow: UnitOfWork,
        ticket: Ticket,
        topics: Sequence[Topic],
        now: datetime,
        counts: Mapping[str, str],
        notes: Sequence[str],
        ask: Sequence[OrganisationId],
    ) -> Ticket:
        """The ticket, with its answers counted."""
        number = ticket.answers
        for topic in topics:
            details = _codes(ticket) | dict(counts) | self.say(topic, ticket.reason, ticket.missing, notes)
            for organisation in ask or (ticket.organisation_id,):
                number += 1
                intent = Intent(
                    topic=topic,
                    organisation_id=organisation,
                    reference=ticket.reference,
                    at=now,
                    ticket_id=ticket.ticket_id,
                    sequence=number,
                    details=details,
                )
                uow.outbox.add([intent])
        return msgspec.structs.replace(ticket, answers=number)


def require_words(words: str, question: str) -> str:
    """What a person gives as a reason, trimmed; raises InputError when there is none."""
    if not words.strip():
        raise InputError(question)
    return words.strip()


def _topics(before: Ticket, after: Ticket) -> tuple[Topic, ...]:
    if after.state is TicketState.AWAITING_MICROSOFT and before.state is TicketState.AWAITING_APPROVAL:
        return (Topic.TICKET_APPROVED, *_TOLD[after.state])
    if after.state is TicketState.RUNNING:
        return _APPROVED if before.state is TicketState.AWAITING_APPROVAL else (Topic.TICKET_STARTED,)
    return _TOLD.get(after.state, ())


def _was_told(before: Ticket, after: Ticket) -> bool:
    """An assessment that came out as it did before, or a wait that goes on, is no news; neither is going on again."""
    if after.state is TicketState.AWAITING_APPROVAL:
        return before.digest == after.digest
    if after.state is TicketState.AWAITING_MICROSOFT and after.reason is not None:
        return True  # what one of ours has to do is no news to a board
    if after.state is TicketState.AWAITING_MICROSOFT and before.state is TicketState.HELD:
        return True
    is_approved = before.approved_at is not None
    return after.state is TicketState.RUNNING and before.state is TicketState.HELD and is_approved


def _codes(ticket: Ticket) -> dict[str, str]:
    """What a desk's program reads."""
    codes = {"state": ticket.state.value}
    if ticket.reason is not None:
        codes["reason"] = ticket.reason.value
    if ticket.closing_words:
        codes["words"] = ticket.closing_words
    if ticket.missing:
        codes["missing"] = " ".join(ticket.missing)
    return codes


def _event(before: Ticket | None, after: Ticket, actor: Actor, now: datetime) -> Event:
    digest = {"digest": after.digest} if after.digest else {}
    return Event(
        at=now,
        actor=actor,
        kind=f"ticket.{after.state}",
        organisation=after.organisation_id,
        before=None if before is None else before.state.value,
        after=after.state.value,
        reason=after.reason,
        details={"ticket": after.ticket_id, "kind": after.kind.value, **digest},
    )
