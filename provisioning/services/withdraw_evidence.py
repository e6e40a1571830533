"""Evidence that was wrong is taken back, as long as Exchange is not on its way for the person."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.migration import Migration, Phase, Traveller
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, LicenceGateway, OpenUnitOfWork, UnitOfWork
from provisioning.services.decisions import decide
from provisioning.services.gate_people import Found, find_people
from provisioning.services.migration_deeds import deed, get_migration, require_reason

_BEFORE = frozenset({PersonState.WAITING, PersonState.PREPARING, PersonState.PREPARED})


class GateClosed(msgspec.Struct, frozen=True, kw_only=True):
    """Whose evidence is gone. `too_late`: of whom Exchange is on, or on its way; `without`: who had none."""

    migration: Migration
    withdrawn: int
    without: int
    too_late: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WithdrawEvidence:
    open_uow: OpenUnitOfWork
    gateway: LicenceGateway
    clock: Clock

    def __call__(self, identity: Identity, named: str, people: Sequence[str], reason: str) -> GateClosed:
        """`people`: ids or UPNs of either tenant. Raises InputError when the migration has ended, or for nobody."""
        require(identity, Action.OPEN_GATE)
        require_reason(reason, "Withdrawing evidence")
        found = find_people(self.open_uow, self.gateway, named, people)
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, found, reason))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, found: Found, reason: str) -> GateClosed:
        """With the migration's version: a worker who read the evidence before writes nothing on the ground of it."""
        now, migration = self.clock.now(), get_migration(uow, named)
        meant = {one.source_id: name for name, one in found.items() if one}
        known = [one for one in uow.migrations.travellers(migration.migration_id) if one.source_id in meant]
        proven = [one for one in known if one.evidence]
        early = [one.source_id for one in proven if _is_before_exchange(one)]
        if early:
            uow.migrations.withdraw_evidence(migration.migration_id, early)
            details = {"people": str(len(early))}
            uow.audit.record([deed("gate.withdrawn", migration, identity.actor, now, reason, **details)])
            uow.migrations.save(migration)
        return GateClosed(
            migration=migration,
            withdrawn=len(early),
            without=len(known) - len(proven),
            too_late=tuple(meant[one.source_id] for one in proven if not _is_before_exchange(one)),
            unknown=tuple(name for name, one in found.items() if one is None),
        )


def _is_before_exchange(one: Traveller) -> bool:
    return one.state in _BEFORE or (one.state is PersonState.FAILED and one.failed_in is Phase.PREPARE)
