"""Whoever lets a migration go on has seen what failed in it: its threshold counts from there."""

import msgspec

from provisioning.domain.migration import Migration
from provisioning.domain.migration_lifecycle import UNDER_WAY
from provisioning.planning.migration_turn import failed_by_wave
from provisioning.ports import UnitOfWork
from provisioning.services.advance_migration import failing


def note_failures_seen(uow: UnitOfWork, migration: Migration) -> None:
    """By wave, for how many people it went wrong until now, whether or not their operation has ended.

    In the transaction of the decision, which the migration's version keeps apart from a look at it.
    """
    travellers = uow.migrations.travellers(migration.migration_id)
    at_work = {one.operation_id for one in travellers if one.state in UNDER_WAY}
    operations = uow.migrations.operations_of(migration.migration_id)
    seen = failed_by_wave(travellers) + failing(uow, [one for one in operations if one.operation_id in at_work])
    for wave in uow.migrations.waves(migration.migration_id):
        if wave.failures_seen != seen[wave.number]:
            uow.migrations.save_wave(msgspec.structs.replace(wave, failures_seen=seen[wave.number]))
