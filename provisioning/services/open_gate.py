"""Evidence that mailboxes have moved: from now on Exchange may be switched on for these people in the target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.ids import SubjectId
from provisioning.domain.migration import EvidenceSource, GateEvidence, Migration, Traveller
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.migration_deeds import decide, deed, get_migration


class GateOpened(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the evidence is about. `unknown`: references that name nobody of this migration."""

    migration: Migration
    ready: int
    known_before: int
    unknown: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OpenGate:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock

    def __call__(
        self, identity: Identity, named: str, people: Sequence[str], source: EvidenceSource, reference: str
    ) -> GateOpened:
        """`people`: ids or UPNs of either tenant. Raises InputError when the migration has ended, or for nobody."""
        require(identity, Action.OPEN_GATE)
        if not people:
            raise InputError("The evidence names nobody whose mailbox has moved; nothing was changed.")
        with self.open_uow() as uow:
            migration = get_migration(uow, named)
            by_id = _by_id(uow.migrations.travellers(migration.migration_id))
        if migration.state in MIGRATION_ENDS:
            raise InputError(f"Migration {migration.definition.name} is {migration.state}; its gates are closed.")
        found = self._found(migration, people, by_id)
        return decide(self.open_uow, lambda uow: self._give(uow, identity, named, found, source, reference))

    def _found(
        self, migration: Migration, people: Sequence[str], by_id: Mapping[str, Traveller]
    ) -> dict[str, Traveller | None]:
        """Ids as they are; UPNs are asked for in the target, then in the source."""
        found = {reference: by_id.get(reference.strip().lower()) for reference in people}
        for tenant in (migration.definition.target_tenant, migration.definition.source_tenant):
            unresolved = [reference for reference, one in found.items() if one is None and "@" in reference]
            if unresolved:
                ids = self.gateway.resolve_subjects(tenant, unresolved)
                found |= {reference: by_id.get(subject or "") for reference, subject in ids.items()}
        return found

    def _give(
        self,
        uow: UnitOfWork,
        identity: Identity,
        named: str,
        found: Mapping[str, Traveller | None],
        source: EvidenceSource,
        reference: str,
    ) -> GateOpened:
        now = self.clock.now()
        migration = get_migration(uow, named)
        people: set[SubjectId] = {one.source_id for one in found.values() if one}
        evidence = GateEvidence(source=source, reference=reference, given_by=identity.actor, given_at=now)
        new = uow.migrations.give_evidence(migration.migration_id, dict.fromkeys(sorted(people), evidence))
        details = {"source": str(source), "reference": reference, "people": str(len(new))}
        uow.audit.record([deed("gate.opened", migration, identity.actor, now, **details)])
        uow.migrations.postpone(migration.migration_id, now)
        return GateOpened(
            migration=migration,
            ready=len(new),
            known_before=len(people - new),
            unknown=tuple(name for name, one in found.items() if one is None),
        )


def _by_id(travellers: Sequence[Traveller]) -> dict[str, Traveller]:
    return {str(one.target_id): one for one in travellers if one.target_id} | {
        str(one.source_id): one for one in travellers
    }
