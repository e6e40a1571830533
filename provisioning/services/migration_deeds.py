"""What every decision about a migration has in common: whom it names, and that it is put on record."""

from datetime import datetime

from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor
from provisioning.domain.migration import Migration, Wave
from provisioning.ports import UnitOfWork
from provisioning.services.lookup import prefix_of, the_only


class PeopleElsewhereError(InputError):
    """People go along in another migration that goes on."""


def get_migration(uow: UnitOfWork, named: str) -> Migration:
    """The migration whose id is or begins with this; raises InputError when none or several do."""
    prefix = prefix_of(named, "migration")
    return uow.migrations.get(the_only(uow.migrations.starting_with(prefix), named, "migration"))


def get_wave(uow: UnitOfWork, migration: Migration, number: int) -> Wave:
    """Raises InputError, naming the waves that there are."""
    waves = {wave.number: wave for wave in uow.migrations.waves(migration.migration_id)}
    if number not in waves:
        raise InputError(f"Migration {migration.definition.name} has no wave {number}; it has {_listed(waves)}.")
    return waves[number]


def _listed(waves: dict[int, Wave]) -> str:
    return ", ".join(map(str, waves)) or "none"


def require_reason(reason: str, deed: str) -> None:
    if not reason.strip():
        raise InputError(f"{deed} needs a reason: it stays on record.")


def deed(kind: str, migration: Migration, actor: Actor, now: datetime, reason: str = "", **details: str) -> Event:
    """The audit line of a person's decision about a migration."""
    return Event(
        at=now,
        actor=actor,
        kind=kind,
        organisation=migration.definition.target_holder,
        tenant=migration.definition.target_tenant,
        reason=reason or None,
        details={"migration": migration.migration_id, **details},
    )


def require_nobody_elsewhere(uow: UnitOfWork, migration: Migration) -> None:
    """Of two migrations that write to the same person, neither leaves them as the other expects."""
    shared = uow.migrations.sharing_people(migration.migration_id)
    if not shared:
        return
    named = ", ".join(
        f"{people} of {uow.migrations.get(other).definition.name} ({other})" for other, people in sorted(shared.items())
    )
    raise PeopleElsewhereError(
        f"{migration.definition.name} names people who go along in another migration: {named}. Leave them out of one "
        "of the two, or wait until the other has ended; then match again."
    )
