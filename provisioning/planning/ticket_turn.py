"""Where a ticket goes next, from where its work stands. Pure: the same standing always gives the same turn."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from enum import StrEnum

import msgspec

from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import APPROVED_ELSEWHERE, Ticket, TicketState


class Progress(StrEnum):
    DRAWING = "drawing"  # plans are still being made
    DRAWN = "drawn"  # all of it lies ready for whoever decides
    AT_MICROSOFT = "at_microsoft"  # seats are to leave one tenant and arrive in another
    RUNNING = "running"
    STUCK = "stuck"  # a person must act, for a reason
    ENDED = "ended"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the work of a ticket stands.

    `digest`: of exactly what is to be approved, once drawn. `counts`: what a board may be told, by name, and `notes`:
    codes of sentences that it must read with them. `is_whole`: of what ended, whether everybody was served.
    """

    progress: Progress
    reason: Reason | None = None
    digest: str | None = None
    counts: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    is_whole: bool = True

    @property
    def lies_ready(self) -> bool:
        """Whether whoever decides can be shown all that it comes to."""
        return self.progress is Progress.DRAWN


class Turn(msgspec.Struct, frozen=True):
    state: TicketState
    reason: Reason | None = None


# Who waits for a person or for records is looked at less often than what works by itself.
_PATIENCE = {TicketState.AWAITING_AUTHORITY: 720, TicketState.AWAITING_APPROVAL: 12, TicketState.HELD: 12}
_WORKED_ON = frozenset(
    {
        TicketState.ASSESSING,
        TicketState.AWAITING_APPROVAL,
        TicketState.AWAITING_MICROSOFT,
        TicketState.RUNNING,
        TicketState.HELD,
    }
)
_AT_WORK = frozenset({OperationState.APPLYING, OperationState.VERIFYING})
_STUCK = frozenset({OperationState.HELD, OperationState.FAILED})


def progress_of(operations: Iterable[Operation], decidable: Collection[OperationId]) -> tuple[Progress, Reason | None]:
    """Of several operations the least advanced counts; one that is stuck holds up them all."""
    found = {_progress(operation, decidable): operation for operation in operations}
    for progress in (Progress.STUCK, Progress.DRAWING, Progress.DRAWN, Progress.RUNNING):
        if progress in found:
            return progress, found[progress].reason if progress is Progress.STUCK else None
    return Progress.ENDED, None


def _progress(operation: Operation, decidable: Collection[OperationId]) -> Progress:
    if operation.state in _STUCK:
        return Progress.STUCK
    if operation.state in OPERATION_ENDS:
        return Progress.ENDED
    if operation.state in _AT_WORK:
        return Progress.RUNNING
    is_drawn = operation.state is OperationState.AWAITING_APPROVAL and operation.operation_id in decidable
    return Progress.DRAWN if is_drawn else Progress.DRAWING


def looked_at_after(state: TicketState, poll: timedelta) -> timedelta:
    """How long a ticket that stayed where it is may wait for the next look, when a running one waits `poll`."""
    return poll * _PATIENCE.get(state, 1)


def next_turn(ticket: Ticket, standing: Standing) -> Turn | None:
    """None: it stays where it is."""
    turn = _turn(ticket, standing)
    return None if turn == Turn(ticket.state, ticket.reason) else turn


def _turn(ticket: Ticket, standing: Standing) -> Turn | None:
    if standing.progress is Progress.STUCK and ticket.state in _WORKED_ON:
        return Turn(TicketState.HELD, standing.reason)
    match ticket.state:
        case TicketState.ASSESSING:
            return _assessed(ticket, standing)
        case TicketState.AWAITING_APPROVAL:
            return _still_to_be_approved(ticket, standing)
        case TicketState.AWAITING_MICROSOFT:
            return _waited(standing)
        case TicketState.RUNNING:
            return _carried_out(ticket, standing)
        case TicketState.HELD:
            return _resumed(ticket, standing)
        case _:
            return None


def _assessed(ticket: Ticket, standing: Standing) -> Turn | None:
    if standing.progress is Progress.DRAWN:
        return Turn(TicketState.AWAITING_APPROVAL)
    return _ended(ticket, standing) if standing.progress is Progress.ENDED else None


def _still_to_be_approved(ticket: Ticket, standing: Standing) -> Turn | None:
    """What was shown must be what is there: anything else is assessed anew."""
    is_same = standing.progress is Progress.DRAWN and standing.digest == ticket.digest
    return None if is_same else Turn(TicketState.ASSESSING)


def _waited(standing: Standing) -> Turn:
    """The reason says what a person has to do for it, if anything."""
    is_there = standing.progress is not Progress.AT_MICROSOFT
    return Turn(TicketState.RUNNING) if is_there else Turn(TicketState.AWAITING_MICROSOFT, standing.reason)


def _carried_out(ticket: Ticket, standing: Standing) -> Turn | None:
    if standing.progress is Progress.ENDED:
        return _ended(ticket, standing)
    # too many people changed meanwhile, or an approval grew old: what is drawn anew is decided anew
    return Turn(TicketState.ASSESSING) if standing.progress is Progress.DRAWN else None


def _resumed(ticket: Ticket, standing: Standing) -> Turn:
    if standing.progress is Progress.AT_MICROSOFT:
        return Turn(TicketState.AWAITING_MICROSOFT, standing.reason)
    if standing.progress is Progress.ENDED:
        return _ended(ticket, standing)
    is_at_work = standing.progress is Progress.RUNNING and _was_let(ticket)
    return Turn(TicketState.RUNNING if is_at_work else TicketState.ASSESSING)


def _ended(ticket: Ticket, standing: Standing) -> Turn:
    """What ended without anybody having approved it had nothing in it to be approved."""
    if not _was_let(ticket):
        return Turn(TicketState.REJECTED, Reason.NOTHING_TO_CHANGE)
    return Turn(TicketState.COMPLETED if standing.is_whole else TicketState.PARTIALLY_COMPLETED)


def _was_let(ticket: Ticket) -> bool:
    return ticket.approved_by is not None or ticket.kind in APPROVED_ELSEWHERE
