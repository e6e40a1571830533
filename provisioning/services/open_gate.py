"""Evidence that mailboxes have moved: from now on Exchange may be switched on for these people in the target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.ids import Actor, SubjectId
from provisioning.domain.migration import KEPT_UNLICENSED, EvidenceSource, GateEvidence, Migration, Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.decisions import decide
from provisioning.services.gate_people import Found, find_people
from provisioning.services.migration_deeds import deed, get_migration

_UNSAID: Mapping[str, datetime] = MappingProxyType({})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_BEFORE_LICENCE = frozenset({PersonState.WAITING, PersonState.FAILED})


class GateOpened(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the evidence is about. `unknown`: references that name nobody of this migration.

    `unlicensed`: who has no licence in the target and gets none any more, because it was called off before.

    Whose mailbox moves at a moment that is still to come is `not_yet` ready; whose moved longer ago than Microsoft
    keeps it without a licence is `long_ago`: the moment is wrong, or somebody has to look whether it is still there.
    """

    migration: Migration
    ready: int
    known_before: int
    unknown: tuple[str, ...]
    unlicensed: tuple[str, ...] = ()
    not_yet: tuple[str, ...] = ()
    long_ago: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OpenGate:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock

    def __call__(
        self,
        identity: Identity,
        named: str,
        people: Sequence[str],
        source: EvidenceSource,
        reference: str,
        completed: Mapping[str, datetime] = _UNSAID,
    ) -> GateOpened:
        """`people`: ids or UPNs of either tenant; `completed`: when the mailbox had moved, of whom that is known (UTC).

        Raises InputError when the migration is completed, or for nobody.
        """
        require(identity, Action.OPEN_GATE)
        found = find_people(self.open_uow, self.gateway, named, people)
        handed_in = _HandedIn(found, source, reference, completed)
        return decide(self.open_uow, lambda uow: self._give(uow, identity, named, handed_in))

    def _give(self, uow: UnitOfWork, identity: Identity, named: str, handed_in: "_HandedIn") -> GateOpened:
        now = self.clock.now()
        migration = get_migration(uow, named)
        unlicensed = _unlicensed(uow, migration)
        evidence = {
            person: given
            for person, given in handed_in.evidence(identity.actor, now).items()
            if person not in unlicensed
        }
        new = uow.migrations.give_evidence(migration.migration_id, evidence)
        details = {"source": str(handed_in.source), "reference": handed_in.reference, "people": str(len(new))}
        uow.audit.record([deed("gate.opened", migration, identity.actor, now, **details)])
        _have_it_looked_at(uow, migration, now)
        found = handed_in.found
        return GateOpened(
            migration=migration,
            ready=len(new),
            known_before=len(evidence.keys() - new),
            unknown=tuple(name for name, one in found.items() if one is None),
            unlicensed=tuple(name for name, one in found.items() if one and one.source_id in unlicensed),
            not_yet=handed_in.not_yet(now),
            long_ago=handed_in.long_ago(now),
        )


class _HandedIn(NamedTuple):
    """One piece of evidence: whom it names, and when their mailboxes had moved where it says so."""

    found: Found
    source: EvidenceSource
    reference: str
    completed: Mapping[str, datetime]

    def not_yet(self, now: datetime) -> tuple[str, ...]:
        return tuple(name for name in self.found if name in self.completed and self.completed[name] > now)

    def long_ago(self, now: datetime) -> tuple[str, ...]:
        since = now - KEPT_UNLICENSED
        return tuple(name for name in self.found if name in self.completed and self.completed[name] < since)

    def evidence(self, given_by: Actor, now: datetime) -> dict[SubjectId, GateEvidence]:
        """By source id, in their order; of whom two references say when, the later moment counts."""
        names = {*self.not_yet(now), *self.long_ago(now)}
        doubtful = {one.source_id for name, one in self.found.items() if one and name in names}
        found: dict[SubjectId, GateEvidence] = {}
        for name, one in sorted(self.found.items(), key=lambda item: self.completed.get(item[0], _LONG_AGO)):
            if one and one.source_id not in doubtful:
                found[one.source_id] = GateEvidence(
                    source=self.source,
                    reference=self.reference,
                    given_by=given_by,
                    given_at=now,
                    completed_at=self.completed.get(name),
                )
        return dict(sorted(found.items()))


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
