"""The current plan of an operation as a person may judge it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.planning.forecast import Work, writes_in
from provisioning.planning.plan import Envelope
from provisioning.planning.render import People, PlanSheet
from provisioning.ports import Clock, OpenUnitOfWork, PlanRecord, UnitOfWork
from provisioning.services.lookup import get_operation

_WRITING = frozenset({OperationState.APPLYING, OperationState.VERIFYING})


@dataclass(frozen=True, kw_only=True)
class ShowPlan:
    open_uow: OpenUnitOfWork
    clock: Clock
    foretell: Callable[[Work | None], Mapping[OperationId, datetime]]

    def __call__(self, named: str) -> PlanSheet:
        """`named`: the operation. Raises InputError when it has no plan."""
        with self.open_uow() as uow:
            operation = get_operation(uow, named)
            record = current_plan(uow, operation)
            people = People.count(uow.journal.subjects(operation.operation_id))
        sheet = to_sheet(operation, record, people, self.clock.now())
        return msgspec.structs.replace(sheet, writes_done_at=self._done_at(operation, sheet))

    def _done_at(self, operation: Operation, sheet: PlanSheet) -> datetime | None:
        """Of a plan that waits: if it were approved now. None when nobody is going to write by it."""
        if operation.state in _WRITING:
            return self.foretell(None).get(operation.operation_id)
        if not sheet.awaits_approval:
            return None
        writes = writes_in(sheet.envelope.counts)
        work = Work(operation.operation_id, operation.tenant_id, writes)
        return self.foretell(work).get(operation.operation_id)


def current_plan(uow: UnitOfWork, operation: Operation) -> PlanRecord:
    """The latest plan of the operation; raises InputError when none was drawn."""
    record = uow.plans.current(operation.operation_id)
    if record is None:
        raise InputError(f"Operation {operation.operation_id} is {operation.state} and has no plan.")
    return record


def awaits_approval(operation: Operation, record: PlanRecord, now: datetime) -> bool:
    """Whether a person can still decide about this plan."""
    is_open = record.approved_by is None and record.rejected_by is None and record.void_reason is None
    return is_open and operation.state is OperationState.AWAITING_APPROVAL and now < record.valid_until


def to_sheet(operation: Operation, record: PlanRecord, people: People, now: datetime) -> PlanSheet:
    """The plan as its reader sees it now."""
    return PlanSheet(
        plan_id=record.plan_id,
        digest=record.digest,
        envelope=msgspec.json.decode(record.envelope, type=Envelope),
        drawn_at=record.drawn_at,
        observed_at=record.observed_at,
        valid_until=record.valid_until,
        standing=_standing(operation, record, now),
        awaits_approval=awaits_approval(operation, record, now),
        breaches=record.guard_breaches,
        people=people,
    )


def _standing(operation: Operation, record: PlanRecord, now: datetime) -> str:
    if record.void_reason is not None:
        return f"Void: {record.void_reason}."
    if record.rejected_by is not None:
        return f"Rejected by {record.rejected_by}."
    if record.break_glass_reason is not None:
        return f"Approved by {record.approved_by} alone: {record.break_glass_reason}"
    if record.approved_by is not None:
        return f"Approved by {record.approved_by}."
    if not record.guard_breaches:
        return f"Within all limits: it applies by itself (the operation is {operation.state})."
    if now >= record.valid_until:
        return "Too old to approve: it is drawn anew."
    return f"Asked for by {record.requested_by}; waits for an approver who is somebody else."
