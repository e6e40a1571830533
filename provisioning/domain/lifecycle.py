"""Every state machine of the service: one enum each, one table of transitions, one function that advances."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from provisioning.domain.errors import TransitionError


class LineState(StrEnum):
    RECEIVED = "received"  # stored, not judged yet
    HELD = "held"  # a person must act; replayed by hand or when what it waits for arrives
    REJECTED = "rejected"  # a rule of the trade says no; an end
    RECORDED_ONLY = "recorded_only"  # kept, nothing to provision; an end
    ACCEPTED = "accepted"  # in the ledger, its operations are under way
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partially_completed"
    CANCELLED = "cancelled"


class OperationState(StrEnum):
    NEW = "new"
    AWAITING_CONSENT = "awaiting_consent"
    AWAITING_SEATS = "awaiting_seats"
    AWAITING_DATE = "awaiting_date"
    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    APPLYING = "applying"
    VERIFYING = "verifying"
    COMPLETED = "completed"
    PARTIALLY_COMPLETED = "partially_completed"  # an end; its waiting people stay on the list
    HELD = "held"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepState(StrEnum):
    PENDING = "pending"
    IN_FLIGHT = "in_flight"  # journalled, perhaps sent
    UNKNOWN = "unknown"  # sent, answer lost: observe before anything else
    APPLIED = "applied"  # Graph accepted; not yet read back
    VERIFIED = "verified"
    SKIPPED = "skipped"
    FAILED = "failed"


class SubjectState(StrEnum):
    PENDING = "pending"  # its steps are under way
    VERIFIED = "verified"
    ALREADY_RIGHT = "already_right"
    WAITING = "waiting"  # for a seat
    REFUSED = "refused"
    FAILED = "failed"
    CHANGED_MEANWHILE = "changed_meanwhile"


_L, _O, _S, _P = LineState, OperationState, StepState, SubjectState

LINE_TRANSITIONS: Mapping[LineState, frozenset[LineState]] = {
    _L.RECEIVED: frozenset({_L.HELD, _L.REJECTED, _L.RECORDED_ONLY, _L.ACCEPTED, _L.CANCELLED}),
    # HELD: another reason; RECEIVED: to be judged anew, by a process that has the rules in force
    _L.HELD: frozenset({_L.RECEIVED, _L.HELD, _L.REJECTED, _L.RECORDED_ONLY, _L.ACCEPTED, _L.CANCELLED}),
    # an operation may be held and released any number of times while its line stays accepted
    _L.ACCEPTED: frozenset({_L.COMPLETED, _L.PARTIALLY_COMPLETED, _L.CANCELLED}),
    _L.PARTIALLY_COMPLETED: frozenset({_L.COMPLETED}),  # the waiting people were served later
    _L.REJECTED: frozenset(),
    _L.RECORDED_ONLY: frozenset(),
    # a school that assigned by itself wants us to: its people are served anew, and some may have to wait
    _L.COMPLETED: frozenset({_L.PARTIALLY_COMPLETED}),
    _L.CANCELLED: frozenset(),
}

_WAITS = frozenset({_O.AWAITING_CONSENT, _O.AWAITING_SEATS, _O.AWAITING_DATE})
_STOPS = frozenset({_O.HELD, _O.FAILED, _O.CANCELLED})

OPERATION_TRANSITIONS: Mapping[OperationState, frozenset[OperationState]] = {
    _O.NEW: _WAITS | _STOPS | {_O.PLANNING},
    _O.AWAITING_CONSENT: _WAITS | _STOPS | {_O.PLANNING},
    _O.AWAITING_SEATS: _WAITS | _STOPS | {_O.PLANNING},
    _O.AWAITING_DATE: _WAITS | _STOPS | {_O.PLANNING},
    _O.PLANNING: _WAITS
    | _STOPS
    | {_O.AWAITING_APPROVAL, _O.APPLYING, _O.VERIFYING, _O.COMPLETED, _O.PARTIALLY_COMPLETED},
    _O.AWAITING_APPROVAL: _STOPS | {_O.APPLYING, _O.PLANNING},  # PLANNING: the approval or envelope became void
    # back to PLANNING when seats ran out or too many people changed; to consent when it was withdrawn (S11)
    _O.APPLYING: _STOPS | {_O.VERIFYING, _O.PLANNING, _O.AWAITING_APPROVAL, _O.AWAITING_CONSENT},
    _O.VERIFYING: _STOPS | {_O.APPLYING, _O.PLANNING, _O.AWAITING_CONSENT, _O.COMPLETED, _O.PARTIALLY_COMPLETED},
    _O.HELD: _WAITS | {_O.NEW, _O.PLANNING, _O.APPLYING, _O.VERIFYING, _O.CANCELLED, _O.FAILED},
    _O.COMPLETED: frozenset(),
    _O.PARTIALLY_COMPLETED: frozenset(),
    _O.FAILED: frozenset({_O.NEW}),  # an operator's retry, with a reason
    _O.CANCELLED: frozenset(),
}

STEP_TRANSITIONS: Mapping[StepState, frozenset[StepState]] = {
    # UNKNOWN: it was believed not to have arrived, and will not be sent again: looked at once more, later
    _S.PENDING: frozenset({_S.IN_FLIGHT, _S.SKIPPED, _S.FAILED, _S.UNKNOWN}),
    # PENDING: certainly refused for now (429, 409) or never sent
    _S.IN_FLIGHT: frozenset({_S.APPLIED, _S.PENDING, _S.UNKNOWN, _S.FAILED, _S.VERIFIED}),
    _S.UNKNOWN: frozenset({_S.APPLIED, _S.VERIFIED, _S.PENDING, _S.FAILED, _S.SKIPPED}),
    _S.APPLIED: frozenset({_S.VERIFIED, _S.FAILED}),
    _S.VERIFIED: frozenset(),
    _S.SKIPPED: frozenset(),
    _S.FAILED: frozenset(),
}

SUBJECT_TRANSITIONS: Mapping[SubjectState, frozenset[SubjectState]] = {
    _P.PENDING: frozenset(set(_P) - {_P.PENDING}),
    _P.WAITING: frozenset({_P.PENDING, _P.VERIFIED, _P.ALREADY_RIGHT}),
    _P.FAILED: frozenset({_P.FAILED}),  # a person's second step may fail as well
    **{state: frozenset() for state in _P if state not in {_P.PENDING, _P.WAITING, _P.FAILED}},
}

OPERATION_ENDS = frozenset({_O.COMPLETED, _O.PARTIALLY_COMPLETED, _O.FAILED, _O.CANCELLED})
OPERATION_WAITS = _WAITS
STEP_ENDS = frozenset({_S.VERIFIED, _S.SKIPPED, _S.FAILED})
WRITTEN_NOT_READ = frozenset({_S.IN_FLIGHT, _S.UNKNOWN, _S.APPLIED})  # or perhaps written: nobody knows yet

_State = TypeVar("_State", LineState, OperationState, StepState, SubjectState)
_TABLES: Mapping[type, Mapping[StrEnum, frozenset[StrEnum]]] = {
    LineState: LINE_TRANSITIONS,  # type: ignore[dict-item]  # Mapping is invariant in its key
    OperationState: OPERATION_TRANSITIONS,  # type: ignore[dict-item]  # the same
    StepState: STEP_TRANSITIONS,  # type: ignore[dict-item]  # the same
    SubjectState: SUBJECT_TRANSITIONS,  # type: ignore[dict-item]  # the same
}


def advance(current: _State, following: _State) -> _State:
    """Return the following state, or raise TransitionError when the table does not allow it."""
    if following not in _TABLES[type(current)][current]:
        raise TransitionError(f"{type(current).__name__} may not go from {current} to {following}")
    return following
