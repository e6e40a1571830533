"""Whom references in evidence mean: ids of either tenant as they are, sign-in names as the tenants know them."""

from collections.abc import Mapping, Sequence

from provisioning.domain.errors import InputError
from provisioning.domain.migration import Migration, Traveller
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.ports import LicenceGateway, OpenUnitOfWork
from provisioning.services.migration_deeds import get_migration

Found = Mapping[str, Traveller | None]


def find_people(open_uow: OpenUnitOfWork, gateway: LicenceGateway, named: str, references: Sequence[str]) -> Found:
    """By reference; None: nobody of the migration. Raises InputError when that is completed, or for no reference."""
    if not references:
        raise InputError("The evidence names nobody whose mailbox has moved; nothing was changed.")
    with open_uow() as uow:
        migration = get_migration(uow, named)
        by_id = _by_id(uow.migrations.travellers(migration.migration_id))
    if migration.state is MigrationState.COMPLETED:  # called off, mailboxes may still arrive
        raise InputError(f"Migration {migration.definition.name} is {migration.state}; its gates are closed.")
    return _found(gateway, migration, references, by_id)


def _found(
    gateway: LicenceGateway, migration: Migration, references: Sequence[str], by_id: Mapping[str, Traveller]
) -> Found:
    """UPNs are asked for in the target, then in the source."""
    found = {reference: by_id.get(reference.strip().lower()) for reference in references}
    for tenant in (migration.definition.target_tenant, migration.definition.source_tenant):
        unresolved = [reference for reference, one in found.items() if one is None and "@" in reference]
        if unresolved:
            ids = gateway.resolve_subjects(tenant, unresolved)
            found |= {reference: by_id.get(subject or "") for reference, subject in ids.items()}
    return found


def _by_id(travellers: Sequence[Traveller]) -> dict[str, Traveller]:
    return {str(one.target_id): one for one in travellers if one.target_id} | {
        str(one.source_id): one for one in travellers
    }
