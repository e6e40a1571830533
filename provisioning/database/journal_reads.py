"""What the journal is asked: which steps are next, where each stands."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from provisioning.database.tables.journal import steps, subjects
from provisioning.database.tables.operations import plans
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import StepState
from provisioning.domain.operation import Step, StepKind, StepRecord

_earlier = steps.alias("earlier")
_is_done = _earlier.c.state.in_([StepState.APPLIED, StepState.VERIFIED])
_waits_for_another = exists().where(
    _earlier.c.plan_id == steps.c.plan_id,
    _earlier.c.subject_id == steps.c.subject_id,
    _earlier.c.sequence < steps.c.sequence,
    ~_is_done,
)


def records() -> Select[Any]:
    """Steps with what their person brings along."""
    is_theirs = (subjects.c.operation_id == steps.c.operation_id) & (subjects.c.subject_id == steps.c.subject_id)
    person = (subjects.c.before, subjects.c.pseudonym, subjects.c.organisation_id)
    return select(steps, *person).join_from(steps, subjects, is_theirs)


def next_steps(operation: OperationId, now: datetime, limit: int) -> Select[Any]:
    is_due = or_(steps.c.not_before.is_(None), steps.c.not_before <= now)
    pending = records().where(steps.c.operation_id == operation, steps.c.state == StepState.PENDING, is_due)
    return pending.where(_is_of_current_plan(operation), ~_waits_for_another).order_by(steps.c.position).limit(limit)


def next_due(operation: OperationId) -> Select[Any]:
    """The earliest moment at which something can be done: pending steps whose turn it is, and unknown ones."""
    is_next = (steps.c.state == StepState.PENDING) & plans.c.void_reason.is_(None) & ~_waits_for_another
    query = select(func.min(func.coalesce(steps.c.not_before, plans.c.drawn_at)))
    of_operation = query.join_from(steps, plans, plans.c.plan_id == steps.c.plan_id)
    return of_operation.where(steps.c.operation_id == operation, or_(is_next, steps.c.state == StepState.UNKNOWN))


def record_of(row: dict[str, Any]) -> StepRecord:
    step = Step(
        position=row["position"],
        subject_id=row["subject_id"],
        kind=StepKind(row["kind"]),
        change=row["change"],
        sequence=row["sequence"],
        reason=row["explanation"],
    )
    return msgspec.convert(row | {"step": step}, StepRecord)


def _is_of_current_plan(operation: OperationId) -> ColumnElement[bool]:
    current = select(plans.c.plan_id).where(plans.c.operation_id == operation, plans.c.void_reason.is_(None))
    return steps.c.plan_id == current.scalar_subquery()
