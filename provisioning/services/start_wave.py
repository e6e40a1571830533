"""A person lets a wave begin, or lets its people leave the source: go or no-go, with a reason that stays on record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.ids import MigrationId
from provisioning.domain.migration import Migration, Situation, Traveller, Wave
from provisioning.domain.migration_lifecycle import (
    ARRIVED,
    MigrationState,
    PersonState,
    WaveState,
    advance_migration,
    advance_wave,
)
from provisioning.domain.rights import Action, require
from provisioning.planning.matching import unexplained
from provisioning.planning.waves import without_wave
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.decisions import decide
from provisioning.services.migration_deeds import (
    deed,
    get_migration,
    get_wave,
    require_nobody_elsewhere,
    require_reason,
)

_STARTABLE = frozenset({MigrationState.MATCHED, MigrationState.RUNNING})
_DECIDED = ARRIVED | {PersonState.FAILED, PersonState.ROLLED_BACK, PersonState.LEFT_OUT}
_PILOT = 1


@dataclass(frozen=True, kw_only=True)
class StartWave:
    """`check`: looks at both tenants for this wave: when it did, or InputError with whatever is in the way."""

    open_uow: OpenUnitOfWork
    clock: Clock
    check: Callable[[MigrationId, int], datetime]

    def __call__(self, identity: Identity, named: str, number: int, reason: str = "") -> Wave:
        """Raises InputError for a situation that nobody explained, a pilot that is not through, or a failed check."""
        require(identity, Action.STEER_MIGRATION)
        with self.open_uow() as uow:
            migration = get_migration(uow, named)
            self._require_ready(uow, migration, number, reason)
        checked_at = self.check(migration.migration_id, number)
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, number, reason, checked_at))

    def _require_ready(self, uow: UnitOfWork, migration: Migration, number: int, reason: str) -> Wave:
        wave = get_wave(uow, migration, number)
        if migration.state not in _STARTABLE:
            raise InputError(f"Migration {migration.definition.name} is {migration.state}: no wave can begin.")
        if wave.state is not WaveState.WAITING:
            raise InputError(f"Wave {number} was started by {wave.started_by} already; it is {wave.state}.")
        if number > _PILOT:
            require_reason(reason, "Going on after the pilot")
        travellers = uow.migrations.travellers(migration.migration_id)
        _require_explained(migration, travellers)
        require_nobody_elsewhere(uow, migration)
        _require_pilot_through(migration, travellers, number)
        _require_time(migration, number, wave, self.clock)
        return wave

    def _decide(
        self, uow: UnitOfWork, identity: Identity, named: str, number: int, reason: str, checked_at: datetime
    ) -> Wave:
        now = self.clock.now()
        migration = get_migration(uow, named)
        wave = self._require_ready(uow, migration, number, reason)
        started = msgspec.structs.replace(
            wave,
            state=advance_wave(wave.state, WaveState.PREPARING),
            entered_at=now,
            started_by=identity.actor,
            asked_by=identity.actor,
            go_reason=reason,
            proven_at=checked_at,
        )
        uow.migrations.save_wave(started)
        uow.audit.record([deed("wave.started", migration, identity.actor, now, reason, wave=str(number))])
        state, entered_at = migration.state, migration.entered_at
        if state is not MigrationState.RUNNING:
            state, entered_at = advance_migration(state, MigrationState.RUNNING), now
        uow.migrations.save(msgspec.structs.replace(migration, state=state, entered_at=entered_at, due_at=now))
        return started


def _require_explained(migration: Migration, travellers: Sequence[Traveller]) -> None:
    """Nothing starts while a situation is unexplained, or while somebody is in no wave."""
    open_situations = unexplained(travellers, migration.definition.treatments)
    if open_situations:
        raise InputError(
            f"{_listed(open_situations)}: nobody said what happens with them. Correct the identity map, or name the "
            "situation under `treatments`, and create the migration anew."
        )
    stray = without_wave(travellers)
    if stray:
        raise InputError(f"{len(stray)} people are in no wave: no selector of a wave matches them, or all are full.")


def _listed(situations: dict[Situation, int]) -> str:
    return ", ".join(f"{people} {situation.replace('_', ' ')}" for situation, people in sorted(situations.items()))


def _require_pilot_through(migration: Migration, travellers: Sequence[Traveller], number: int) -> None:
    if number == _PILOT:
        return
    pilot = [one for one in travellers if one.wave == _PILOT]
    left = sum(one.state not in _DECIDED for one in pilot)
    if left:
        raise InputError(
            f"The pilot of {migration.definition.name} is not through: {left} of its {len(pilot)} people have not "
            "arrived. Wave 1 comes before any other."
        )


def _require_time(migration: Migration, number: int, wave: Wave, clock: Clock) -> None:
    defined = next((one for one in migration.definition.waves if one.number == number), None)
    if defined and defined.not_before and defined.not_before > clock.now():
        raise InputError(f"Wave {wave.number} may not begin before {defined.not_before:%Y-%m-%d %H:%M} UTC.")


@dataclass(frozen=True, kw_only=True)
class ReleaseWave:
    """The source's licences go from whoever's hold period has passed; each product's plan is approved by itself."""

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, identity: Identity, named: str, number: int, reason: str) -> Wave:
        """Raises InputError while not everybody has arrived, or while everybody is still held."""
        require(identity, Action.STEER_MIGRATION)
        require_reason(reason, "Releasing the source")
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, number, reason))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, number: int, reason: str) -> Wave:
        now = self.clock.now()
        migration = get_migration(uow, named)
        wave = get_wave(uow, migration, number)
        if migration.state is not MigrationState.RUNNING or wave.state is not WaveState.HOLDING:
            raise InputError(
                f"Wave {number} is {wave.state} and the migration {migration.state}: the source is released only "
                "when everybody of a wave has arrived, while the migration runs."
            )
        self._require_held_long_enough(uow, migration, number)
        released = msgspec.structs.replace(
            wave, state=advance_wave(wave.state, WaveState.RELEASING), entered_at=now, asked_by=identity.actor
        )
        uow.migrations.save_wave(released)
        uow.audit.record([deed("wave.releasing", migration, identity.actor, now, reason, wave=str(number))])
        uow.migrations.save(msgspec.structs.replace(migration, due_at=now))
        return released

    def _require_held_long_enough(self, uow: UnitOfWork, migration: Migration, number: int) -> None:
        arrived = uow.migrations.travellers(migration.migration_id, wave=number, states=[PersonState.ENABLED])
        ends = [end for one in arrived if (end := one.held_until(migration.definition.hold_period))]
        if not ends:
            raise InputError(f"Nobody of wave {number} has arrived who could leave the source.")
        if min(ends) > self.clock.now():
            raise InputError(f"The hold period of wave {number} runs until {min(ends):%Y-%m-%d %H:%M} UTC.")
