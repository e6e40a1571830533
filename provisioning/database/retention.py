"""What goes when it is too old, or when a person is to be forgotten: every row that holds a directory object id."""

from datetime import datetime

from sqlalchemy import text

from provisioning.database import migration_retention as people_who_move
from provisioning.database.store import Store
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import MigrationId, OperationId, SubjectId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS
from provisioning.ports import Purged

_ENDS = sorted(OPERATION_ENDS)

_EXPIRED = text("""
    SELECT operation_id FROM operations
    WHERE due_at IS NULL AND state <> 'held' AND state = ANY (:ends) AND entered_at < :before
      AND (EXISTS (SELECT FROM plans WHERE plans.operation_id = operations.operation_id)
           OR jsonb_array_length(wish -> 'named') > 0)
      AND NOT EXISTS (SELECT FROM plans WHERE plans.operation_id = operations.operation_id
                      AND break_glass_reason IS NOT NULL AND reviewed_at IS NULL)
    ORDER BY entered_at LIMIT :limit""")

_LOCK = text("SELECT FROM operations WHERE operation_id = :operation AND state = ANY (:ends) FOR UPDATE")

_ATTEMPTS = text("""
    DELETE FROM attempts USING steps
    WHERE attempts.step_id = steps.step_id AND steps.operation_id = :operation""")
_STEPS = text("DELETE FROM steps WHERE operation_id = :operation")
_PEOPLE = text("DELETE FROM operation_subjects WHERE operation_id = :operation")
_PLANS = text("DELETE FROM plans WHERE operation_id = :operation")
_SERVED = text("DELETE FROM waiting_list WHERE operation_id = :operation AND served_at IS NOT NULL")
_RESERVED = text("DELETE FROM reservations WHERE operation_id = :operation")
_UNNAMED = text("""UPDATE operations SET wish = wish || '{"named": []}' WHERE operation_id = :operation""")

_GOING_ON = text("""
    SELECT operation_id FROM operations
    WHERE tenant_id = :tenant AND state <> ALL (:ends)
      AND (jsonb_exists(wish -> 'named', :subject)
           OR EXISTS (SELECT FROM operation_subjects AS people
                      WHERE people.operation_id = operations.operation_id AND people.subject_id = :subject))
    LIMIT 1""")

# Steps go with their person.
_FORGET = tuple(
    map(
        text,
        (
            """
            DELETE FROM attempts USING steps
            WHERE attempts.step_id = steps.step_id AND steps.tenant_id = :tenant AND steps.subject_id = :subject""",
            """
            DELETE FROM operation_subjects AS people USING operations
            WHERE people.operation_id = operations.operation_id
              AND operations.tenant_id = :tenant AND people.subject_id = :subject""",
            "DELETE FROM waiting_list WHERE tenant_id = :tenant AND subject_id = :subject",
            "DELETE FROM reservations WHERE tenant_id = :tenant AND subject_id = :subject",
            "DELETE FROM subject_references WHERE subject_id = :subject",
            """
            UPDATE operations SET wish = jsonb_set(wish, '{named}', (wish -> 'named') - CAST(:subject AS text))
            WHERE tenant_id = :tenant AND jsonb_exists(wish -> 'named', :subject)""",
        ),
    )
)


class SqlRetention(Store):
    def expired(self, before: datetime, limit: int) -> list[OperationId]:
        found = self._connection.scalars(_EXPIRED, {"ends": _ENDS, "before": before, "limit": limit})
        return [OperationId(each) for each in found]

    def purge(self, operation: OperationId) -> Purged:
        bound = {"operation": operation}
        if not self._changed(_LOCK, bound | {"ends": _ENDS}):
            raise ConflictError(f"Operation {operation} has not ended: nothing of it is removed.")
        attempts, steps, people, plans = (self._changed(each, bound) for each in (_ATTEMPTS, _STEPS, _PEOPLE, _PLANS))
        for rest in (_SERVED, _RESERVED, _UNNAMED):
            self._connection.execute(rest, bound)
        return Purged(people=people, steps=steps, attempts=attempts, plans=plans)

    def expired_migrations(self, before: datetime, limit: int) -> list[MigrationId]:
        return people_who_move.expired(self._connection, before, limit)

    def purge_migration(self, migration: MigrationId, at: datetime) -> int:
        return people_who_move.purge(self._connection, migration, at)

    def forget(self, tenant: TenantId, subject: SubjectId) -> int:
        bound = {"tenant": tenant, "subject": subject}
        going_on = self._connection.scalar(_GOING_ON, bound | {"ends": _ENDS})
        if going_on is not None:
            raise ConflictError(f"This person is part of operation {going_on}, which goes on: end it first.")
        moved = people_who_move.forget(self._connection, tenant, subject)
        return moved + sum(self._changed(each, bound) for each in _FORGET)
