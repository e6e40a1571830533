"""What is next in a migration: where its operations brought people, with whom to begin, when to pause. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import OperationId, SkuId, SubjectId
from provisioning.domain.lifecycle import OPERATION_ENDS, SubjectState
from provisioning.domain.migration import TARGET_PHASES, Migration, MigrationPart, Phase, Traveller, Wave
from provisioning.domain.migration_lifecycle import (
    UNDER_WAY,
    WAVE_ENDS,
    MigrationState,
    PersonState,
    WaveState,
    advance_migration,
    advance_person,
    advance_wave,
)
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.planning.wave_turn import following_state, is_released_next, way_back

Said = tuple[SubjectState, Reason | None]  # of a person, by the operation that worked on them

_RIGHT = frozenset({SubjectState.VERIFIED, SubjectState.ALREADY_RIGHT})
_CALLED_OFF = frozenset({Reason.MIGRATION_ABORTED, Reason.WAVE_ROLLED_BACK})
_STARTED = frozenset(set(WaveState) - WAVE_ENDS - {WaveState.WAITING})


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a turn is decided from. `said`: what operations that ended say of their people.

    `failing`: for how many people of each wave it went wrong in operations that are still at work.
    """

    migration: Migration
    waves: tuple[Wave, ...]
    travellers: tuple[Traveller, ...]
    operations: tuple[Operation, ...]
    said: Mapping[OperationId, Mapping[SubjectId, Said]]
    failing: Mapping[int, int] = {}
    now: datetime


class Begin(msgspec.Struct, frozen=True):
    """An operation that should begin: for whom (ids of the source), and with which product of which audience."""

    part: MigrationPart
    sku_id: SkuId
    audience: Audience
    people: tuple[SubjectId, ...]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Where everybody stands now, and what begins. Whoever begins is still where they were."""

    migration: Migration
    waves: tuple[Wave, ...]
    travellers: tuple[Traveller, ...]
    begins: tuple[Begin, ...]


def next_turn(standing: Standing) -> Turn:
    """Fold in what operations came to, then move each wave by one state at most, then say what begins."""
    travellers = tuple(_folded(one, standing) for one in standing.travellers)
    waves = tuple(_moved(wave, travellers, standing) for wave in standing.waves)
    migration = _migration(standing, waves, travellers)
    goes_on = migration.state in {MigrationState.RUNNING, MigrationState.ABORTED}
    begins = tuple(_begins(standing, waves, travellers)) if goes_on else ()
    tried_again = failed_by_wave(_beginning(travellers, begins))
    waves = tuple(wave.with_another_try(tried_again[wave.number]) for wave in waves)
    return Turn(migration=migration, waves=waves, travellers=travellers, begins=begins)


def id_in(phase: Phase, traveller: Traveller) -> SubjectId:
    """The person's id in the tenant where the phase works."""
    if phase not in TARGET_PHASES:
        return traveller.source_id
    if traveller.target_id is None:
        raise ValueError("who has no account in the target takes part in no phase there")
    return traveller.target_id


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────


def _folded(traveller: Traveller, standing: Standing) -> Traveller:
    is_untouched = traveller.state is PersonState.WAITING and traveller.operation_id is None
    if is_untouched and _is_rolled_back(traveller.wave, standing):
        return _at(traveller, PersonState.ROLLED_BACK)
    moved = _after_operation(traveller, standing) if traveller.state in UNDER_WAY else traveller
    if moved.state is PersonState.PREPARED and not moved.has_mailbox:  # nothing can be lost: no gate
        return _at(_at(moved, PersonState.ENABLING), PersonState.ENABLED, enabled_at=standing.now)
    return moved


def _is_rolled_back(number: int, standing: Standing) -> bool:
    return any(wave.number == number and wave.state is WaveState.ROLLING_BACK for wave in standing.waves)


def _after_operation(traveller: Traveller, standing: Standing) -> Traveller:
    if traveller.operation_id is None and standing.migration.state is MigrationState.ABORTED:
        return _stuck(traveller, Phase.UNDO_TARGET, Reason.MIGRATION_ABORTED)  # between the two halves of the way back
    operation = next((one for one in standing.operations if one.operation_id == traveller.operation_id), None)
    if operation is None or operation.wish.part is None or operation.state not in OPERATION_ENDS:
        return traveller
    phase = operation.wish.part.phase
    said = standing.said.get(operation.operation_id, {}).get(id_in(phase, traveller))
    if said is None or said[1] in _CALLED_OFF:  # called off before it came to them
        reason = said[1] if said else operation.reason
        return _left_alone(traveller, phase, reason, _earlier(operation, traveller, standing))
    state, reason = said
    if state not in _RIGHT:
        return _stuck(traveller, phase, reason)
    return _done(traveller, phase, reason, standing.now)


