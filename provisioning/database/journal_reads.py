"""What the journal is asked: which steps are next, where each stands."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    Numeric,
    ScalarSelect,
    Select,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from provisioning.database.tables.journal import steps, subjects
from provisioning.database.tables.operations import WRITING, operations, plans
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import StepState
from provisioning.domain.operation import MEMBERS_PER_CALL, Step, StepKind, StepRecord

_earlier = steps.alias("earlier")
_waits_for_another = exists().where(
    _earlier.c.plan_id == steps.c.plan_id,
    _earlier.c.subject_id == steps.c.subject_id,
    _earlier.c.sequence < steps.c.sequence,
    _earlier.c.state != StepState.VERIFIED,
    # what a licence needs besides may be on its way: Graph checks it again when it gives the licence
    ~((_earlier.c.kind == StepKind.SET_USAGE_LOCATION) & (_earlier.c.state == StepState.APPLIED)),
)
# Nearly all steps are the first of their person: the second half is seldom asked.
_has_its_turn = or_(steps.c.sequence == 0, ~_waits_for_another)


def records(which: ColumnElement[bool], order_by: str = "position", limit: int | None = None) -> Select[Any]:
    """Steps, each with what its person brings along: found first, then joined, whatever the planner may think."""
    found = select(steps).where(which).order_by(steps.c[order_by]).limit(limit).cte("found").prefix_with("MATERIALIZED")
    is_theirs = (subjects.c.operation_id == found.c.operation_id) & (subjects.c.subject_id == found.c.subject_id)
    person = (subjects.c.before, subjects.c.pseudonym, subjects.c.organisation_id)
    return select(found, *person).join_from(found, subjects, is_theirs).order_by(found.c[order_by])


def next_steps(operation: OperationId, now: datetime, limit: int) -> Select[Any]:
    is_due = or_(steps.c.not_before.is_(None), steps.c.not_before <= now)
    is_pending = (steps.c.operation_id == operation) & (steps.c.state == StepState.PENDING)
    is_planned = steps.c.plan_id == _current(operation, plans.c.plan_id)
    return records(is_pending & is_due & is_planned & _has_its_turn, limit=limit)


def next_due(operation: OperationId) -> Select[Any]:
    """The earliest moment at which something can be done: pending steps whose turn it is, and unknown ones."""
    is_planned = steps.c.plan_id == _current(operation, plans.c.plan_id)
    is_next = (steps.c.state == StepState.PENDING) & is_planned & _has_its_turn
    at_once = func.coalesce(_current(operation, plans.c.drawn_at), steps.c.sent_at)
    query = select(func.min(func.coalesce(steps.c.not_before, at_once)))
    return query.where(steps.c.operation_id == operation, or_(is_next, steps.c.state == StepState.UNKNOWN))


def people_by_kind(which: ColumnElement[bool]) -> Select[Any]:
    """How many people each kind of write concerned: one each, and all members where a group was licensed."""
    people = func.coalesce(cast(cast(steps.c.change, JSONB)["people"].astext, Integer), 1)
    return select(steps.c.kind, func.sum(people)).where(which).group_by(steps.c.kind)


def pending_writes() -> Select[Any]:
    """Calls still to be sent, by operation under way: people who join one group go together, all others alone."""
    is_open = steps.c.state.in_((StepState.PENDING, StepState.IN_FLIGHT)) & (steps.c.kind != StepKind.NO_OP)
    group = cast(steps.c.change, JSONB)["group_id"].astext
    people = (
        select(operations.c.operation_id, operations.c.tenant_id, steps.c.kind, func.count().label("people"))
        .join_from(operations, steps, steps.c.operation_id == operations.c.operation_id)
        .where(operations.c.state.in_(WRITING), is_open)
        .group_by(operations.c.operation_id, operations.c.tenant_id, steps.c.kind, group)
        .subquery()
    )
    together = func.ceil(people.c.people / literal(MEMBERS_PER_CALL, Numeric))
    calls = case((people.c.kind == StepKind.ADD_MEMBERS, together), else_=people.c.people)
    owner = (people.c.operation_id, people.c.tenant_id)
    return select(*owner, cast(func.sum(calls), Integer).label("writes")).group_by(*owner).order_by(*owner)


def record_of(row: dict[str, Any]) -> StepRecord:
    step = Step(
        position=row["position"],
        subject_id=row["subject_id"],
        kind=StepKind(row["kind"]),
        change=row["change"],
        sequence=row["sequence"],
        reason=row["explanation"],
        is_last=row["is_last"],
    )
    return msgspec.convert(row | {"step": step}, StepRecord)


def _current(operation: OperationId, what: ColumnElement[Any]) -> ScalarSelect[Any]:
    """Of the operation's plan that is not void."""
    return select(what).where(plans.c.operation_id == operation, plans.c.void_reason.is_(None)).scalar_subquery()
