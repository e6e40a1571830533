"""A person has everybody of a migration matched anew: after the map or the tenants were corrected."""

from collections.abc import Callable
from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.ids import MigrationId
from provisioning.domain.migration import Migration
from provisioning.domain.rights import Action, require
from provisioning.ports import OpenUnitOfWork
from provisioning.services.migration_deeds import get_migration


@dataclass(frozen=True, kw_only=True)
class MatchAgain:
    """`match`: reads both tenants and stores everybody's situation; raises InputError once a wave has begun."""

    open_uow: OpenUnitOfWork
    match: Callable[[MigrationId], Migration]

    def __call__(self, identity: Identity, named: str) -> Migration:
        """Raises InputError for no such migration, GraphError when a tenant cannot be read."""
        require(identity, Action.CREATE_MIGRATION)
        with self.open_uow() as uow:
            migration = get_migration(uow, named)
        return self.match(migration.migration_id)