def _earlier(ended: Operation, traveller: Traveller, standing: Standing) -> OperationId | None:
    """The operation that tried the same for them before: it may have written something although it failed."""
    tried = [
        one.operation_id
        for one in standing.operations
        if one.wish.part == ended.wish.part
        and one.operation_id != ended.operation_id
        and ended.wish.part is not None
        and id_in(ended.wish.part.phase, traveller) in one.wish.named
    ]
    return tried[-1] if tried else None


def _left_alone(traveller: Traveller, phase: Phase, reason: Reason | None, earlier: OperationId | None) -> Traveller:
    """By an operation that ended early: where they were, or, on the way back, where somebody has to look at them."""
    if phase in _BACK:
        return _at(traveller, _BACK[phase], operation_id=earlier)
    return _stuck(traveller, phase, reason)


def _stuck(traveller: Traveller, phase: Phase, reason: Reason | None) -> Traveller:
    """Why is always on record."""
    return _at(traveller, PersonState.FAILED, reason=reason or Reason.CHANGED_MEANWHILE, failed_in=phase)


def _done(traveller: Traveller, phase: Phase, reason: Reason | None, now: datetime) -> Traveller:
    if phase is Phase.UNDO_SOURCE:  # the old licence is back: only now the new one may go
        return msgspec.structs.replace(traveller, operation_id=None)
    if phase is Phase.PREPARE and reason is Reason.ALREADY_HELD:  # everything is on there, a mailbox too
        return _at(traveller, PersonState.ENABLED, enabled_at=now)
    reached = _REACHED[phase]
    enabled_at = now if reached is PersonState.ENABLED else traveller.enabled_at
    return _at(traveller, reached, enabled_at=enabled_at)


_REACHED: Mapping[Phase, PersonState] = {
    Phase.PREPARE: PersonState.PREPARED,
    Phase.ENABLE: PersonState.ENABLED,
    Phase.RELEASE: PersonState.RELEASED,
    Phase.UNDO_TARGET: PersonState.ROLLED_BACK,
}

_BACK: Mapping[Phase, PersonState] = {
    Phase.PREPARE: PersonState.WAITING,
    Phase.ENABLE: PersonState.PREPARED,
    Phase.RELEASE: PersonState.ENABLED,
}


def _at(traveller: Traveller, state: PersonState, **changes: object) -> Traveller:
    cleared = {"reason": None, "failed_in": None, **changes}
    return msgspec.structs.replace(traveller, state=advance_person(traveller.state, state), **cleared)


# ── waves ────────────────────────────────────────────────────────────────────────────────────────────────


def _moved(wave: Wave, travellers: Sequence[Traveller], standing: Standing) -> Wave:
    own = [one for one in travellers if one.wave == wave.number and one.state is not PersonState.LEFT_OUT]
    following = following_state(wave.state, own, standing.migration.definition.hold_period, standing.now)
    if following is wave.state:
        return wave
    return msgspec.structs.replace(wave, state=advance_wave(wave.state, following), entered_at=standing.now)


def _migration(standing: Standing, waves: Sequence[Wave], travellers: Sequence[Traveller]) -> Migration:
    migration = standing.migration
    if migration.state is not MigrationState.RUNNING:
        return migration
    if waves and all(wave.state in WAVE_ENDS for wave in waves):
        return _entered(migration, MigrationState.COMPLETED, standing.now)
    if any(_went_wrong(wave, travellers, standing) for wave in waves):
        return _entered(migration, MigrationState.PAUSED, standing.now, Reason.THRESHOLD_REACHED)
    return migration


def _entered(migration: Migration, state: MigrationState, now: datetime, reason: Reason | None = None) -> Migration:
    state = advance_migration(migration.state, state)
    return msgspec.structs.replace(migration, state=state, reason=reason, entered_at=now)


