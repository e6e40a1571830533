"""Only those who failed are tried again, each where they failed; or a whole wave goes back to where it came from."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.migration import Migration, Phase, Traveller, Wave
from provisioning.domain.migration_lifecycle import (
    MIGRATION_ENDS,
    WAVE_TRANSITIONS,
    PersonState,
    WaveState,
    advance_person,
    advance_wave,
)
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.migration_deeds import decide, deed, get_migration, get_wave, require_reason

_AGAIN: Mapping[Phase, PersonState] = {
    Phase.PREPARE: PersonState.WAITING,
    Phase.ENABLE: PersonState.PREPARED,
    Phase.RELEASE: PersonState.ENABLED,
    Phase.UNDO_SOURCE: PersonState.RELEASED,  # the old licence first, again
    Phase.UNDO_TARGET: PersonState.ROLLING_BACK,
}


@dataclass(frozen=True, kw_only=True)
class RetryWave:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, named: str, number: int, reason: str) -> int:
        """How many people are tried again. Raises InputError when nobody of the wave failed."""
        require(identity, Action.STEER_MIGRATION)
        require_reason(reason, "Trying people again")
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, number, reason))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, number: int, reason: str) -> int:
        now = self.clock.now()
        migration = get_migration(uow, named)
        _require_alive(migration)
        wave = get_wave(uow, migration, number)
        failed = uow.migrations.travellers(migration.migration_id, wave=number, states=[PersonState.FAILED])
        if not failed:
            raise InputError(f"Nobody of wave {number} failed; there is nothing to try again.")
        uow.migrations.save_travellers(migration.migration_id, [_again(one) for one in failed])
        details = {"wave": str(wave.number), "people": str(len(failed))}
        uow.audit.record([deed("wave.retried", migration, identity.actor, now, reason, **details)])
        uow.migrations.save(msgspec.structs.replace(migration, due_at=now))
        return len(failed)


@dataclass(frozen=True, kw_only=True)
class RollBackWave:
    """Only what the wave did is undone, and only for people who are still as we left them."""

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, named: str, number: int, reason: str) -> Wave:
        """Raises InputError when the wave did nothing yet, or has ended."""
        require(identity, Action.STEER_MIGRATION)
        require_reason(reason, "Rolling a wave back")
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, number, reason))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, number: int, reason: str) -> Wave:
        now = self.clock.now()
        migration = get_migration(uow, named)
        _require_alive(migration)
        wave = get_wave(uow, migration, number)
        if WaveState.ROLLING_BACK not in WAVE_TRANSITIONS[wave.state]:
            raise InputError(f"Wave {number} is {wave.state}: there is nothing to roll back.")
        wave = msgspec.structs.replace(
            wave, state=advance_wave(wave.state, WaveState.ROLLING_BACK), entered_at=now, asked_by=identity.actor
        )
        uow.migrations.save_wave(wave)
        uow.audit.record([deed("wave.rolling_back", migration, identity.actor, now, reason, wave=str(number))])
        uow.migrations.save(msgspec.structs.replace(migration, due_at=now))
        return wave


def _require_alive(migration: Migration) -> None:
    if migration.state in MIGRATION_ENDS:
        raise InputError(
            f"Migration {migration.definition.name} is {migration.state}; nothing of it is changed any more."
        )


def _again(traveller: Traveller) -> Traveller:
    phase = traveller.failed_in or Phase.PREPARE
    return msgspec.structs.replace(
        traveller,
        state=advance_person(PersonState.FAILED, _AGAIN[phase]),
        reason=None,
        failed_in=None,
        operation_id=None,
    )
