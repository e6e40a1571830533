"""When each wave of a migration will be where: writes that are still to come, at the pace that both tenants show.

Nobody can foretell when a mailbox has moved: what comes after the gate is told as if it opened at once. A wave begins
once everybody of the one before it has arrived, because somebody looks at that before going on. What each of them
needs is as it was when they were matched; the two writes that make and license a new group are not counted.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

import msgspec

from provisioning.domain.ids import TenantId
from provisioning.domain.migration import TARGET_PHASES, MigrationDefinition, Outset, Phase, Traveller
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
    sets_location: bool = True  # in the target, for who has none
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
        if leg:
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


def _leg(people: Sequence[Traveller], number: int, phase: Phase, begins_at: datetime, outlook: Outlook) -> Leg | None:
    """None when none of them needs a write in it."""
    definition = outlook.definition
    tenant = definition.target_tenant if phase in TARGET_PHASES else definition.source_tenant
    steps = [needed for one in people if (needed := _steps(one, phase, outlook))]
    if not steps:
        return None
    writes = writes_in(Counter(chain.from_iterable(steps)))
    is_at_any_hour = phase is Phase.ENABLE and outlook.target_mode is not AssignmentMode.GROUP
    elapse = datetime.__add__ if is_at_any_hour else outlook.elapse
    return Leg(
        wave=number,
        phase=phase,
        tenant_id=tenant,
        people=len(steps),
        writes=writes,
        begins_at=begins_at,
        done_at=elapse(begins_at, _duration(tenant, writes, outlook)),
    )


def _steps(one: Traveller, phase: Phase, outlook: Outlook) -> list[StepKind]:
    """The steps that somebody needs in a phase, as they were when they were matched."""
    match phase:
        case Phase.PREPARE:
            return [] if one.outset.is_licensed else _first_licence(one.outset, outlook)
        case Phase.ENABLE:
            waits = one.has_mailbox and not one.outset.has_exchange
            return [StepKind.SET_PLANS] * waits + _into_group(one.outset, outlook.target_mode)
        case _:
            return [StepKind.REMOVE] * one.outset.removals  # a member who leaves a group is one call too


def _first_licence(outset: Outset, outlook: Outlook) -> list[StepKind]:
    located = outset.has_location or not outlook.sets_location
    return [StepKind.ASSIGN] if located else [StepKind.SET_USAGE_LOCATION, StepKind.ASSIGN]


def _into_group(outset: Outset, mode: AssignmentMode) -> list[StepKind]:
    """Where licences go through a group, people join it once everything is on, and the direct one goes."""
    moves = mode is AssignmentMode.GROUP and outset.is_by_name
    return [StepKind.ADD_MEMBERS, StepKind.REMOVE] if moves else []


def _duration(tenant: TenantId, writes: int, outlook: Outlook) -> timedelta:
    pending = Counter(outlook.others) + Counter({tenant: writes})
    return forecast(dict(pending), outlook.sizes, outlook.pace).get(tenant, timedelta(0))
