"""Looks at every migration whose time has come."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import MigrationId
from provisioning.domain.limits import Limits
from provisioning.ports import Clock, OpenUnitOfWork

_AT_ONCE = 100
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class SweepMigrations:
    """Returns how many operations were begun."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits
    advance: Callable[[MigrationId], int]

    def __call__(self) -> int:
        now = self.clock.now()
        with self.open_uow() as uow:
            due = uow.migrations.claim_due(now, now + self.limits.migration_poll, _AT_ONCE)
            uow.commit()
        return sum(map(self._advance, due))

    def _advance(self, migration: MigrationId) -> int:
        try:
            return self.advance(migration)
        except ConflictError:  # a person decided something in between: the next look knows it
            _log.info("migration.overtaken", migration_id=migration)
            return 0
