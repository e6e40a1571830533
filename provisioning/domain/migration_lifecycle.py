"""Where migrations, their waves and their people stand: one enum each, one table of transitions, one way to advance."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from provisioning.domain.errors import TransitionError


class MigrationState(StrEnum):
    NEW = "new"  # people are not matched yet
    MATCHED = "matched"  # everybody has a situation; some may still be unexplained
    RUNNING = "running"  # a wave was started
    PAUSED = "paused"  # nothing new is begun; what was begun is read back
    ABORTED = "aborted"  # both tenants stay as they are: correct, nothing half done; an end
    COMPLETED = "completed"  # every wave has ended


class WaveState(StrEnum):
    WAITING = "waiting"
    PREPARING = "preparing"  # licences come into the target, Exchange off
    GATED = "gated"  # people become ready one by one, and get Exchange
    HOLDING = "holding"  # all have arrived; the hold period runs
    RELEASING = "releasing"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    DONE = "done"


class PersonState(StrEnum):
    """Where a person of a migration stands; `failed` keeps in `failed_in` what failed."""

    WAITING = "waiting"  # their wave has not begun
    PREPARING = "preparing"
    PREPARED = "prepared"  # licensed in the target, Exchange off, read back
    ENABLING = "enabling"
    ENABLED = "enabled"  # everything on in the target, read back; the hold period runs
    RELEASING = "releasing"
    RELEASED = "released"  # an end
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"  # an end: as before the wave
    FAILED = "failed"
    LEFT_OUT = "left_out"  # an end: by treatment


_M, _W, _P = MigrationState, WaveState, PersonState

MIGRATION_TRANSITIONS: Mapping[MigrationState, frozenset[MigrationState]] = {
    _M.NEW: frozenset({_M.MATCHED, _M.ABORTED}),
    _M.MATCHED: frozenset({_M.MATCHED, _M.RUNNING, _M.ABORTED}),
    _M.RUNNING: frozenset({_M.PAUSED, _M.ABORTED, _M.COMPLETED}),
    _M.PAUSED: frozenset({_M.RUNNING, _M.ABORTED}),
    _M.ABORTED: frozenset(),
    _M.COMPLETED: frozenset({_M.RUNNING}),  # people who failed are tried again, or a wave goes back
}

WAVE_TRANSITIONS: Mapping[WaveState, frozenset[WaveState]] = {
    _W.WAITING: frozenset({_W.PREPARING}),
    _W.PREPARING: frozenset({_W.GATED, _W.ROLLING_BACK}),
    _W.GATED: frozenset({_W.HOLDING, _W.ROLLING_BACK}),
    # GATED: who had failed is tried again; DONE: and failed again, when all others have left
    _W.HOLDING: frozenset({_W.RELEASING, _W.ROLLING_BACK, _W.GATED, _W.DONE}),
    _W.RELEASING: frozenset({_W.DONE, _W.ROLLING_BACK, _W.HOLDING}),  # HOLDING: some were not released
    _W.ROLLING_BACK: frozenset({_W.ROLLED_BACK}),
    # an end, unless a person has those tried again who failed on the way
    _W.ROLLED_BACK: frozenset({_W.ROLLING_BACK}),
    # ROLLING_BACK: while Microsoft still keeps what people had in the source
    _W.DONE: frozenset({_W.GATED, _W.RELEASING, _W.ROLLING_BACK}),
}

PERSON_TRANSITIONS: Mapping[PersonState, frozenset[PersonState]] = {
    # ROLLED_BACK: before anything was done; ROLLING_BACK: they were tried before
    _P.WAITING: frozenset({_P.PREPARING, _P.LEFT_OUT, _P.ROLLED_BACK, _P.ROLLING_BACK}),
    _P.PREPARING: frozenset({_P.PREPARED, _P.ENABLED, _P.FAILED, _P.WAITING}),  # ENABLED: had everything already
    _P.PREPARED: frozenset({_P.ENABLING, _P.ROLLING_BACK}),
    _P.ENABLING: frozenset({_P.ENABLED, _P.FAILED, _P.PREPARED}),
    _P.ENABLED: frozenset({_P.RELEASING, _P.ROLLING_BACK}),
    _P.RELEASING: frozenset({_P.RELEASED, _P.FAILED, _P.ENABLED}),
    _P.RELEASED: frozenset({_P.ROLLING_BACK}),  # within Microsoft's 30 days nothing is lost yet
    _P.ROLLING_BACK: frozenset({_P.ROLLED_BACK, _P.FAILED}),
    # retried where it failed
    _P.FAILED: frozenset({_P.WAITING, _P.PREPARED, _P.ENABLED, _P.RELEASED, _P.ROLLING_BACK}),
    _P.ROLLED_BACK: frozenset(),
    _P.LEFT_OUT: frozenset(),
}

MIGRATION_ENDS = frozenset({_M.ABORTED, _M.COMPLETED})
WAVE_ENDS = frozenset({_W.DONE, _W.ROLLED_BACK})
UNDER_WAY = frozenset({_P.PREPARING, _P.ENABLING, _P.RELEASING, _P.ROLLING_BACK})
ARRIVED = frozenset({_P.ENABLED, _P.RELEASING, _P.RELEASED})
BEFORE_ENABLED = frozenset({_P.WAITING, _P.PREPARING, _P.PREPARED, _P.ENABLING})
# whose mailbox may still be on its way: who failed belongs to them unless it was at the release
BEFORE_EXCHANGE = BEFORE_ENABLED | {_P.ROLLING_BACK}
# who has come as far as the state of their wave is about
ARRIVED_FOR: Mapping[WaveState, frozenset[PersonState]] = {
    _W.WAITING: frozenset(),
    _W.PREPARING: ARRIVED | {_P.PREPARED, _P.ENABLING},
    _W.GATED: ARRIVED,
    _W.HOLDING: frozenset({_P.RELEASED}),
    _W.RELEASING: frozenset({_P.RELEASED}),
    _W.ROLLING_BACK: frozenset({_P.ROLLED_BACK}),
    _W.ROLLED_BACK: frozenset({_P.ROLLED_BACK}),
    _W.DONE: frozenset({_P.RELEASED}),
}


def advance_person(current: PersonState, following: PersonState) -> PersonState:
    """Return the following state, or raise TransitionError when the table does not allow it."""
    return _advance(PERSON_TRANSITIONS, current, following)


def advance_wave(current: WaveState, following: WaveState) -> WaveState:
    """As `advance_person`, for a wave."""
    return _advance(WAVE_TRANSITIONS, current, following)


def advance_migration(current: MigrationState, following: MigrationState) -> MigrationState:
    """As `advance_person`, for a migration."""
    return _advance(MIGRATION_TRANSITIONS, current, following)


_State = TypeVar("_State", MigrationState, WaveState, PersonState)


def _advance(table: Mapping[_State, frozenset[_State]], current: _State, following: _State) -> _State:
    if following not in table[current]:
        raise TransitionError(f"{type(current).__name__} may not go from {current} to {following}")
    return following
