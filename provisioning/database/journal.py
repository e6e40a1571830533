"""The journal: what is about to be tried, committed before the call; what came of it, after."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Select, Text, TextClause, any_, func, literal, select, update

from provisioning.database import journal_reads as reads
from provisioning.database import journal_writes as writes
from provisioning.database.jsonb import as_rows
from provisioning.database.leases import stale
from provisioning.database.plan_rows import QUEUE_UP
from provisioning.database.store import Store, columns_of
from provisioning.database.tables.journal import steps, subjects
from provisioning.domain.errors import ConflictError, TransitionError
from provisioning.domain.ids import OperationId, StepId, SubjectId, TenantId
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.operation import GROUP_STEPS, Attempt, StepKind, StepRecord, SubjectRecord
from provisioning.domain.worklist import Lease
from provisioning.planning.forecast import Work
from provisioning.planning.verdict import TAKES_AWAY
from provisioning.ports import StepUpdate, SubjectUpdate

_WRITTEN = (StepState.APPLIED, StepState.VERIFIED)
_PERHAPS_WRITTEN = (StepState.IN_FLIGHT, StepState.UNKNOWN, *_WRITTEN)


class SqlJournal(Store):
    def next_steps(self, operation: OperationId, now: datetime, limit: int) -> list[StepRecord]:
        return self._steps(reads.next_steps(operation, now, limit))

    def next_due(self, operation: OperationId) -> datetime | None:
        """A step that never had to wait is due since the plan was drawn."""
        due: datetime | None = self._connection.scalar(reads.next_due(operation))
        return due

    def begin(self, attempts: Sequence[Attempt], lease: Lease, at: datetime) -> None:
        """Also raises ConflictError when a step is not pending or its plan may not be applied: then roll back."""
        if not attempts:
            return
        moved = self._move(writes.BEGIN, lease, {"rows": writes.attempt_rows(attempts), "at": at})
        if moved != len(attempts):
            raise ConflictError(
                f"{len(attempts) - moved} of {len(attempts)} steps cannot begin: they are not pending, "
                "or their plan is void or not approved. Roll back and look again."
            )

    def steps_in(
        self, operation: OperationId, states: Collection[StepState], limit: int | None = None
    ) -> list[StepRecord]:
        which = (steps.c.operation_id == operation) & steps.c.state.in_(states)
        return self._steps(reads.records(which, limit=limit))

    def steps_of_kind(self, operation: OperationId, kind: StepKind) -> list[StepRecord]:
        return self._steps(reads.records((steps.c.operation_id == operation) & (steps.c.kind == kind)))

    def close(
        self,
        operation: OperationId,
        lease: Lease,
        steps: Sequence[StepUpdate],
        subjects: Sequence[SubjectUpdate],
    ) -> None:
        moved = self._move(writes.CLOSE_STEPS, lease, {"operation": operation, "rows": writes.step_rows(steps)})
        if moved != len(steps):
            raise self._refused_step(operation, steps)
        if subjects:
            self._close_subjects(operation, subjects)

    def put_off_removals(self, operation: OperationId, subjects: Collection[SubjectId], until: datetime) -> None:
        theirs = steps.c.subject_id == any_(literal(sorted(subjects), ARRAY(Text)))
        takes_away = steps.c.kind.in_(sorted(TAKES_AWAY)) & (steps.c.state == StepState.PENDING)
        later = update(steps).where(steps.c.operation_id == operation, theirs, takes_away)
        self._connection.execute(later.values(not_before=until))

    def pending_writes(self) -> list[Work]:
        return self._list(reads.pending_writes(), Work)

    def verified_at(self, operation: OperationId) -> dict[SubjectId, datetime]:
        table = steps.c
        read_back = (table.operation_id == operation) & table.verified_at.is_not(None)
        query = select(table.subject_id, func.max(table.verified_at)).where(read_back).group_by(table.subject_id)
        return {SubjectId(subject): at for subject, at in self._connection.execute(query)}

    def verified_since(self, since: datetime) -> int:
        last = (steps.c.verified_at >= since) & steps.c.is_last & steps.c.kind.not_in(GROUP_STEPS)
        return self._connection.scalar(select(func.count()).select_from(steps).where(last)) or 0

    def step_counts(self, operation: OperationId) -> dict[StepState, int]:
        return {
            StepState(state): count for state, count in self._counts(steps.c.state, steps.c.operation_id == operation)
        }

    def subject_counts(self, operation: OperationId) -> dict[SubjectState, int]:
        is_theirs = (subjects.c.operation_id == operation) & ~subjects.c.is_group
        return {SubjectState(state): count for state, count in self._counts(subjects.c.state, is_theirs)}

    def subjects(self, operation: OperationId) -> list[SubjectRecord]:
        query = columns_of(subjects, SubjectRecord).where(subjects.c.operation_id == operation, ~subjects.c.is_group)
        return self._list(query.order_by(subjects.c.subject_id), SubjectRecord)

    def applied_since(
        self, tenant: TenantId, since: datetime, subjects: Collection[SubjectId] | None = None
    ) -> list[StepRecord]:
        is_recent = (steps.c.tenant_id == tenant) & (steps.c.applied_at >= since)
        if subjects is not None:
            is_recent &= steps.c.subject_id == any_(literal(list(subjects), ARRAY(Text)))
        return self._steps(reads.records(is_recent & steps.c.state.in_(_WRITTEN), order_by="applied_at"))

    def groups_written_since(self, tenant: TenantId, since: datetime) -> list[StepRecord]:
        is_recent = (
            (steps.c.tenant_id == tenant) & (steps.c.applied_at >= since) & steps.c.kind.in_(sorted(GROUP_STEPS))
        )
        return self._steps(reads.records(is_recent & steps.c.state.in_(_WRITTEN), order_by="applied_at"))

    def groups_sent_since(self, tenant: TenantId, since: datetime) -> list[StepRecord]:
        is_recent = (steps.c.tenant_id == tenant) & (steps.c.sent_at >= since) & steps.c.kind.in_(sorted(GROUP_STEPS))
        return self._steps(reads.records(is_recent & steps.c.state.in_(_PERHAPS_WRITTEN)))

    def kinds_since(self, tenant: TenantId, since: datetime) -> dict[StepKind, int]:
        """What is in flight or unknown counts as written: a guard errs on the safe side."""
        is_recent = (steps.c.tenant_id == tenant) & (steps.c.sent_at >= since)
        rows = self._connection.execute(reads.people_by_kind(is_recent & steps.c.state.in_(_PERHAPS_WRITTEN)))
        return {StepKind(kind): int(people) for kind, people in rows}

    def _move(self, statement: TextClause, lease: Lease, bound: dict[str, Any]) -> int:
        held = {"name": lease.name, "fence": lease.fence, "holder": lease.holder}
        leases, moved = self._connection.execute(statement, bound | held).one()
        if not leases:
            raise stale(lease)
        return int(moved)

    def _close_subjects(self, operation: OperationId, updates: Sequence[SubjectUpdate]) -> None:
        bound = {"operation": operation, "rows": writes.subject_rows(updates)}
        if self._connection.execute(writes.CLOSE_SUBJECTS, bound).scalar_one() != len(
            {update.subject_id for update in updates}
        ):
            raise TransitionError(
                f"People of operation {operation} are not in a state from which they may become "
                f"{', '.join(sorted({update.state for update in updates}))}."
            )
        if waiting := [update.subject_id for update in updates if update.state is SubjectState.WAITING]:
            self._connection.execute(QUEUE_UP, {"operation": operation, "rows": as_rows(waiting)})

    def _steps(self, query: Select[Any]) -> list[StepRecord]:
        return [reads.record_of(row) for row in self._rows(query)]

    def _counts(self, what: Any, which: Any) -> list[tuple[str, int]]:
        query = select(what, func.count()).where(which).group_by(what).order_by(what)
        return [(value, count) for value, count in self._connection.execute(query)]

    def _refused_step(self, operation: OperationId, updates: Sequence[StepUpdate]) -> TransitionError:
        bound = {"operation": operation, "steps": [update.step_id for update in updates]}
        present = {StepId(step): state for step, state in self._connection.execute(writes.STEP_STATES, bound)}
        wrong = next((u for u in updates if present.get(u.step_id) not in writes.STEP_SOURCES[u.state]), updates[0])
        state = present.get(wrong.step_id, "nowhere")
        return TransitionError(f"Step {wrong.step_id} of {operation} may not go from {state} to {wrong.state}.")
