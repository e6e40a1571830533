"""Who failed is tried again where they failed, or goes back; or a whole wave goes back to where it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.ids import Actor
from provisioning.domain.migration import FORWARD, Migration, Phase, Traveller, Wave
from provisioning.domain.migration_lifecycle import (
    MIGRATION_ENDS,
    WAVE_ENDS,
    WAVE_TRANSITIONS,
    MigrationState,
    PersonState,
    WaveState,
    advance_migration,
    advance_person,
    advance_wave,
)
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.cancel_part import cancel_unless_at_work
from provisioning.services.migration_deeds import decide, deed, get_migration, get_wave, require_reason

_AGAIN: Mapping[Phase, PersonState] = {
    Phase.PREPARE: PersonState.WAITING,
    Phase.ENABLE: PersonState.PREPARED,
    Phase.RELEASE: PersonState.ENABLED,
    Phase.UNDO_SOURCE: PersonState.RELEASED,  # the old licence first, again
    Phase.UNDO_TARGET: PersonState.ROLLING_BACK,
}


_ON_THE_WAY_IN = frozenset({Phase.PREPARE, Phase.ENABLE})


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
        if migration.state is not MigrationState.COMPLETED:
            _require_alive(migration)
        wave = get_wave(uow, migration, number)
        failed = uow.migrations.travellers(migration.migration_id, wave=number, states=[PersonState.FAILED])
        if not failed:
            raise InputError(f"Nobody of wave {number} failed; there is nothing to try again.")
        again = [_again(one) for one in failed]
        uow.migrations.save_travellers(migration.migration_id, again)
        uow.migrations.save_wave(_reopened(wave, again, identity.actor, now))
        details = {"wave": str(wave.number), "people": str(len(failed))}
        uow.audit.record([deed("wave.retried", migration, identity.actor, now, reason, **details)])
        uow.migrations.save(_alive(migration, now))
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
        if wave.state in WAVE_ENDS or WaveState.ROLLING_BACK not in WAVE_TRANSITIONS[wave.state]:
            raise InputError(f"Wave {number} is {wave.state}: there is nothing to roll back.")
        wave = msgspec.structs.replace(
            wave, state=advance_wave(wave.state, WaveState.ROLLING_BACK), entered_at=now, asked_by=identity.actor
        )
        uow.migrations.save_wave(wave)
        for operation in _forward(uow, migration, number):
            cancel_unless_at_work(uow, operation, Reason.WAVE_ROLLED_BACK, now)
        uow.audit.record([deed("wave.rolling_back", migration, identity.actor, now, reason, wave=str(number))])
        uow.migrations.save(msgspec.structs.replace(migration, due_at=now))
        return wave


@dataclass(frozen=True, kw_only=True)
class RollBackFailed:
    """Who failed on the way into the target goes back; the others of the wave go on."""

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, named: str, number: int, reason: str) -> int:
        """How many people go back. Raises InputError when nobody of the wave failed before their release."""
        require(identity, Action.STEER_MIGRATION)
        require_reason(reason, "Rolling people back")
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, number, reason))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, number: int, reason: str) -> int:
        now = self.clock.now()
        migration = get_migration(uow, named)
        if migration.state is not MigrationState.COMPLETED:
            _require_alive(migration)
        wave = get_wave(uow, migration, number)
        failed = uow.migrations.travellers(migration.migration_id, wave=number, states=[PersonState.FAILED])
        back = [_turned_back(one) for one in failed if one.failed_in in _ON_THE_WAY_IN]
        if not back:
            raise InputError(f"Nobody of wave {number} failed on the way into the target: nothing to roll back.")
        uow.migrations.save_travellers(migration.migration_id, back)
        uow.migrations.save_wave(_reopened(wave, back, identity.actor, now))
        details = {"wave": str(number), "people": str(len(back))}
        uow.audit.record([deed("wave.failed_rolling_back", migration, identity.actor, now, reason, **details)])
        uow.migrations.save(_alive(migration, now))
        return len(back)


def _turned_back(traveller: Traveller) -> Traveller:
    return msgspec.structs.replace(
        traveller,
        state=advance_person(traveller.state, PersonState.ROLLING_BACK),
        reason=None,
        failed_in=None,
        operation_id=None,
    )


def _forward(uow: UnitOfWork, migration: Migration, number: int) -> list[Operation]:
    """What brings people of the wave further: nobody should have to approve it, only to see it taken back."""
    operations = uow.migrations.operations_of(migration.migration_id)
    parts = [(one, one.wish.part) for one in operations]
    return [one for one, part in parts if part and part.wave == number and part.phase in FORWARD]


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
        operation_id=traveller.operation_id if phase is Phase.PREPARE else None,  # who was tried is not untouched
    )


def _reopened(wave: Wave, again: Sequence[Traveller], by: Actor, now: datetime) -> Wave:
    """A wave that had ended goes on for those who are tried again."""
    wave = msgspec.structs.replace(wave, asked_by=by)
    states = {one.state for one in again}
    match wave.state:
        case WaveState.ROLLED_BACK:
            following = WaveState.ROLLING_BACK
        case WaveState.DONE if states == {PersonState.ENABLED}:
            following = WaveState.RELEASING
        case WaveState.DONE:
            following = WaveState.GATED
        case _:
            return wave
    return msgspec.structs.replace(wave, state=advance_wave(wave.state, following), entered_at=now)


def _alive(migration: Migration, now: datetime) -> Migration:
    """Due at once; one that was completed runs again."""
    if migration.state is not MigrationState.COMPLETED:
        return msgspec.structs.replace(migration, due_at=now)
    state = advance_migration(migration.state, MigrationState.RUNNING)
    return msgspec.structs.replace(migration, state=state, entered_at=now, due_at=now)
