"""Evidence that mailboxes have moved: from now on Exchange may be switched on for these people in the target."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import EvidenceSource, GateEvidence, Migration, Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.decisions import decide
from provisioning.services.gate_people import Found, find_people
from provisioning.services.migration_deeds import deed, get_migration

_BEFORE_LICENCE = frozenset({PersonState.WAITING, PersonState.FAILED})


class GateOpened(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the evidence is about. `unknown`: references that name nobody of this migration.

    `unlicensed`: who has no licence in the target and gets none any more, because it was called off before.
    """

    migration: Migration
    ready: int
    known_before: int
    unknown: tuple[str, ...]
    unlicensed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OpenGate:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock

    def __call__(
        self, identity: Identity, named: str, people: Sequence[str], source: EvidenceSource, reference: str
    ) -> GateOpened:
        """`people`: ids or UPNs of either tenant. Raises InputError when the migration is completed, or for nobody."""
        require(identity, Action.OPEN_GATE)
        found = find_people(self.open_uow, self.gateway, named, people)
        return decide(self.open_uow, lambda uow: self._give(uow, identity, named, found, source, reference))

    def _give(
        self,
        uow: UnitOfWork,
        identity: Identity,
        named: str,
        found: Found,
        source: EvidenceSource,
        reference: str,
    ) -> GateOpened:
        now = self.clock.now()
        migration = get_migration(uow, named)
        unlicensed = _unlicensed(uow, migration)
        people = {one.source_id for one in found.values() if one} - unlicensed
        evidence = GateEvidence(source=source, reference=reference, given_by=identity.actor, given_at=now)
        new = uow.migrations.give_evidence(migration.migration_id, dict.fromkeys(sorted(people), evidence))
        details = {"source": str(source), "reference": reference, "people": str(len(new))}
        uow.audit.record([deed("gate.opened", migration, identity.actor, now, **details)])
        _have_it_looked_at(uow, migration, now)
        return GateOpened(
            migration=migration,
            ready=len(new),
            known_before=len(people - new),
            unknown=tuple(name for name, one in found.items() if one is None),
            unlicensed=tuple(name for name, one in found.items() if one and one.source_id in unlicensed),
        )


def _unlicensed(uow: UnitOfWork, migration: Migration) -> set[SubjectId]:
    """Whom a migration that was called off has given nothing, and will give nothing: Exchange cannot come on there."""
    if migration.state is not MigrationState.ABORTED:
        return set()
    people = uow.migrations.travellers(migration.migration_id, states=_BEFORE_LICENCE)
    return {one.source_id for one in people if one.state is PersonState.WAITING or one.failed_in is Phase.PREPARE}


def _have_it_looked_at(uow: UnitOfWork, migration: Migration, now: datetime) -> None:
    """One that was called off is looked at no more unless somebody says so; its last look may be going on now."""
    if migration.state is MigrationState.ABORTED:
        uow.migrations.save(msgspec.structs.replace(migration, due_at=now))
    else:
        uow.migrations.postpone(migration.migration_id, now)
