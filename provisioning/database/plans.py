"""Plans: stored whole, bound by their digest, approved by somebody who had no part in them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, text, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.operations import SqlOperations
from provisioning.database.plan_reads import PlanReads
from provisioning.database.plan_rows import store_rows
from provisioning.database.store import columns_of
from provisioning.database.tables.operations import plans
from provisioning.database.tickets import SqlTickets
from provisioning.domain.calendar import dutch_day
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import Actor, LineKey, OperationId, PlanId, Pseudonym, SkuId, SubjectId
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import Plan
from provisioning.ports import PlanRecord

# Who wrote what the plan stands on: the bindings and selectors of its organisations, the policy and the mappings in
# force, and who imported its holder's declarations; of a migration its definition, its wave's last turn, and the
# evidence that mailboxes have moved; and who had it tried again.
_AUTHORS = text("""
    SELECT unnest(authors) AS author FROM bindings
    WHERE tenant_id = :tenant AND organisation_id = ANY (:organisations)
      AND :day BETWEEN valid_from AND coalesce(valid_until, 'infinity')
    UNION
    SELECT unnest(authors) FROM policies
    WHERE tenant_id = :tenant AND approved_by IS NOT NULL AND NOT is_superseded
      AND :day BETWEEN valid_from AND coalesce(valid_until, 'infinity')
    UNION
    SELECT author.proposed_by FROM configuration_versions AS author
    JOIN configuration_versions AS now ON (now.kind, now.digest) = (author.kind, author.digest)
    WHERE now.kind = 'mappings' AND now.retired_at IS NULL
      AND (now.approved_by IS NOT NULL OR now.restores IS NOT NULL)
      AND (author.approved_by IS NOT NULL OR author.restores IS NOT NULL)
    UNION
    SELECT released_by FROM order_lines
    WHERE source = :source AND order_number = :order AND line_number = :line AND released_by IS NOT NULL
    UNION
    SELECT requested_by FROM migrations WHERE migration_id = :migration
    UNION
    SELECT asked_by FROM migration_waves
    WHERE migration_id = :migration AND number = :wave AND asked_by IS NOT NULL
    UNION
    SELECT evidence ->> 'given_by' FROM migration_travellers
    WHERE migration_id = :migration AND operation_id = :operation AND evidence IS NOT NULL
    UNION
    SELECT unnest(authors || grounded_by) FROM tickets WHERE ticket_id = ANY (:tickets)
    UNION
    SELECT requested_by FROM campaigns WHERE campaign_id = :campaign
    UNION
    SELECT saved_by FROM records
    WHERE kind = 'declaration' AND organisation_id = :holder AND saved_by IS NOT NULL
    UNION
    SELECT unnest(hands) FROM operations WHERE operation_id = :operation
    ORDER BY author""")

_FORGET_UNTRIED = text("""
    WITH void AS (SELECT plan_id FROM plans WHERE operation_id = :operation AND void_reason IS NOT NULL),
    gone AS (
        DELETE FROM steps
        WHERE plan_id IN (SELECT plan_id FROM void) AND state = 'pending' AND last_attempt IS NULL)
    UPDATE steps SET state = 'skipped'
    WHERE plan_id IN (SELECT plan_id FROM void) AND state = 'pending' AND last_attempt IS NOT NULL""")

# but of whose write nobody knows yet what came: another operation would write to them, too
_RELEASE = text("""
    DELETE FROM reservations WHERE operation_id = :operation AND NOT EXISTS (
        SELECT FROM steps
        WHERE steps.operation_id = :operation AND steps.subject_id = reservations.subject_id
          AND steps.state IN ('in_flight', 'unknown', 'applied'))""")


class SqlPlans(PlanReads):
    def add(
        self,
        plan: Plan,
        pseudonyms: Mapping[SubjectId, Pseudonym],
        *,
        sku: SkuId | None,
        valid_until: datetime,
    ) -> None:
        is_earlier = plans.c.operation_id == plan.operation_id
        self._void(is_earlier, Reason.CHANGED_MEANWHILE, plan.drawn_at)
        self._clear(plan.operation_id)
        self._connection.execute(insert(plans).values(self._row_of(plan, sku, valid_until)))
        store_rows(self._connection, plan, pseudonyms, sku)

    def find(self, plan: PlanId) -> PlanRecord | None:
        return self._find(columns_of(plans, PlanRecord).where(plans.c.plan_id == plan), PlanRecord)

    def current(self, operation: OperationId) -> PlanRecord | None:
        """The one plan of the operation that is not void."""
        is_current = (plans.c.operation_id == operation) & plans.c.void_reason.is_(None)
        return self._find(columns_of(plans, PlanRecord).where(is_current), PlanRecord)

    def approve(
        self, plan: PlanId, by: Actor, digest: str, at: datetime, break_glass_reason: str | None = None
    ) -> None:
        is_it = self._is_open(plan) & (plans.c.digest == digest)
        approval = {"approved_by": by, "approved_at": at, "break_glass_reason": break_glass_reason}
        if not self._changed(update(plans).where(is_it).values(approval)):
            raise self._refusal(plan, digest)

    def unreviewed(self, operation: OperationId) -> list[PlanRecord]:
        is_alone = plans.c.break_glass_reason.is_not(None) & plans.c.reviewed_at.is_(None)
        return self._list(columns_of(plans, PlanRecord).where(plans.c.operation_id == operation, is_alone), PlanRecord)

    def review(self, plan: PlanId, by: Actor, at: datetime) -> None:
        self._connection.execute(update(plans).where(plans.c.plan_id == plan).values(reviewed_by=by, reviewed_at=at))

    def reject(self, plan: PlanId, by: Actor, reason: str, at: datetime) -> None:
        """Rejecting makes it void: the next one has to be drawn anew."""
        rejection = {"rejected_by": by, "rejected_at": at, "rejected_because": reason}
        if not self._changed(update(plans).where(self._is_open(plan)).values(rejection)):
            raise self._refusal(plan)
        self.void(plan, Reason.PLAN_REJECTED, at)

    def void(self, plan: PlanId, reason: Reason, at: datetime) -> None:
        """Its steps that were never tried are forgotten, its seats are free again. Voiding twice changes nothing."""
        for operation in self._void(plans.c.plan_id == plan, reason, at):
            self._clear(operation)

    def _void(self, which: ColumnElement[bool], reason: str, at: datetime) -> list[OperationId]:
        voided = update(plans).where(which, plans.c.void_reason.is_(None)).values(void_reason=reason, voided_at=at)
        return list(self._connection.scalars(voided.returning(plans.c.operation_id)))

    def _clear(self, operation: OperationId) -> None:
        self._connection.execute(_FORGET_UNTRIED, {"operation": operation})
        self._connection.execute(_RELEASE, {"operation": operation})

    def _row_of(self, plan: Plan, sku: SkuId | None, valid_until: datetime) -> dict[str, Any]:
        operation = SqlOperations(self._connection).get(plan.operation_id)
        envelope = plan.envelope
        return {
            "plan_id": plan.plan_id,
            "operation_id": plan.operation_id,
            "tenant_id": plan.tenant_id,
            "sku_id": sku,
            "digest": envelope.digest,
            "envelope": msgspec.json.encode(envelope, order="deterministic"),
            "drawn_at": plan.drawn_at,
            "observed_at": plan.observed_at,
            "valid_until": valid_until,
            "guard_breaches": list(plan.guard_breaches),
            "requested_by": operation.requested_by,
            "authors": self._authors(plan, operation),
            "seats": plan.seats,
        }

    def _authors(self, plan: Plan, operation: Operation) -> list[str]:
        line, part = operation.wish.line or LineKey("", "", ""), operation.wish.part or operation.wish.follows
        remap = operation.wish.remap
        bound = {
            "tenant": plan.tenant_id,
            "organisations": list(operation.wish.organisations),
            "holder": operation.wish.holder_id,
            "source": line.source,
            "order": line.order_number,
            "line": line.line_number,
            "migration": part.migration_id if part else None,
            "wave": part.wave if part else None,
            "operation": plan.operation_id,
            "tickets": [ticket.ticket_id for ticket in SqlTickets(self._connection).behind(operation)],
            "campaign": remap.campaign_id if remap else None,
        }
        return list(self._connection.scalars(_AUTHORS, bound | {"day": dutch_day(plan.drawn_at)}))

    def _is_open(self, plan: PlanId) -> ColumnElement[bool]:
        decided = plans.c.void_reason.is_not(None) | plans.c.approved_by.is_not(None)
        return (plans.c.plan_id == plan) & ~decided

    def _refusal(self, plan: PlanId, digest: str | None = None) -> ConflictError | InputError:
        present = self.find(plan)
        if present is None:
            return InputError(f"There is no plan {plan}.")
        if present.void_reason is not None:
            return ConflictError(f"Plan {plan} is void ({present.void_reason}). Look at the plan that replaced it.")
        if digest is not None and present.digest != digest:
            return ConflictError(f"Plan {plan} is not the one you read: its digest is {present.digest}. Look again.")
        return ConflictError(f"Plan {plan} is approved already, by {present.approved_by}.")
