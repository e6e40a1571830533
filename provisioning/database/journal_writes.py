"""The statements that move many steps and people at once: the state machines of the domain as conditions in SQL.

Each is one round trip however long the chunk is, because the worker's time per person is what limits a migration.
The operation is a column of the given rows, and plans are looked up row by row: a plan that was stored a moment ago has
no statistics yet, and a planner that takes it for small compares each given row with all of its steps.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from provisioning.database.jsonb import as_rows
from provisioning.database.transitions import sources_of
from provisioning.domain.lifecycle import STEP_ENDS, STEP_TRANSITIONS, SUBJECT_TRANSITIONS
from provisioning.domain.operation import Attempt
from provisioning.ports import StepUpdate, SubjectUpdate

# A step may stay where it is until later, unless that is an end.
STEP_SOURCES = {
    state: sources if state in STEP_ENDS else [*sources, state]
    for state, sources in sources_of(STEP_TRANSITIONS).items()
}
SUBJECT_SOURCES = sources_of(SUBJECT_TRANSITIONS)

# An attempt whose effect was not seen is sent again under its own id, so its row may be there already.
# The lease row stays locked until commit: nobody takes it over between this look and the journal's commit.
BEGIN = text("""
    WITH lease AS MATERIALIZED (
        SELECT FROM leases WHERE name = :name AND fence = :fence AND holder = :holder FOR SHARE),
    given AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:rows AS json))
        AS given (attempt_id text, step_id bigint, number smallint)),
    moved AS (
        UPDATE steps SET state = 'in_flight', reason = NULL, not_before = NULL, sent_at = :at,
            attempts = steps.attempts + 1, last_attempt = given.attempt_id
        FROM given
        WHERE steps.step_id = given.step_id AND steps.state = 'pending' AND EXISTS (SELECT FROM lease)
          AND (SELECT void_reason IS NULL AND (guard_breaches = '{}' OR approved_at IS NOT NULL)
               FROM plans WHERE plans.plan_id = steps.plan_id)
        RETURNING given.attempt_id, given.step_id, given.number),
    noted AS (
        INSERT INTO attempts AS present (attempt_id, step_id, number, fence, begun_at)
        SELECT attempt_id, step_id, number, :fence, :at FROM moved
        ON CONFLICT (attempt_id) DO UPDATE SET
            number = excluded.number, fence = excluded.fence, begun_at = excluded.begun_at,
            outcome = NULL, reason = NULL
        WHERE present.step_id = excluded.step_id)
    SELECT (SELECT count(*) FROM lease) AS leases, (SELECT count(*) FROM moved) AS moved""")

# An observation adds to what the answer said before, it does not erase it. What was certainly not sent, or
# throttled, does not count as an attempt: waiting for quota uses up nobody's tries.
CLOSE_STEPS = text("""
    WITH lease AS MATERIALIZED (
        SELECT FROM leases WHERE name = :name AND fence = :fence AND holder = :holder FOR SHARE),
    given AS MATERIALIZED (
        SELECT CAST(:operation AS text) AS operation_id, * FROM json_to_recordset(CAST(:rows AS json)) AS given (
            step_id bigint, state text, sources text[], reason text, not_before timestamptz, at timestamptz,
            attempt_id text, outcome text, status smallint, refusal text, request_id text, error_code text, detail text,
            resource_units integer, sent_at timestamptz, finished_at timestamptz)),
    moved AS (
        UPDATE steps SET state = given.state, reason = given.reason, not_before = given.not_before,
            attempts = steps.attempts
                - CASE WHEN given.outcome = 'not_sent' OR given.refusal = 'THROTTLED' THEN 1 ELSE 0 END,
            sent_at = coalesce(given.sent_at, steps.sent_at),
            applied_at = CASE WHEN given.state IN ('applied', 'verified') THEN coalesce(steps.applied_at, given.at)
                              ELSE steps.applied_at END,
            verified_at = CASE WHEN given.state = 'verified' THEN given.at ELSE steps.verified_at END
        FROM given
        WHERE steps.step_id = given.step_id AND steps.operation_id = given.operation_id
          AND steps.state = ANY (given.sources) AND EXISTS (SELECT FROM lease)
        RETURNING steps.step_id),
    closed AS (
        UPDATE attempts SET outcome = given.outcome, reason = given.refusal,
            status = coalesce(given.status, attempts.status),
            request_id = coalesce(given.request_id, attempts.request_id),
            error_code = coalesce(given.error_code, attempts.error_code),
            detail = coalesce(given.detail, attempts.detail),
            resource_units = coalesce(given.resource_units, attempts.resource_units),
            sent_at = coalesce(given.sent_at, attempts.sent_at),
            finished_at = coalesce(given.finished_at, attempts.finished_at)
        FROM given
        WHERE attempts.attempt_id = given.attempt_id AND attempts.step_id = given.step_id
          AND EXISTS (SELECT FROM lease))
    SELECT (SELECT count(*) FROM lease) AS leases, (SELECT count(*) FROM moved) AS moved""")

# Who reached an end, or waits, has no seat reserved and no further step to take.
CLOSE_SUBJECTS = text("""
    WITH given AS MATERIALIZED (
        SELECT CAST(:operation AS text) AS operation_id, * FROM json_to_recordset(CAST(:rows AS json))
        AS given (subject_id text, state text, sources text[], reason text)),
    moved AS (
        UPDATE operation_subjects AS people SET state = given.state, reason = given.reason
        FROM given
        WHERE people.operation_id = given.operation_id AND people.subject_id = given.subject_id
          AND people.state = ANY (given.sources)
        RETURNING people.subject_id),
    freed AS (
        DELETE FROM reservations USING given
        WHERE reservations.operation_id = given.operation_id AND reservations.subject_id = given.subject_id
          AND given.state <> 'pending'),
    spared AS (
        UPDATE steps SET state = 'skipped', reason = given.reason FROM given
        WHERE steps.operation_id = given.operation_id AND steps.subject_id = given.subject_id
          AND steps.state = 'pending' AND given.state <> 'pending')
    SELECT count(*) FROM moved""")

STEP_STATES = text("SELECT step_id, state FROM steps WHERE step_id = ANY (:steps) AND operation_id = :operation")


def attempt_rows(attempts: Iterable[Attempt]) -> str:
    return as_rows({"attempt_id": a.attempt_id, "step_id": a.step_id, "number": a.number} for a in attempts)


def step_rows(updates: Iterable[StepUpdate]) -> str:
    return as_rows(map(_step_row, updates))


def subject_rows(updates: Iterable[SubjectUpdate]) -> str:
    return as_rows(
        {"subject_id": u.subject_id, "state": u.state, "sources": SUBJECT_SOURCES[u.state], "reason": u.reason}
        for u in updates
    )


def _step_row(update: StepUpdate) -> dict[str, Any]:
    row = {
        "step_id": update.step_id,
        "state": update.state,
        "sources": STEP_SOURCES[update.state],
        "reason": update.reason,
        "not_before": update.not_before,
        "at": update.at,
    }
    receipt = update.receipt
    if receipt is None:
        return row
    return row | {
        "attempt_id": receipt.attempt_id,
        "outcome": receipt.outcome,
        "status": receipt.status,
        "refusal": receipt.reason,
        "request_id": receipt.request_id,
        "error_code": receipt.error_code,
        "detail": receipt.detail,
        "resource_units": receipt.resource_units,
        "sent_at": receipt.sent_at,
        "finished_at": receipt.finished_at,
    }
