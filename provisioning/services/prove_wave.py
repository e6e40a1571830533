"""What a look at both tenants proved of a wave, and for how long: the first write of it rests on that.

Renewed it is by a person who looks again; parts that waited for it go on by themselves.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.ids import Actor, MigrationId
from provisioning.domain.migration import Migration, Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, may, require
from provisioning.planning.preflight import Preflight
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.check_wave import WaveNotReadyError
from provisioning.services.decisions import decide
from provisioning.services.migration_deeds import deed, get_migration, get_wave
from provisioning.services.retry_wave import RetryWave


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `is_noted`: the wave has begun, nothing is in its way, and this is its proof from now on."""

    found: Preflight
    is_noted: bool


@dataclass(frozen=True, kw_only=True)
class ProveWave:
    """Anybody may look; only whoever steers a migration renews the proof of a wave that has begun."""

    open_uow: OpenUnitOfWork
    clock: Clock
    check: Callable[..., Preflight]  # as CheckWave

    def __call__(self, identity: Identity, named: str, number: int) -> Proof:
        """Raises GraphError when a tenant cannot be read, InputError for no such wave."""
        found = self.check(named, number)
        is_proof = found.is_clear and may(identity, Action.STEER_MIGRATION)
        return Proof(found=found, is_noted=is_proof and self._note(identity, named, number, found))

    def require_for_retry(self, identity: Identity, migration_id: MigrationId, number: int) -> None:
        """Looks at who failed while their wave was prepared, too. Raises WaveNotReadyError when nobody can be served.

        Five found no seat and three were bought: that is in nobody's way.
        """
        found = self.check(migration_id, number, again=True)
        if found.is_in_the_way_of_all:
            raise WaveNotReadyError(number, found)
        self._note(identity, migration_id, number, found)

    def _note(self, identity: Identity, named: str, number: int, found: Preflight) -> bool:
        return decide(self.open_uow, lambda uow: self._decide(uow, identity.actor, named, number, found.checked_at))

    def _decide(self, uow: UnitOfWork, actor: Actor, named: str, number: int, checked_at: datetime) -> bool:
        now = self.clock.now()
        migration = get_migration(uow, named)
        wave = get_wave(uow, migration, number)
        if migration.state is MigrationState.ABORTED or wave.state is WaveState.WAITING:  # a start looks by itself
            return False
        uow.migrations.save_wave(msgspec.structs.replace(wave, proven_at=checked_at))
        for operation in _held_up(uow, migration, number):
            uow.operations.postpone(operation.operation_id, now)
        uow.audit.record([deed("wave.proven", migration, actor, now, wave=str(number))])
        uow.migrations.save(migration)
        return True


def _held_up(uow: UnitOfWork, migration: Migration, number: int) -> Iterable[Operation]:
    for one in uow.migrations.operations_of(migration.migration_id):
        part = one.wish.part
        if part is not None and part.wave == number and one.reason is Reason.PREFLIGHT_EXPIRED:
            yield one


@dataclass(frozen=True, kw_only=True)
class RetryProven:
    """As `RetryWave`, after a look at both tenants when people begin from the start."""

    open_uow: OpenUnitOfWork
    prove: ProveWave
    retry: RetryWave

    def __call__(self, identity: Identity, named: str, number: int, reason: str) -> int:
        """Raises WaveNotReadyError when nobody of them can be served, and whatever `RetryWave` raises."""
        require(identity, Action.STEER_MIGRATION)
        with self.open_uow() as uow:
            migration = get_migration(uow, named)
            get_wave(uow, migration, number)
            failed = uow.migrations.travellers(migration.migration_id, wave=number, states=[PersonState.FAILED])
        is_alive = migration.state is not MigrationState.ABORTED
        if is_alive and any(one.failed_in is Phase.PREPARE for one in failed):
            self.prove.require_for_retry(identity, migration.migration_id, number)
        return self.retry(identity, named, number, reason)
