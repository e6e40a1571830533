"""The rows of a plan: its people, their steps, their seats and their places in the queue."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, TextClause, text

from provisioning.database.jsonb import as_rows
from provisioning.database.store import in_chunks, inserted
from provisioning.database.tables.journal import steps
from provisioning.domain.ids import Pseudonym, SkuId, SubjectId
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.operation import Step, StepKind
from provisioning.planning.plan import Plan, SubjectPlan

T = TypeVar("T")

# A person whom an earlier plan of this operation already served stays verified: "already right" is our own work.
_SUBJECTS = text("""
    INSERT INTO operation_subjects AS present
        (operation_id, subject_id, plan_id, pseudonym, organisation_id, state, reason, before, notes, is_group)
    SELECT :operation, subject_id, :plan, pseudonym, organisation_id, state, reason, before, notes, is_group
    FROM json_to_recordset(CAST(:rows AS json)) AS given (
        subject_id text, pseudonym text, organisation_id text, state text, reason text, before jsonb, notes text[],
        is_group boolean)
    ON CONFLICT (operation_id, subject_id) DO UPDATE SET
        plan_id = excluded.plan_id, organisation_id = excluded.organisation_id, before = excluded.before,
        notes = excluded.notes, reason = excluded.reason, pseudonym = excluded.pseudonym,
        state = CASE WHEN present.state = 'verified' AND excluded.state = 'already_right'
                     THEN 'verified' ELSE excluded.state END""")

# Promises to people whom the new plan does not name are off; what was done for somebody stays on the list.
_DROP_UNNAMED = text("""
    DELETE FROM operation_subjects AS present
    WHERE operation_id = :operation AND plan_id <> :plan AND state IN ('pending', 'waiting', 'already_right')
      AND subject_id NOT IN (SELECT subject_id FROM steps WHERE operation_id = :operation AND last_attempt IS NOT NULL)
    """)

# Whom an earlier plan tried to serve, and nobody serves any more, must not seem to be under way for ever.
_LET_GO = text("""
    UPDATE operation_subjects AS present SET state = 'changed_meanwhile', reason = 'CHANGED_MEANWHILE'
    WHERE operation_id = :operation AND plan_id <> :plan AND state IN ('pending', 'waiting')
      AND NOT EXISTS (
        SELECT FROM steps WHERE steps.operation_id = :operation AND steps.subject_id = present.subject_id
          AND steps.state IN ('in_flight', 'unknown', 'applied'))
    """)

_RESERVE = text("""
    INSERT INTO reservations (tenant_id, sku_id, subject_id, operation_id)
    SELECT :tenant, :sku, subject_id, :operation
    FROM json_array_elements_text(CAST(:rows AS json)) AS given (subject_id)
    ON CONFLICT DO NOTHING""")

QUEUE_UP = text("""
    INSERT INTO waiting_list (tenant_id, sku_id, subject_id, operation_id, since, listed_at)
    SELECT tenant_id, sku_id, given.subject_id, plans.operation_id, drawn_at, drawn_at
    FROM plans, json_array_elements_text(CAST(:rows AS json)) WITH ORDINALITY AS given (subject_id, place)
    WHERE plans.operation_id = :operation AND void_reason IS NULL AND sku_id IS NOT NULL
    ORDER BY place
    ON CONFLICT (tenant_id, sku_id, subject_id) WHERE served_at IS NULL
    DO UPDATE SET operation_id = excluded.operation_id, listed_at = excluded.listed_at""")

# Off the list: who has the product already, by whatever hand, and who is gone from those whom the same wish speaks of.
_STRIKE = text("""
    UPDATE waiting_list SET served_at = plans.drawn_at
    FROM plans JOIN operations AS asking USING (operation_id)
    WHERE plans.plan_id = :plan AND waiting_list.tenant_id = :tenant AND waiting_list.sku_id = :sku
      AND served_at IS NULL
      AND CASE (SELECT state FROM operation_subjects AS people
                WHERE people.operation_id = :operation AND people.subject_id = waiting_list.subject_id)
          WHEN 'already_right' THEN true
          WHEN 'verified' THEN true
          ELSE NOT EXISTS (SELECT FROM operation_subjects AS people
                           WHERE people.operation_id = :operation AND people.subject_id = waiting_list.subject_id)
           AND NOT EXISTS (SELECT FROM reservations
                           WHERE reservations.tenant_id = :tenant AND reservations.sku_id = :sku
                             AND reservations.subject_id = waiting_list.subject_id)
           AND EXISTS (SELECT FROM operations AS listing
                       WHERE listing.operation_id = waiting_list.operation_id
                         AND (listing.wish -> 'holder_id', listing.wish -> 'audience',
                              listing.wish -> 'organisations', listing.wish -> 'named')
                           = (asking.wish -> 'holder_id', asking.wish -> 'audience',
                              asking.wish -> 'organisations', asking.wish -> 'named')
                         AND listing.wish #>> '{remap,from_sku}'
                             IS NOT DISTINCT FROM asking.wish #>> '{remap,from_sku}')
          END
    """)


def store_rows(
    connection: Connection, plan: Plan, pseudonyms: Mapping[SubjectId, Pseudonym], sku: SkuId | None
) -> None:
    """People first, because steps point at them. The plan's own row is there already."""
    bound = {"operation": plan.operation_id, "plan": plan.plan_id, "tenant": plan.tenant_id, "sku": sku}

    def run(statement: TextClause, given: Iterable[T], row: Callable[[T], Any]) -> None:
        for some in in_chunks(given):
            connection.execute(statement, bound | {"rows": as_rows(map(row, some))})

    run(_SUBJECTS, plan.subjects, lambda subject: _subject_row(subject, pseudonyms))
    connection.execute(_DROP_UNNAMED, bound)
    connection.execute(_LET_GO, bound)
    for some in in_chunks(plan.steps):
        connection.execute(inserted(steps, [_step_row(plan, step) for step in some]))
    if sku is not None:
        run(_RESERVE, _served(plan), str)
        connection.execute(_STRIKE, bound)
        run(QUEUE_UP, (each.subject_id for each in plan.subjects if each.state is SubjectState.WAITING), str)


def _served(plan: Plan) -> list[SubjectId]:
    """Who is to get the product: by a step of their own, or through the group."""
    return [one.subject_id for one in plan.subjects if one.state is SubjectState.PENDING and not one.is_group]


def _subject_row(subject: SubjectPlan, pseudonyms: Mapping[SubjectId, Pseudonym]) -> dict[str, Any]:
    return {
        "subject_id": subject.subject_id,
        "pseudonym": pseudonyms[subject.subject_id],
        "organisation_id": subject.organisation_id,
        "state": subject.state,
        "reason": subject.reason,
        "before": subject.before,
        "notes": subject.notes,
        "is_group": subject.is_group,
    }


def _step_row(plan: Plan, step: Step) -> dict[str, Any]:
    return {
        "operation_id": plan.operation_id,
        "plan_id": plan.plan_id,
        "tenant_id": plan.tenant_id,
        "subject_id": step.subject_id,
        "position": step.position,
        "sequence": step.sequence,
        "kind": step.kind,
        "change": step.change,
        "explanation": step.reason,
        "not_before": step.not_before,
        "is_last": step.is_last,
        "state": StepState.SKIPPED if step.kind is StepKind.NO_OP else StepState.PENDING,
    }
