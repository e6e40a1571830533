"""Plans of the simulation, with the meaning that the SQL ones have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import Actor, OperationId, PlanId, Pseudonym, SkuId, StepId, SubjectId
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.operation import StepKind, StepRecord, SubjectRecord
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import Plan, SubjectPlan
from provisioning.ports import PlanRecord
from tests.simulation.rows import Store

_WRITTEN_NOT_READ = frozenset({StepState.IN_FLIGHT, StepState.UNKNOWN, StepState.APPLIED})
_PROMISED = frozenset({SubjectState.PENDING, SubjectState.WAITING, SubjectState.ALREADY_RIGHT})


class Plans(Store):
    def add(
        self, plan: Plan, pseudonyms: Mapping[SubjectId, Pseudonym], *, sku: SkuId | None, valid_until: datetime
    ) -> None:
        self._forget_untried(plan.operation_id)
        for subject in plan.subjects:
            self._add_person(plan, subject, pseudonyms[subject.subject_id])
            if sku and subject.state is SubjectState.WAITING:
                self.rows.waiting[plan.tenant_id, sku, subject.subject_id] = plan.operation_id
        self._drop_unnamed(plan)
        self._strike(plan, sku)
        self._add_steps(plan, pseudonyms, sku)
        self.rows.drawn[plan.plan_id] = self.rows.plans[plan.operation_id] = PlanRecord(
            plan_id=plan.plan_id,
            operation_id=plan.operation_id,
            digest=plan.envelope.digest,
            envelope=msgspec.json.encode(plan.envelope),
            drawn_at=plan.drawn_at,
            observed_at=plan.observed_at,
            valid_until=valid_until,
            guard_breaches=plan.guard_breaches,
            requested_by=self.rows.operations[plan.operation_id].requested_by,
        )

    def current(self, operation: OperationId) -> PlanRecord | None:
        record = self.rows.plans.get(operation)
        return None if record is None or record.void_reason else record

    def approve(
        self, plan: PlanId, by: Actor, digest: str, at: datetime, break_glass_reason: str | None = None
    ) -> None:
        operation, record = self._of(plan)
        if record.digest != digest:
            raise ConflictError("another plan was shown")
        assert by != record.requested_by, "who asks does not approve"
        assert record.void_reason is None, "a void plan"
        self.rows.plans[operation] = msgspec.structs.replace(
            record, approved_by=by, approved_at=at, break_glass_reason=break_glass_reason
        )

    def reject(self, plan: PlanId, by: Actor, reason: str, at: datetime) -> None:
        operation, record = self._of(plan)
        self.rows.plans[operation] = msgspec.structs.replace(record, rejected_by=by)
        self.void(plan, Reason.PLAN_REJECTED, at)

    def _of(self, plan: PlanId) -> tuple[OperationId, PlanRecord]:
        return next(pair for pair in self.rows.plans.items() if pair[1].plan_id == plan)

    def void(self, plan: PlanId, reason: Reason, at: datetime) -> None:
        for operation, record in self.rows.plans.items():
            if record.plan_id == plan and record.void_reason is None:
                self.rows.plans[operation] = msgspec.structs.replace(record, void_reason=reason)
                self._forget_untried(operation)

    def _forget_untried(self, operation: OperationId) -> None:
        """Steps that were never tried go, those that were are skipped, and the seats of others than these are free."""
        pending = [
            one for one in self.rows.steps.values() if one.operation_id == operation and one.state is StepState.PENDING
        ]
        for record in pending:
            if record.last_attempt is None:
                del self.rows.steps[record.step_id]
            else:
                self.rows.steps[record.step_id] = msgspec.structs.replace(record, state=StepState.SKIPPED)
        ours = (one for one in self.rows.steps.values() if one.operation_id == operation)
        in_doubt = {one.step.subject_id for one in ours if one.state in _WRITTEN_NOT_READ}
        for seat in [seat for seat, owner in self.rows.reserved.items() if owner == operation]:
            if seat[2] not in in_doubt:
                del self.rows.reserved[seat]

    def _add_person(self, plan: Plan, subject: SubjectPlan, pseudonym: Pseudonym) -> None:
        """Who was served by an earlier plan stays verified: "already right" is our own work."""
        key = (plan.operation_id, subject.subject_id)
        if subject.is_group:
            self.rows.group_rows.add(key)
        known = self.rows.subjects.get(key)
        is_ours = known and known.state is SubjectState.VERIFIED and subject.state is SubjectState.ALREADY_RIGHT
        self.rows.subjects[key] = SubjectRecord(
            operation_id=plan.operation_id,
            subject_id=subject.subject_id,
            pseudonym=pseudonym,
            state=SubjectState.VERIFIED if is_ours else subject.state,
            reason=subject.reason,
            organisation_id=subject.organisation_id,
            notes=subject.notes,
        )

    def _drop_unnamed(self, plan: Plan) -> None:
        """Promises to people whom the new plan does not name are off; what was done for somebody stays."""
        kept = {subject.subject_id for subject in plan.subjects} | {
            record.step.subject_id
            for record in self.rows.steps.values()
            if record.operation_id == plan.operation_id and record.last_attempt
        }
        for key, known in list(self.rows.subjects.items()):
            if key[0] == plan.operation_id and known.state in _PROMISED and known.subject_id not in kept:
                del self.rows.subjects[key]
        self._let_go(plan)

    def _strike(self, plan: Plan, sku: SkuId | None) -> None:
        """Who has the product, or is no longer spoken of, waits no longer (all wishes here are one holder's)."""
        states = {
            subject: known.state
            for (operation, subject), known in self.rows.subjects.items()
            if operation == plan.operation_id
        }
        right = {SubjectState.ALREADY_RIGHT, SubjectState.VERIFIED}
        for place in list(self.rows.waiting):
            if place[:2] != (plan.tenant_id, sku) or place in self.rows.reserved:
                continue
            if states.get(place[2]) in right | {None}:
                del self.rows.waiting[place]

    def _let_go(self, plan: Plan) -> None:
        """Whom an earlier plan tried to serve, and nobody serves any more, is not under way."""
        served = {subject.subject_id for subject in plan.subjects} | {
            record.step.subject_id
            for record in self.rows.steps.values()
            if record.operation_id == plan.operation_id and record.state in _WRITTEN_NOT_READ
        }
        for key, known in self.rows.subjects.items():
            is_promised = known.state in {SubjectState.PENDING, SubjectState.WAITING}
            if key[0] == plan.operation_id and is_promised and known.subject_id not in served:
                changed = {"state": SubjectState.CHANGED_MEANWHILE, "reason": Reason.CHANGED_MEANWHILE}
                self.rows.subjects[key] = msgspec.structs.replace(known, **changed)

    def _add_steps(self, plan: Plan, pseudonyms: Mapping[SubjectId, Pseudonym], sku: SkuId | None) -> None:
        people = {subject.subject_id: subject for subject in plan.subjects}
        last = max(self.rows.steps, default=0)
        for number, step in enumerate(plan.steps, start=1):
            step_id = StepId(last + number)
            self.rows.steps[step_id] = StepRecord(
                step_id=step_id,
                operation_id=plan.operation_id,
                plan_id=plan.plan_id,
                step=step,
                state=StepState.SKIPPED if step.kind is StepKind.NO_OP else StepState.PENDING,
                before=people[step.subject_id].before,
                pseudonym=pseudonyms[step.subject_id],
                organisation_id=people[step.subject_id].organisation_id,
                not_before=step.not_before,
            )
        for subject in plan.subjects:
            if sku and subject.state is SubjectState.PENDING and not subject.is_group:
                self.rows.reserved.setdefault((plan.tenant_id, sku, subject.subject_id), plan.operation_id)