def _went_wrong(wave: Wave, travellers: Sequence[Traveller], standing: Standing) -> bool:
    """More failed than a person accepted in advance, since one last let the migration go on."""
    if wave.state not in _STARTED:
        return False
    failures = failed_by_wave(travellers)[wave.number] + standing.failing.get(wave.number, 0)
    people = sum(one.wave == wave.number and one.state is not PersonState.LEFT_OUT for one in travellers)
    return failures - wave.failures_seen > standing.migration.definition.failure_threshold * people


def failed_by_wave(travellers: Iterable[Traveller]) -> Counter[int]:
    failed = (one for one in travellers if one.state is PersonState.FAILED)
    return Counter(one.wave for one in failed if not is_announced(one.failed_in, one.reason))


def is_announced(phase: Phase | None, reason: Reason | None) -> bool:
    """Whether every check of the wave said beforehand that it would come to this: nothing went wrong then.

    Licences that come from a group of the school itself are left in the source, and the school takes people out of it.
    """
    return phase is Phase.RELEASE and reason is Reason.INHERITED_FROM_GROUP


def _beginning(travellers: Iterable[Traveller], begins: Iterable[Begin]) -> Iterable[Traveller]:
    people = {one for begin in begins for one in begin.people}
    return (one for one in travellers if one.source_id in people)


# ── what begins ──────────────────────────────────────────────────────────────────────────────────────────


def _begins(standing: Standing, waves: Sequence[Wave], travellers: Sequence[Traveller]) -> Iterable[Begin]:
    busy = {
        (one.wish.part, one.wish.sku_id, one.wish.audience)
        for one in standing.operations
        if one.wish.part is not None and one.state not in OPERATION_ENDS
    }
    for wave in waves:
        own = [one for one in travellers if one.wave == wave.number]
        for kind, people in _by_operation(wave, own, standing).items():
            if kind not in busy:
                yield Begin(*kind, tuple(sorted(people)))


_Kind = tuple[MigrationPart, SkuId, Audience]


def _by_operation(wave: Wave, own: Iterable[Traveller], standing: Standing) -> Mapping[_Kind, list[SubjectId]]:
    definition = standing.migration.definition
    found: defaultdict[_Kind, list[SubjectId]] = defaultdict(list)
    for traveller in own:
        phase = _phase_next(wave, traveller, standing)
        sku = None if phase is None else _product(phase, traveller)
        if phase is not None and sku is not None:
            part = MigrationPart(migration_id=wave.migration_id, wave=wave.number, phase=phase)
            found[part, sku, definition.audience_of(traveller.source_sku)].append(traveller.source_id)
    return found


def _product(phase: Phase, traveller: Traveller) -> SkuId | None:
    return traveller.target_sku if phase in TARGET_PHASES else traveller.source_sku


def _phase_next(wave: Wave, traveller: Traveller, standing: Standing) -> Phase | None:
    if standing.migration.state is MigrationState.ABORTED:  # however the wave stands: a mailbox without it is deleted
        return Phase.ENABLE if traveller.is_ready else None
    if wave.state is WaveState.ROLLING_BACK:
        return way_back(traveller)
    if wave.state not in _STARTED:
        return None
    if traveller.state is PersonState.ROLLING_BACK:  # they alone, of those who failed; the others go on
        return way_back(traveller)
    if traveller.state is PersonState.WAITING:
        return Phase.PREPARE
    if traveller.is_ready:
        return Phase.ENABLE
    period = standing.migration.definition.hold_period
    if wave.state is WaveState.RELEASING and is_released_next(traveller, period, standing.now):
        return Phase.RELEASE
    return None


BEGUN: Mapping[Phase, PersonState] = {
    Phase.PREPARE: PersonState.PREPARING,
    Phase.ENABLE: PersonState.ENABLING,
    Phase.RELEASE: PersonState.RELEASING,
    Phase.UNDO_SOURCE: PersonState.ROLLING_BACK,
    Phase.UNDO_TARGET: PersonState.ROLLING_BACK,
}


def begun(traveller: Traveller, phase: Phase, operation: OperationId) -> Traveller:
    """The person once the operation of this phase works on them."""
    state = BEGUN[phase]
    if traveller.state is state:
        return msgspec.structs.replace(traveller, operation_id=operation)
    return _at(traveller, state, operation_id=operation)
