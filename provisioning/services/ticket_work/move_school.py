"""A school moves to another board's tenant: that is a migration, which an operator prepares from a draft (S23).

The migration is found again by who asked for it; its gates, waves and plans have their own approvals.
"""

from datetime import datetime

from provisioning.domain.migration import Migration
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Ticket
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.ports import UnitOfWork
from provisioning.services.ticket_work import WithoutOperations


class MoveSchoolWork(WithoutOperations):
    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing:  # noqa: ARG002
        migrations = [one for one in uow.migrations.list_by() if one.definition.asked_by == ticket.cause]
        if not migrations or migrations[-1].state is MigrationState.ABORTED:
            return Standing(progress=Progress.STUCK, reason=Reason.MIGRATION_TO_PREPARE)
        return _standing(migrations[-1])


def _standing(migration: Migration) -> Standing:
    counts = {"migration": str(migration.migration_id)}
    is_over = migration.state is MigrationState.COMPLETED
    return Standing(progress=Progress.ENDED if is_over else Progress.RUNNING, counts=counts)
