"""A person pauses a migration, lets it go on, or calls it off; each with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.migration import Migration
from provisioning.domain.migration_lifecycle import MIGRATION_TRANSITIONS, MigrationState
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.cancel_part import cancel_unless_at_work
from provisioning.services.decisions import decide
from provisioning.services.failures_seen import note_failures_seen
from provisioning.services.migration_deeds import deed, get_migration, require_reason

_DEEDS: Mapping[MigrationState, str] = {
    MigrationState.PAUSED: "pausing",
    MigrationState.RUNNING: "resuming",
    MigrationState.ABORTED: "calling off",
}
_REASONS: Mapping[MigrationState, Reason] = {
    MigrationState.PAUSED: Reason.MIGRATION_PAUSED,
    MigrationState.ABORTED: Reason.MIGRATION_ABORTED,
}


@dataclass(frozen=True, kw_only=True)
class SteerMigration:
    """Paused: nothing new is begun, and no further chunk leaves.

    Called off: both tenants stay as they are, but that Exchange still comes on for whoever's mailbox has moved.
    """

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, named: str, goal: MigrationState, reason: str) -> Migration:
        """`goal`: paused, running or aborted. Raises InputError when the migration cannot go there from where it is."""
        require(identity, Action.STEER_MIGRATION)
        require_reason(reason, f"{_DEEDS[goal].capitalize()} a migration")
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, goal, reason))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, goal: MigrationState, reason: str) -> Migration:
        now = self.clock.now()
        migration = get_migration(uow, named)
        _require_way(migration, goal)
        if goal is MigrationState.ABORTED:
            for operation in uow.migrations.operations_of(migration.migration_id):
                if not operation.wish.is_for_mailboxes:
                    cancel_unless_at_work(uow, operation, Reason.MIGRATION_ABORTED, now)
        if goal is MigrationState.RUNNING:
            note_failures_seen(uow, migration)
        uow.audit.record([deed(f"migration.{goal}", migration, identity.actor, now, reason)])
        return uow.migrations.save(
            msgspec.structs.replace(migration, state=goal, reason=_REASONS.get(goal), entered_at=now, due_at=now)
        )


def _require_way(migration: Migration, goal: MigrationState) -> None:
    if goal is MigrationState.RUNNING and migration.state is not MigrationState.PAUSED:
        raise InputError(f"Migration {migration.definition.name} is {migration.state}, not paused: nothing to resume.")
    if goal not in MIGRATION_TRANSITIONS[migration.state]:
        raise InputError(
            f"Migration {migration.definition.name} is {migration.state}; {_DEEDS[goal]} it makes no sense any more."
            if migration.state is not goal
            else f"Migration {migration.definition.name} is {goal} already."
        )
