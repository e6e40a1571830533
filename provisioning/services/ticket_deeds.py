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
        intents = self._answers(moved, topics, now, counts, told, ask)
        saved = uow.tickets.save(msgspec.structs.replace(moved, answers=moved.answers + len(intents)))
        uow.outbox.add(intents)
        return saved

    def receive(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Ticket | None:
        """Add a new ticket, and say so. None when another process was first with the same reference."""
        intents = self._answers(ticket, (Topic.TICKET_RECEIVED,), now)
        numbered = msgspec.structs.replace(ticket, answers=len(intents))
        if not uow.tickets.add(numbered):
            return None
        uow.outbox.add(intents)
        uow.audit.record([_event(None, ticket, ticket.requested_by, now)])
        return numbered

    def _answers(
        self,
        ticket: Ticket,
        topics: Sequence[Topic],
        now: datetime,
        counts: Mapping[str, str] | None = None,
        notes: Sequence[str] = (),
        ask: Sequence[OrganisationId] = (),
    ) -> list[Intent]:
        """One for each topic and addressee, numbered on from those that were written before."""
        addressed = [(topic, one) for topic in topics for one in ask or (ticket.organisation_id,)]
        return [
            Intent(
                topic=topic,
                organisation_id=organisation,
                reference=ticket.reference,
                at=now,
                ticket_id=ticket.ticket_id,
                sequence=number,
                details=_codes(ticket) | dict(counts or {}) | self.say(topic, ticket.reason, ticket.missing, notes),
            )
            for number, (topic, organisation) in enumerate(addressed, start=ticket.answers + 1)
        ]


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
