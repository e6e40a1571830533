"""A school moves to another board's tenant: that is a migration, which an operator prepares from a draft (S23).

The migration is found again by who asked for it; its gates, waves and plans have their own approvals.
"""

from collections import Counter
from datetime import datetime
from typing import cast

from provisioning.domain.migration import Migration
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.reasons import Reason
from provisioning.domain.ticket import Ticket
from provisioning.domain.ticket_wishes import MoveSchool, wish_of
from provisioning.planning.ticket_turn import Progress, Standing
from provisioning.ports import UnitOfWork
from provisioning.services.agreement.parties import find_tenant
from provisioning.services.ticket_work import WithoutOperations


class MoveSchoolWork(WithoutOperations):
    def standing(self, uow: UnitOfWork, ticket: Ticket, now: datetime) -> Standing:  # noqa: ARG002
        migrations = [one for one in uow.migrations.asked_by(ticket.cause) if _is_of(uow, one, ticket)]
        if not migrations or migrations[-1].state is MigrationState.ABORTED:
            return Standing(progress=Progress.STUCK, reason=Reason.MIGRATION_TO_PREPARE)
        return _standing(uow, migrations[-1])


def _is_of(uow: UnitOfWork, migration: Migration, ticket: Ticket) -> bool:
    """Anybody can write a reference into a file: the tenants and the board must be those of the ticket too."""
    wish, definition = cast("MoveSchool", wish_of(ticket.kind, ticket.given)), migration.definition
    named = (find_tenant(uow, wish.from_tenant), find_tenant(uow, wish.to_tenant))
    tenants = [one.tenant_id for one in named if one is not None]
    is_same = tenants == [definition.source_tenant, definition.target_tenant]
    return is_same and definition.target_holder == wish.to_board


def _standing(uow: UnitOfWork, migration: Migration) -> Standing:
    """A migration has an end, too, when people of it failed or went back: then the school has not moved wholly."""
    people = sum(uow.migrations.counts(migration.migration_id).values(), Counter[PersonState]())
    moved, left_out = people[PersonState.RELEASED], people[PersonState.LEFT_OUT]
    others = people.total() - moved - left_out
    counts = {"migration": str(migration.migration_id)}
    if migration.state is not MigrationState.COMPLETED:
        return Standing(progress=Progress.RUNNING, counts=counts)
    counts |= {"people_moved": str(moved), "people_left_out": str(left_out), "people_not_moved": str(others)}
    return Standing(progress=Progress.ENDED, counts=counts, is_whole=not others)
