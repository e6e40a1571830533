"""A line follows its operations: when the last of them ends, so does the line, in the same transaction."""

from collections.abc import Iterable
from datetime import datetime

from provisioning.domain.ids import LineKey, TenantId
from provisioning.domain.lifecycle import LINE_TRANSITIONS, LineState, OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.worklist import Intent, Topic
from provisioning.ports import UnitOfWork
from provisioning.services.line_deeds import line_event

_O = OperationState
_SERVED = frozenset({_O.COMPLETED, _O.PARTIALLY_COMPLETED})
_SETTLED = _SERVED | {_O.CANCELLED, _O.FAILED}


def settle_line(uow: UnitOfWork, key: LineKey, now: datetime) -> LineState | None:
    """The state that the line enters, or None when nothing changed: parts are under way, or all wait for a person."""
    line = uow.orders.find(key)
    if line is None:
        return None
    state = end_of(uow.operations.list_by(line=key))
    if state is None or state not in LINE_TRANSITIONS[line.state]:
        return None
    holder = uow.operations.list_by(line=key)[0].wish.holder_id
    uow.orders.set_state(key, state, None, now, line.warnings)
    uow.audit.record([line_event(line, state, now, organisation=holder)])
    uow.outbox.add([Intent(topic=Topic(f"order_{state}"), organisation_id=holder, reference=str(key), at=now)])
    return state


def end_of(operations: Iterable[Operation]) -> LineState | None:
    """What the operations make of their line; the latest in each tenant counts, since new seats start a new one."""
    states = set(_latest(operations).values())
    if not states or not states <= _SETTLED or states == {_O.FAILED}:
        return None  # what failed may be tried again: the line stays on the work list
    if states == {_O.COMPLETED}:
        return LineState.COMPLETED
    return LineState.PARTIALLY_COMPLETED if states & _SERVED else LineState.CANCELLED


def _latest(operations: Iterable[Operation]) -> dict[TenantId, OperationState]:
    ordered = sorted(operations, key=lambda operation: operation.created_at)
    return {operation.tenant_id: operation.state for operation in ordered}
