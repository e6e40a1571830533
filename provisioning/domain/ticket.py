"""A ticket: a board asks for a remap, in fields. What it says in free text is kept apart and never interpreted."""

from collections.abc import Mapping
from enum import StrEnum

from provisioning.domain.errors import TransitionError


class TicketKind(StrEnum):
    CHANGE_SKU = "change_sku"  # people get another product in their tenant
    REMAP_HOLDER = "remap_holder"  # who pays: ledger only, same tenant, same product
    REMAP_AGREEMENT = "remap_agreement"  # Microsoft moves whole agreements to another tenant; we prepare and follow
    MOVE_SCHOOL = "move_school"  # becomes a migration
    REBIND = "rebind"  # organisation → tenant, or who of it gets seats
    SERVICE_PLAN_POLICY = "service_plan_policy"  # plans that a school wants off, or on


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
    _T.ASSESSING: _OPEN | {_T.AWAITING_AUTHORITY, _T.AWAITING_APPROVAL},  # a declaration was revoked meanwhile
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
