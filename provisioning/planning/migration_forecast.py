"""When each wave of a migration will be where: writes that are still to come, at the pace that both tenants show.

Nobody can foretell when a mailbox has moved: what comes after the gate is told as if it opened at once. A wave begins
once everybody of the one before it has arrived, because somebody looks at that before going on.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.ids import SubjectId, TenantId
from provisioning.domain.migration import TARGET_PHASES, MigrationDefinition, Phase, Traveller
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.operation import StepKind
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.forecast import forecast, writes_in
from provisioning.planning.leaving import LEAST_HOLD
from provisioning.planning.quota import Sizes

_S = PersonState
_OUT = frozenset({_S.LEFT_OUT, _S.ROLLED_BACK})
_ROAD = (Phase.PREPARE, Phase.ENABLE, Phase.RELEASE)
_AHEAD: Mapping[PersonState, Sequence[Phase]] = {
    _S.WAITING: _ROAD,
    _S.PREPARING: _ROAD,
    _S.PREPARED: _ROAD[1:],
    _S.ENABLING: _ROAD[1:],
    _S.ENABLED: _ROAD[2:],
    _S.RELEASING: _ROAD[2:],
}


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What a forecast knows besides the people. `elapse` says when so much writing is done that begins at a moment:
    a window in which writes may leave makes it later.

    `others`: writes of other operations that are still to come, by tenant; `pace` as in `forecast`.
    """

    now: datetime
    definition: MigrationDefinition
    sizes: Sizes
    elapse: Callable[[datetime, timedelta], datetime] = datetime.__add__
    pace: Mapping[TenantId, float] = {}
    others: Mapping[TenantId, int] = {}
    without_location: frozenset[SubjectId] = frozenset()  # source ids of people whose usage location is set first
    through_group: frozenset[SubjectId] = frozenset()  # source ids of people who leave a group of ours as well
    target_mode: AssignmentMode = AssignmentMode.DIRECT


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of one wave that is still to come."""

    wave: int
    phase: Phase
    tenant_id: TenantId
    people: int
    writes: int
    begins_at: datetime
    done_at: datetime

    def calls(self, batch_size: int) -> int:
        """HTTP calls: so many writes travel in one batch."""
        return -(-self.writes // batch_size)


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of one wave: what was foretold of all of it, and what is still to come of it now.

    `writing`: how long its writes take by themselves, as fast as Microsoft allows. `done_at` None: nothing is left.
    """

    wave: int
    phase: Phase
    people: int
    writes: int
    calls: int  # HTTP calls
    writing: timedelta
    left: int
    done_at: datetime | None


def prospects(travellers: Collection[Traveller], outlook: Outlook, batch_size: int) -> tuple[Prospect, ...]:
    """The forecast before the run, and beside it the same corrected by where people are; by wave and phase."""
    going = [one for one in travellers if one.state not in _OUT]
    afresh = [msgspec.structs.replace(one, state=PersonState.WAITING, enabled_at=None) for one in going]
    foretold = foretell_migration(afresh, msgspec.structs.replace(outlook, others={}, pace={}, elapse=datetime.__add__))
    now = {(leg.wave, leg.phase): leg for leg in foretell_migration(going, outlook)}
    return tuple(_prospect(leg, now.get((leg.wave, leg.phase)), batch_size) for leg in foretold)


def _prospect(foretold: Leg, now: Leg | None, batch_size: int) -> Prospect:
    return Prospect(
        wave=foretold.wave,
        phase=foretold.phase,
        people=foretold.people,
        writes=foretold.writes,
        calls=foretold.calls(batch_size),
        writing=foretold.done_at - foretold.begins_at,
        left=now.writes if now else 0,
        done_at=now.done_at if now else None,
    )


def foretell_migration(travellers: Collection[Traveller], outlook: Outlook) -> tuple[Leg, ...]:
    """Every phase that is still ahead of somebody, by wave. Who failed counts where they will be tried again."""
    legs: list[Leg] = []
    begins_at = outlook.now
    for number in sorted({one.wave for one in travellers if one.wave}):
        people = [one for one in travellers if one.wave == number]
        begins_at = max([begins_at, *_not_before(outlook.definition, number)])
        wave = list(_legs(people, number, begins_at, outlook))
        begins_at = max([begins_at, *(leg.done_at for leg in wave if leg.phase in TARGET_PHASES)])
        legs += wave
    return tuple(legs)


def _not_before(definition: MigrationDefinition, number: int) -> Iterator[datetime]:
    return (wave.not_before for wave in definition.waves if wave.number == number and wave.not_before is not None)


def _legs(people: Sequence[Traveller], number: int, begins_at: datetime, outlook: Outlook) -> Iterator[Leg]:
    for phase in _ROAD:
        ahead = [one for one in people if phase in _phases_of(one)]
        if not ahead:
            continue
        if phase is Phase.RELEASE:
            begins_at = max([begins_at, *_holds_end(ahead, begins_at, outlook)])
        leg = _leg(ahead, number, phase, begins_at, outlook)
        begins_at = leg.done_at
        yield leg


def _phases_of(traveller: Traveller) -> Sequence[Phase]:
    if traveller.state is PersonState.FAILED and traveller.failed_in in _ROAD:
        return _ROAD[_ROAD.index(traveller.failed_in) :]
    return _AHEAD.get(traveller.state, ())


def _holds_end(people: Iterable[Traveller], arrived_at: datetime, outlook: Outlook) -> Iterator[datetime]:
    """Until when each of them keeps the old licence."""
    hold = max(outlook.definition.hold_period, LEAST_HOLD)
    return ((one.enabled_at or arrived_at) + hold for one in people)


def _leg(people: Sequence[Traveller], number: int, phase: Phase, begins_at: datetime, outlook: Outlook) -> Leg:
    definition = outlook.definition
    tenant = definition.target_tenant if phase in TARGET_PHASES else definition.source_tenant
    writes = writes_in(_steps(people, phase, outlook))
    is_at_any_hour = phase is Phase.ENABLE and outlook.target_mode is not AssignmentMode.GROUP
    elapse = datetime.__add__ if is_at_any_hour else outlook.elapse
    return Leg(
        wave=number,
        phase=phase,
        tenant_id=tenant,
        people=len(people),
        writes=writes,
        begins_at=begins_at,
        done_at=elapse(begins_at, _duration(tenant, writes, outlook)),
    )


def _steps(people: Collection[Traveller], phase: Phase, outlook: Outlook) -> dict[str, int]:
    """The steps that these people need, by kind."""
    ids = {one.source_id for one in people}
    match phase:
        case Phase.PREPARE:
            located = len(ids & outlook.without_location)
            return {StepKind.ASSIGN: len(ids), StepKind.SET_USAGE_LOCATION: located}
        case Phase.ENABLE:
            return {StepKind.SET_PLANS: len(ids), **_into_group(len(ids), outlook.target_mode)}
        case _:
            return {StepKind.REMOVE: len(ids), StepKind.REMOVE_MEMBER: len(ids & outlook.through_group)}


def _into_group(people: int, mode: AssignmentMode) -> dict[str, int]:
    """Where licences go through a group, people join it once everything is on, and the direct one goes."""
    return {StepKind.ADD_MEMBERS: people, StepKind.REMOVE: people} if mode is AssignmentMode.GROUP else {}


def _duration(tenant: TenantId, writes: int, outlook: Outlook) -> timedelta:
    pending = Counter(outlook.others) + Counter({tenant: writes})
    return forecast(dict(pending), outlook.sizes, outlook.pace).get(tenant, timedelta(0))
