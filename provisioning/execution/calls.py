"""Which writes travel in one call: people who join a group go twenty at a time, everybody else alone.

learn.microsoft.com, "Add members": up to 20 in one PATCH; if one of them cannot be added, none is.
"""

from collections.abc import Iterable, Iterator, Sequence
from uuid import uuid4

from provisioning.domain.ids import AttemptId
from provisioning.domain.operation import (
    MEMBERS_PER_CALL,
    Attempt,
    Operation,
    StepKind,
    StepRecord,
    call_of,
    place_in_call,
)
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease

Call = list[StepRecord]

# refused together, each is tried alone: only one of them may have been the cause
_ALONE = frozenset({Reason.MEMBER_ALREADY, Reason.NOT_FOUND, Reason.REQUEST_MALFORMED, Reason.GRAPH_OTHER})


def in_calls(records: Iterable[StepRecord]) -> list[Call]:
    """In order of their first. What was sent together and is sent again stays together, under the same id."""
    calls: list[Call] = []
    open_calls: dict[tuple[str | None, str | None], Call] = {}
    for record in records:
        key = _shared_by(record)
        call = open_calls.get(key) if key else None
        if call is None or len(call) == MEMBERS_PER_CALL:
            call = []
            calls.append(call)
            if key:
                open_calls[key] = call
        call.append(record)
    return calls


def _shared_by(record: StepRecord) -> tuple[str | None, str | None] | None:
    if record.step.kind is not StepKind.ADD_MEMBERS or record.reason in _ALONE:
        return None
    return record.step.change.group_id, call_of(record.last_attempt) if record.last_attempt else None


def attempts_of(operation: Operation, calls: Sequence[Call], lease: Lease) -> Iterator[Attempt]:
    """One per step, in their order."""
    for call in calls:
        yield from _attempts(operation, call, lease)


def _attempts(operation: Operation, call: Call, lease: Lease) -> Iterator[Attempt]:
    """One write, one id: what is sent again for a step goes under the id of the first time.

    A lost answer may have been a success that a lagging replica hid from us. Under one id, whichever of the two
    took effect, the record names it. Only who is tried alone, because the call for several was certainly refused,
    gets an id of their own.
    """
    fresh = str(uuid4())
    for place, record in enumerate(call, start=1):
        yield Attempt(
            attempt_id=_id_of(record, fresh, place if len(call) > 1 else None),
            step_id=record.step_id,
            operation_id=operation.operation_id,
            tenant_id=operation.tenant_id,
            subject_id=record.step.subject_id,
            kind=record.step.kind,
            change=record.step.change,
            fence=lease.fence,
            number=record.attempts + 1,
        )


def _id_of(record: StepRecord, fresh: str, place: int | None) -> AttemptId:
    if record.last_attempt and not (is_shared(record.last_attempt) and record.reason in _ALONE):
        return record.last_attempt
    return AttemptId(fresh) if place is None else place_in_call(fresh, place)


def is_shared(attempt: AttemptId) -> bool:
    """Whether the attempt travelled in a call for several people."""
    return call_of(attempt) != attempt
