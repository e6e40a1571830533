"""A migration as an operator's file asks for it: its tenants and people resolved, frozen, and matched at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import GraphError, InputError
from provisioning.domain.ids import MigrationId, OrganisationId, SubjectId, TenantId
from provisioning.domain.migration import Migration, MigrationDefinition, Wave
from provisioning.domain.migration_file import MigrationFile, Side
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.lookup import get_organisation, get_tenant
from provisioning.services.migration_deeds import PeopleElsewhereError, deed
from provisioning.services.named_approvers import require_known

Pairs = tuple[tuple[SubjectId, SubjectId], ...]


class CreatedMigration(msgspec.Struct, frozen=True, kw_only=True):
    """`unknown`: rows of the identity map that name nobody, as they were written; kept nowhere.

    `unread`: why nobody was matched yet, when a tenant could not be read or another migration has the same people;
    `migrations match` tries again.
    """

    migration: Migration
    unknown: tuple[str, ...] = ()
    unread: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreateMigration:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    match: Callable[[MigrationId], Migration]

    def __call__(self, identity: Identity, asked: MigrationFile) -> CreatedMigration:
        """Raises InputError for a tenant or holder that is not known, GraphError when the map cannot be resolved."""
        require(identity, Action.CREATE_MIGRATION)
        with self.open_uow() as uow:
            require_known(uow, identity.actor, asked.approvers, self.clock.wall())
        definition, unknown = self.resolve(asked)
        migration = self._add(identity, definition)
        try:
            matched = self.match(migration.migration_id)
        except (GraphError, PeopleElsewhereError) as error:
            return CreatedMigration(migration=migration, unknown=unknown, unread=str(error))
        return CreatedMigration(migration=matched, unknown=unknown)

    def resolve(self, asked: MigrationFile) -> tuple[MigrationDefinition, tuple[str, ...]]:
        """What the file comes to, and the rows of its map that name nobody; nothing is kept. Raises as the call."""
        with self.open_uow() as uow:
            source, target = _tenant(uow, asked.source), _tenant(uow, asked.target)
            holders = _holder(uow, asked.source), _holder(uow, asked.target)
        if source == target:
            raise InputError("Source and target are the same tenant; to change product inside one takes no migration.")
        pairs, unknown = self._pairs(asked, source, target)
        return _definition(asked, (source, target), holders, pairs), unknown

    def _pairs(self, asked: MigrationFile, source: TenantId, target: TenantId) -> tuple[Pairs, tuple[str, ...]]:
        """The identity map in ids; names rest nowhere once they are resolved."""
        here = self._ids(source, [pair.source for pair in asked.identity])
        there = self._ids(target, [pair.target for pair in asked.identity])
        found: list[tuple[SubjectId, SubjectId]] = []
        unknown: list[str] = []
        for pair in asked.identity:
            source_id, target_id = here[pair.source], there[pair.target]
            if source_id and target_id:
                found.append((source_id, target_id))
            else:
                unknown.append(f"{pair.source} → {pair.target}")
        return tuple(found), tuple(unknown)

    def _ids(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        """Ids as they are written; UPNs by asking the tenant."""
        names = list(dict.fromkeys(one for one in references if "@" in one))
        resolved = self.gateway.resolve_subjects(tenant, names) if names else {}
        return {one: resolved.get(one) if "@" in one else SubjectId(one.strip().lower()) for one in references}

    def _add(self, identity: Identity, definition: MigrationDefinition) -> Migration:
        now = self.clock.now()
        migration = Migration(
            migration_id=MigrationId(str(uuid4())),
            definition=definition,
            digest=digest_of(definition),
            state=MigrationState.NEW,
            requested_by=identity.actor,
            created_at=now,
            entered_at=now,
        )
        with self.open_uow() as uow:
            uow.migrations.add(migration, _waves(migration, now))
            uow.audit.record([deed("migration.created", migration, identity.actor, now, digest=migration.digest)])
            uow.commit()
        return migration


def digest_of(definition: MigrationDefinition) -> str:
    """What tells a definition from any other."""
    return sha256(msgspec.json.encode(definition, order="deterministic")).hexdigest()


def _waves(migration: Migration, now: datetime) -> list[Wave]:
    numbers = [wave.number for wave in migration.definition.waves]
    return [Wave(migration_id=migration.migration_id, number=number, entered_at=now) for number in numbers]


def _tenant(uow: UnitOfWork, side: Side) -> TenantId:
    return get_tenant(uow, side.tenant).tenant_id


def _holder(uow: UnitOfWork, side: Side) -> OrganisationId:
    return get_organisation(uow, side.holder).organisation_id


def _definition(
    asked: MigrationFile,
    tenants: tuple[TenantId, TenantId],
    holders: tuple[OrganisationId, OrganisationId],
    pairs: Pairs,
) -> MigrationDefinition:
    return MigrationDefinition(
        name=asked.name,
        source_tenant=tenants[0],
        target_tenant=tenants[1],
        source_holder=holders[0],
        target_holder=holders[1],
        asked_by=asked.asked_by,
        people=asked.people,
        products=asked.products,
        waves=asked.waves,
        identity=pairs,
        rules=asked.rules,
        treatments=asked.treatments,
        plan_mapping=asked.plan_mapping,
        hold_period=asked.hold_period,
        failure_threshold=asked.failure_threshold,
        window=asked.window,
        approvers=asked.approvers,
        moves_mailboxes=asked.moves_mailboxes,
    )
