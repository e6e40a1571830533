"""A migration as an operator's file asks for it: its tenants and people resolved, frozen, and matched at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import GraphError, InputError, UnavailableError
from provisioning.domain.ids import MigrationId, OrganisationId, SubjectId, TenantId
from provisioning.domain.migration import Migration, MigrationDefinition, Wave
from provisioning.domain.migration_file import IdentityPair, MigrationFile, Side
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.domain.rights import Action, require
from provisioning.planning.identity import Cell, Column, IdentityMap
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.lookup import get_organisation, get_tenant
from provisioning.services.migration_deeds import PeopleElsewhereError, deed
from provisioning.services.named_approvers import require_known
from provisioning.services.nameless_rows import keep_names


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """What a file comes to. `names`: who was written in a row of the map and is known to nobody."""

    definition: MigrationDefinition
    names: dict[Cell, str]
    unknown: tuple[str, ...]


class CreatedMigration(msgspec.Struct, frozen=True, kw_only=True):
    """`unknown`: rows of the identity map that name nobody in a tenant, by line and as they were written.

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
        resolved = self.resolve(asked)
        migration, unknown = self._add(identity, resolved), resolved.unknown
        try:
            matched = self.match(migration.migration_id)
        except (GraphError, UnavailableError, PeopleElsewhereError) as error:
            return CreatedMigration(migration=migration, unknown=unknown, unread=str(error))
        return CreatedMigration(migration=matched, unknown=unknown)

    def resolve(self, asked: MigrationFile) -> Resolved:
        """What the file comes to; nothing is kept. Raises as the call."""
        with self.open_uow() as uow:
            source, target = _tenant(uow, asked.source), _tenant(uow, asked.target)
            holders = _holder(uow, asked.source), _holder(uow, asked.target)
        if source == target:
            raise InputError("Source and target are the same tenant; to change product inside one takes no migration.")
        pairs, names = self._pairs(asked, source, target)
        lines = {cell.line for cell in names}
        return Resolved(
            definition=_definition(asked, (source, target), holders, pairs),
            names=names,
            unknown=tuple(
                f"line {line}: {pair.source} → {pair.target}" for line, pair in _rows(asked) if line in lines
            ),
        )

    def _pairs(self, asked: MigrationFile, source: TenantId, target: TenantId) -> tuple[IdentityMap, dict[Cell, str]]:
        """The identity map in ids, and who is known to nobody: for them the line stands in it, and no name."""
        here = self._ids(source, [pair.source for pair in asked.identity])
        there = self._ids(target, [pair.target for pair in asked.identity])
        pairs: list[tuple[SubjectId, SubjectId]] = []
        names: dict[Cell, str] = {}
        for line, pair in _rows(asked):
            cells = Cell(line, Column.SOURCE), Cell(line, Column.TARGET)
            pairs.append((here[pair.source] or cells[0].placeholder, there[pair.target] or cells[1].placeholder))
            found = ((cells[0], pair.source, here[pair.source]), (cells[1], pair.target, there[pair.target]))
            names |= {cell: name for cell, name, one in found if one is None}
        return tuple(pairs), names

    def _ids(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        """Ids as they are written; UPNs by asking the tenant."""
        names = list(dict.fromkeys(one for one in references if "@" in one))
        resolved = self.gateway.resolve_subjects(tenant, names) if names else {}
        return {one: resolved.get(one) if "@" in one else SubjectId(one.strip().lower()) for one in references}

    def _add(self, identity: Identity, resolved: Resolved) -> Migration:
        now, definition = self.clock.now(), resolved.definition
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
            keep_names(uow, migration, resolved.names)
            uow.audit.record([deed("migration.created", migration, identity.actor, now, digest=migration.digest)])
            uow.commit()
        return migration


def digest_of(definition: MigrationDefinition) -> str:
    """What tells a definition from any other."""
    return sha256(msgspec.json.encode(definition, order="deterministic")).hexdigest()


def _rows(asked: MigrationFile) -> Iterator[tuple[int, IdentityPair]]:
    """Each with the line of its file, or its place among the rows where it comes from none."""
    return ((pair.line or place, pair) for place, pair in enumerate(asked.identity, 1))


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
    pairs: IdentityMap,
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
