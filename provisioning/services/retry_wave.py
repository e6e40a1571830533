"""Who failed is tried again where they failed, or goes back; or a whole wave goes back to where it came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, NamedTuple, TypeVar

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.ids import Actor
from provisioning.domain.migration import FORWARD, Migration, Phase, Traveller, Wave
from provisioning.domain.migration_lifecycle import (
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
from provisioning.planning.leaving import KEPT_AFTER_RELEASE
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.cancel_part import cancel_unless_at_work
from provisioning.services.decisions import decide
from provisioning.services.failures_seen import note_failures_seen
from provisioning.services.migration_deeds import deed, get_migration, get_wave, require_reason
from provisioning.services.written_by_wave import last_release

_AGAIN: Mapping[Phase, PersonState] = {
    Phase.PREPARE: PersonState.WAITING,
    Phase.ENABLE: PersonState.PREPARED,
    Phase.RELEASE: PersonState.ENABLED,
    Phase.UNDO_SOURCE: PersonState.RELEASED,  # the old licence first, again
    Phase.UNDO_TARGET: PersonState.ROLLING_BACK,
}


_ON_THE_WAY_IN = frozenset({Phase.PREPARE, Phase.ENABLE})
_Decided = TypeVar("_Decided")


class _Turn(NamedTuple):
    """One wave of one migration, about which a person decides something now."""

    uow: UnitOfWork
    migration: Migration
    wave: Wave
    by: Actor
    now: datetime

    @property
    def failed(self) -> list[Traveller]:
        number = self.wave.number
        return self.uow.migrations.travellers(self.migration.migration_id, wave=number, states=[PersonState.FAILED])

    def close(self, wave: Wave, kind: str, reason: str, **details: str) -> None:
        """The wave is saved, put on record, and looked at at once."""
        migration, details = self.migration, {"wave": str(wave.number), **details}
        self.uow.migrations.save_wave(wave)
        self.uow.audit.record([deed(kind, migration, self.by, self.now, reason, **details)])
        if migration.state is MigrationState.COMPLETED:  # it goes on, as when it is resumed
            note_failures_seen(self.uow, migration)
        self.uow.migrations.save(_alive(migration, self.now))

    def close_for(self, people: Sequence[Traveller], kind: str, reason: str) -> int:
        """As `close`, for those who failed and go another way now; how many they are."""
        self.uow.migrations.save_travellers(self.migration.migration_id, people)
        wave = _reopened(self.wave, people, self.by, self.now).with_another_try(len(people))
        self.close(wave, kind, reason, people=str(len(people)))
        return len(people)


@dataclass(frozen=True, kw_only=True)
class _Decision:
    open_uow: OpenUnitOfWork
    clock: Clock

    may_be_off: ClassVar[bool] = False  # whether there is something to decide after the migration was called off

    def _take(
        self, identity: Identity, named: str, number: int, reason: str, what: str, do: Callable[[_Turn], _Decided]
    ) -> _Decided:
        """In one transaction, by who may, with a reason."""
        require(identity, Action.STEER_MIGRATION)
        require_reason(reason, what)

        def decision(uow: UnitOfWork) -> _Decided:
            migration = get_migration(uow, named)
            if not self.may_be_off:
                _require_alive(migration)
            wave = get_wave(uow, migration, number)
            return do(_Turn(uow, migration, wave, identity.actor, self.clock.now()))

        return decide(self.open_uow, decision)


class RetryWave(_Decision):
    """Of a migration that was called off, those alone whose mailbox has moved and who failed at getting Exchange."""

    may_be_off = True

    def __call__(self, identity: Identity, named: str, number: int, reason: str) -> int:
        """How many people are tried again. Raises InputError when nobody of the wave failed."""

        def again(turn: _Turn) -> int:
            if turn.migration.state is MigrationState.ABORTED:
                people = [_towards_exchange(one) for one in turn.failed if _only_misses_exchange(one)]
                if not people:
                    _require_alive(turn.migration)
                return turn.close_for(people, "wave.retried", reason)
            failed = turn.failed
            if not failed:
                raise InputError(f"Nobody of wave {number} failed; there is nothing to try again.")
            return turn.close_for([_again(one) for one in failed], "wave.retried", reason)

        return self._take(identity, named, number, reason, "Trying people again", again)


class RollBackFailed(_Decision):
    """Who failed on the way into the target goes back; the others of the wave go on."""

    def __call__(self, identity: Identity, named: str, number: int, reason: str) -> int:
        """How many people go back. Raises InputError when nobody of the wave failed before their release."""

        def back(turn: _Turn) -> int:
            people = [_turned_back(one) for one in turn.failed if one.failed_in in _ON_THE_WAY_IN]
            if not people:
                raise InputError(f"Nobody of wave {number} failed on the way into the target: nothing to roll back.")
            return turn.close_for(people, "wave.failed_rolling_back", reason)

        return self._take(identity, named, number, reason, "Rolling people back", back)


class RollBackWave(_Decision):
    """Only what the wave did is undone, and only for people who are still as we left them."""

    def __call__(self, identity: Identity, named: str, number: int, reason: str) -> Wave:
        """Raises InputError when the wave did nothing yet, went back before, or left the source too long ago."""
        return self._take(identity, named, number, reason, "Rolling a wave back", lambda turn: self._back(turn, reason))

    def _back(self, turn: _Turn, reason: str) -> Wave:
        wave, now = turn.wave, turn.now
        if wave.state is WaveState.ROLLED_BACK or WaveState.ROLLING_BACK not in WAVE_TRANSITIONS[wave.state]:
            raise InputError(f"Wave {wave.number} is {wave.state}: there is nothing to roll back.")
        if wave.state is WaveState.DONE:
            _require_kept(turn)
        wave = msgspec.structs.replace(
            wave, state=advance_wave(wave.state, WaveState.ROLLING_BACK), entered_at=now, asked_by=turn.by
        )
        for operation in _forward(turn.uow, turn.migration, wave.number):
            cancel_unless_at_work(turn.uow, operation, Reason.WAVE_ROLLED_BACK, now)
        turn.close(wave, "wave.rolling_back", reason)
        return wave


def _require_kept(turn: _Turn) -> None:
    """Some of them may still go back: whose mailbox in the source is gone is refused by the plan, one by one."""
    number = turn.wave.number
    last = last_release(turn.uow, turn.migration.migration_id, number)
    if last is None:
        raise InputError(f"Wave {number} is {turn.wave.state}: there is nothing to roll back.")
    if turn.now - last > KEPT_AFTER_RELEASE:
        raise InputError(
            f"The source of wave {number} was released by {last:%Y-%m-%d %H:%M} UTC. Microsoft keeps what people had "
            f"there for {KEPT_AFTER_RELEASE.days} days after that: nothing of it can be given back."
        )


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
    operations = [*uow.migrations.operations_of(migration.migration_id), *uow.migrations.followers_of(migration)]
    parts = [(one, one.wish.part or one.wish.follows) for one in operations]
    return [one for one, part in parts if part and part.wave == number and part.phase in FORWARD]


def _require_alive(migration: Migration) -> None:
    if migration.state is MigrationState.ABORTED:
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


def _only_misses_exchange(traveller: Traveller) -> bool:
    """Whether they have the licence, and their mailbox."""
    return traveller.misses_exchange and traveller.failed_in is not Phase.PREPARE


def _towards_exchange(traveller: Traveller) -> Traveller:
    state = advance_person(traveller.state, PersonState.PREPARED)
    return msgspec.structs.replace(traveller, state=state, reason=None, failed_in=None, operation_id=None)


def _reopened(wave: Wave, again: Sequence[Traveller], by: Actor, now: datetime) -> Wave:
    """A wave that had ended goes on for those who are tried again."""
    wave = msgspec.structs.replace(wave, asked_by=by)
    states = {one.state for one in again}
    match wave.state:
        case WaveState.ROLLED_BACK if PersonState.PREPARED not in states:
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
