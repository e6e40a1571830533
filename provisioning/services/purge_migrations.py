"""The people of migrations that ended long ago go, in the definitions too; what was done stays in the audit log."""

from dataclasses import dataclass
from datetime import datetime

from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, MigrationId
from provisioning.domain.limits import Limits
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.purging import purge_all

_FOUND_AT_ONCE = 20


@dataclass(frozen=True, kw_only=True)
class PurgeMigrations:
    """Returns of how many migrations; each is a transaction of its own."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits

    def __call__(self) -> int:
        now = self.clock.now()
        return purge_all(lambda: self._expired(now - self.limits.operational_kept), lambda one: self._purge(one, now))

    def _expired(self, before: datetime) -> list[MigrationId]:
        with self.open_uow() as uow:
            return uow.retention.expired_migrations(before, _FOUND_AT_ONCE)

    def _purge(self, migration_id: MigrationId, now: datetime) -> None:
        with self.open_uow() as uow:
            definition = uow.migrations.get(migration_id).definition
            people = uow.retention.purge_migration(migration_id, now)
            event = Event(
                at=now,
                actor=SYSTEM,
                kind="migration.purged",
                organisation=definition.source_holder,
                tenant=definition.source_tenant,
                details={"migration": migration_id, "people": str(people)},
            )
            uow.audit.record([event])
            uow.commit()
