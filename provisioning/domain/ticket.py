"""A ticket: a board asks for a remap, in fields. What it says in free text is kept apart and never interpreted."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.errors import TransitionError
from provisioning.domain.ids import Actor, OrganisationId, TicketId
from provisioning.domain.reasons import Reason


class TicketKind(StrEnum):
    CHANGE_SKU = "change_sku"  # people get another product in their tenant
    REMAP_HOLDER = "remap_holder"  # who pays: ledger only, same tenant, same product
    REMAP_AGREEMENT = "remap_agreement"  # Microsoft moves whole agreements to another tenant; we prepare and follow
    MOVE_SCHOOL = "move_school"  # becomes a migration
    REBIND = "rebind"  # organisation → tenant, or who of it gets seats
    SERVICE_PLAN_POLICY = "service_plan_policy"  # plans that a school wants off, or on


# what they come to is approved piece by piece, where it is carried out
APPROVED_ELSEWHERE = frozenset({TicketKind.MOVE_SCHOOL})


class TicketState(StrEnum):
    RECEIVED = "received"
    INCOMPLETE = "incomplete"  # everything missing was asked back, in one message
    AWAITING_AUTHORITY = "awaiting_authority"  # whoever asked may not ask this; the signatory is asked
    ASSESSING = "assessing"  # its operations look at the tenants and draw their plans
    AWAITING_APPROVAL = "awaiting_approval"  # the assessment lies ready for the person who decides
    RUNNING = "running"
    AWAITING_MICROSOFT = "awaiting_microsoft"  # remap_agreement: seats are to leave one tenant and arrive in another
    HELD = "held"  # a person of ours must act
    COMPLETED = "completed"  # carried out, read back, answered; an end
    PARTIALLY_COMPLETED = "partially_completed"  # the same, with a list of who could not be served; an end
    REJECTED = "rejected"  # impossible or refused, with what to ask instead; an end
    WITHDRAWN = "withdrawn"  # by whoever asked, before anything was done; an end


_T = TicketState
_OPEN = frozenset({_T.HELD, _T.REJECTED, _T.WITHDRAWN})

TICKET_TRANSITIONS: Mapping[TicketState, frozenset[TicketState]] = {
    _T.RECEIVED: _OPEN | {_T.INCOMPLETE, _T.AWAITING_AUTHORITY, _T.ASSESSING},
    _T.INCOMPLETE: _OPEN | {_T.RECEIVED},
    _T.AWAITING_AUTHORITY: _OPEN | {_T.RECEIVED},
    # AWAITING_AUTHORITY: a declaration was revoked meanwhile; an end: what was redrawn after its approval needs nothing
    _T.ASSESSING: _OPEN | {_T.AWAITING_AUTHORITY, _T.AWAITING_APPROVAL, _T.COMPLETED, _T.PARTIALLY_COMPLETED},
    _T.AWAITING_APPROVAL: _OPEN
    | {_T.ASSESSING, _T.AWAITING_AUTHORITY, _T.RUNNING, _T.AWAITING_MICROSOFT, _T.COMPLETED},
    _T.RUNNING: frozenset({_T.HELD, _T.ASSESSING, _T.COMPLETED, _T.PARTIALLY_COMPLETED}),
    _T.AWAITING_MICROSOFT: frozenset({_T.HELD, _T.RUNNING, _T.WITHDRAWN, _T.REJECTED}),
    _T.HELD: frozenset(
        {_T.RECEIVED, _T.ASSESSING, _T.RUNNING, _T.AWAITING_MICROSOFT, _T.REJECTED, _T.WITHDRAWN, _T.COMPLETED}
        | {_T.PARTIALLY_COMPLETED}
    ),
    _T.COMPLETED: frozenset(),
    _T.PARTIALLY_COMPLETED: frozenset({_T.RUNNING}),  # seats arrived for who waited
    _T.REJECTED: frozenset(),
    _T.WITHDRAWN: frozenset(),
}

TICKET_ENDS = frozenset({_T.COMPLETED, _T.PARTIALLY_COMPLETED, _T.REJECTED, _T.WITHDRAWN})


def advance_ticket(current: TicketState, following: TicketState) -> TicketState:
    """Return the following state, or raise TransitionError when the table does not allow it."""
    if following not in TICKET_TRANSITIONS[current]:
        raise TransitionError(f"TicketState may not go from {current} to {following}")
    return following


class TicketForm(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as it was brought in: everything that is there is right, some of it may still be missing.

    `given`: fields of the wish by name, as plain values. `text` is never interpreted.
    """

    reference: str
    kind: TicketKind
    organisation_id: OrganisationId | None = None
    source: str | None = None
    requester: str | None = None
    given: dict[str, object] = {}
    text: str | None = None


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a board, and where it stands.

    `requested_by` brought it in; `requester` refers to who asks at the board (a contact's number, no name).
    `board_id`: the board whose own token brought it in, if one did. `digest`: of exactly what is, or was, to be
    approved. `due_at`: when the sweep looks at it again. `answers`: how many were written so far.
    """

    ticket_id: TicketId
    source: str
    reference: str
    kind: TicketKind
    organisation_id: OrganisationId
    requested_by: Actor
    authors: tuple[Actor, ...]  # whoever wrote some of it, `requested_by` first: none of them approves it
    board_id: OrganisationId | None = None
    requester: str | None = None
    given: dict[str, object] = {}
    missing: tuple[str, ...] = ()
    state: TicketState = TicketState.RECEIVED
    reason: Reason | None = None
    digest: str | None = None
    grounded_by: tuple[Actor, ...] = ()  # had a hand in what it rests on: none of them approves it either
    approved_by: Actor | None = None
    approved_at: datetime | None = None
    closing_words: str | None = None  # why a person rejected or withdrew it; it names nobody
    created_at: datetime
    entered_at: datetime
    due_at: datetime | None = None
    answers: int = 0
    version: int = 0

    @property
    def key(self) -> str:
        """How its desk calls it, and how a mandate for this ticket alone names it."""
        return f"{self.source}/{self.reference}"

    @property
    def last_person(self) -> Actor:
        """Where one name has to stand for all its authors: the last person among them, or who brought it in."""
        persons = [author for author in self.authors if author.startswith("person:")]
        return persons[-1] if persons else self.requested_by

    @property
    def cause(self) -> str:
        """How ledger entries, policies and migrations say that they come of it."""
        return f"ticket {self.key}"

    @property
    def has_ended(self) -> bool:
        return self.state in TICKET_ENDS


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a board was to be told about its ticket: one message per fact, numbered from 1, never gathered.

    `sent_at`: when it was handed over to go to whoever listens.
    """

    ticket_id: TicketId
    sequence: int
    topic: str
    organisation_id: OrganisationId
    reference: str
    at: datetime
    details: dict[str, str] = {}
    sent_at: datetime | None = None
