"""Everything a rehearsal is played from, read from the live installation: nothing is written in either tenant."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.ids import OperationId, OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.migration import MatchRule, MigrationDefinition
from provisioning.domain.migration_file import MigrationFile
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS, MigrationState
from provisioning.domain.rights import Action, require
from provisioning.planning.masks import KEY_ROW, Masks, MasksInOrder
from provisioning.planning.rehearsal_script import Disguise, disguised, masked_binding
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.copy_known import Known, read_known
from provisioning.services.create_migration import Resolved, digest_of
from provisioning.services.migration_deeds import get_migration
from provisioning.services.nameless_rows import map_of, open_rows
from provisioning.services.take_snapshot import Snapshot, TakeSnapshot

Keys = Mapping[SubjectId, Mapping[MatchRule, str]]


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant as the twin will have it: its seed, what its people are matched by, and seats that are spoken for.

    `promised`: who is to get a product by an operation of now, whether they hold it yet or not.
    """

    tenant_id: TenantId
    seed: bytes
    keys: Keys
    promised: dict[SkuId, frozenset[SubjectId]] = {}


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """All of it in pseudonyms but `names`: who is behind each of them, for the report of whoever asked for it."""

    asked: MigrationFile
    digest: str
    taken_at: datetime
    known: Known
    source: Copied
    target: Copied
    names: Mapping[SubjectId, SubjectId]
    remarks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PrepareRehearsal:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock
    resolve: Callable[[MigrationFile], Resolved]
    take_snapshot: TakeSnapshot

    def __call__(
        self, identity: Identity, asked: MigrationFile | str, read: Callable[[Snapshot], Iterable[bytes]] = iter
    ) -> Script:
        """`asked`: a file, or a migration that was created. `read` may show how far a snapshot is.

        Raises InputError as creating does, GraphError when a tenant cannot be read.
        """
        require(identity, Action.TAKE_SNAPSHOT)
        definition, digest, unknown = self._definition(asked)
        snapshots = self._snapshots(identity, definition)
        seeds = [b"".join(read(snapshot)) for snapshot in snapshots]
        disguise, known, promised = self._known(definition, snapshots)
        tenants = (definition.source_tenant, definition.target_tenant)
        masks = (disguise.source, disguise.target)
        source, target = (
            Copied(
                tenant_id=tenant, seed=own.dealt_anew(seed), keys=self._keys(tenant, own, definition.rules, disguise)
            )
            for tenant, seed, own in zip(tenants, seeds, masks, strict=True)
        )
        return Script(
            asked=disguised(definition, disguise),
            digest=digest,
            taken_at=self.clock.now(),
            known=known,
            source=source,
            target=msgspec.structs.replace(target, promised=promised),
            names={
                own.of(one): one for own, taken in zip(masks, snapshots, strict=True) for one in sorted(taken.people)
            },
            remarks=(*_unknown(unknown), *_remarks(snapshots)),
        )

    def _definition(self, asked: MigrationFile | str) -> tuple[MigrationDefinition, str, tuple[str, ...]]:
        """With its digest, as it would be or is live, and the rows that name nobody."""
        if isinstance(asked, MigrationFile):
            resolved = self.resolve(asked)
            return resolved.definition, digest_of(resolved.definition), resolved.unknown
        with self.open_uow() as uow:
            migration = get_migration(uow, asked)
            identity = map_of(migration, open_rows(uow, migration))
        return msgspec.structs.replace(migration.definition, identity=identity), migration.digest, ()

    def _snapshots(self, identity: Identity, definition: MigrationDefinition) -> tuple[Snapshot, Snapshot]:
        selectors = [definition.people, *(wave.selector for wave in definition.waves)]
        return (
            self.take_snapshot(identity, definition.source_tenant, selectors=selectors),
            self.take_snapshot(identity, definition.target_tenant),
        )

    def _known(
        self, definition: MigrationDefinition, snapshots: Sequence[Snapshot]
    ) -> tuple[Disguise, Known, dict[SkuId, frozenset[SubjectId]]]:
        tenants = (definition.source_tenant, definition.target_tenant)
        holders: tuple[OrganisationId, ...] = (definition.source_holder, definition.target_holder)
        today = dutch_day(self.clock.now())
        with self.open_uow() as uow:
            by_tenant = {
                tenant: _masks(uow, tenant, taken.people) for tenant, taken in zip(tenants, snapshots, strict=True)
            }
            known = read_known(
                uow, tenants, holders, today, lambda binding: masked_binding(binding, by_tenant[binding.tenant_id])
            )
            target = by_tenant[definition.target_tenant]
            own = _own_operations(uow, definition)
            promised = {
                pair.target_sku: frozenset(map(target.of, _reserved_by_others(uow, tenants[1], pair.target_sku, own)))
                for pair in definition.products
            }
        return Disguise(by_tenant[definition.source_tenant], target), known, promised

    def _keys(self, tenant: TenantId, own: Masks, rules: Sequence[MatchRule], disguise: Disguise) -> Keys:
        """What people carry under the rules of matching, made unreadable in the same way in both tenants."""
        keys: dict[SubjectId, dict[MatchRule, str]] = {}
        for rule in rules:
            for person, text in self.gateway.read_match_keys(tenant, rule).items():
                keys.setdefault(own.of(person), {})[rule] = disguise.key(text)
        return keys


def _own_operations(uow: UnitOfWork, definition: MigrationDefinition) -> list[OperationId]:
    """Those of this very migration, where it has begun: what they reserved is for the people who are rehearsed."""
    digest = digest_of(definition)
    alive = [state for state in MigrationState if state not in MIGRATION_ENDS]
    same = [one.migration_id for one in uow.migrations.list_by(alive) if one.digest == digest]
    return [operation.operation_id for one in same for operation in uow.migrations.operations_of(one)]


def _reserved_by_others(uow: UnitOfWork, tenant: TenantId, sku: SkuId, own: Iterable[OperationId]) -> set[SubjectId]:
    reserved = uow.seats.reserved(tenant, sku)
    return reserved.intersection(*(uow.seats.reserved(tenant, sku, apart_from=one) for one in own))


def _masks(uow: UnitOfWork, tenant: TenantId, people: Iterable[SubjectId]) -> MasksInOrder:
    """With the key of its snapshots: it is there since the first one was taken."""
    return MasksInOrder(uow.audit.pseudonyms(tenant, [KEY_ROW])[KEY_ROW], people)


def _unknown(rows: Sequence[str]) -> list[str]:
    return [f"{len(rows)} rows of the identity map name nobody; creating the migration says which."] if rows else []


def _remarks(snapshots: Iterable[Snapshot]) -> list[str]:
    return [f"{snapshot.domain}: {remark}" for snapshot in snapshots for remark in snapshot.summary.remarks]
