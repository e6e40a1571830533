"""How a migration may go while its workers are killed: leg by leg, and in one of the legs they are struck."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
from sqlalchemy import create_engine, text

from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.tenancy import AssignmentMode
from provisioning.ports import UnitOfWork
from provisioning.services.decisions import decide
from tests.journeys.customers import A3, GROUP_ROLES
from tests.journeys.groups import await_change, our_group
from tests.journeys.mergers import Merger, entitle, names_in
from tests.journeys.patience import until

_WITHIN = 200.0
_REFUSED = 5  # people whom Microsoft refuses at first, where some are tried again
_BY_GROUP = {"policy": {"assignment_mode": AssignmentMode.GROUP, "usage_location": "NL"}, "roles": GROUP_ROLES}

Deed = Callable[[Merger], None]


def _nothing(_merger: Merger) -> None:
    """Nobody decides anything: what follows is the workers' business."""


@dataclass(frozen=True)
class Leg:
    """What people decide, and where that leads."""

    begin: Deed
    await_end: Deed


@dataclass(frozen=True, kw_only=True)
class Course:
    """`struck`: the leg in which workers are killed; just before it people may change their minds, and right after it
    go on. `check`: where everybody is in the end.
    """

    legs: tuple[Leg, ...]
    struck: int
    check: Deed
    change_minds: Deed = _nothing
    go_on: Deed = _nothing
    target: Mapping[str, Any] = field(default_factory=dict)
    wishes: Mapping[str, Any] = field(default_factory=dict)


# ── legs ─────────────────────────────────────────────────────────────────────────────────────────────────


def _wave(state: WaveState) -> Deed:
    return lambda merger: merger.await_wave(1, state, within=_WITHIN)


def _start(merger: Merger) -> None:
    merger.start(1)
    merger.approve(Phase.PREPARE, 1)


def _start_for_some(merger: Merger) -> None:
    """The same for all; some are refused."""
    for person in sorted(merger.target.people)[:_REFUSED]:
        fault = {"route": "assignLicense", "user": person, "code": "Request_BadRequest", "message": "Not this one."}
        merger.town.control.add_fault("error", tenant=merger.target.tenant, **fault)
    _start(merger)


def _try_again(merger: Merger) -> None:
    for fault in merger.town.control.faults():
        if fault["tenant"] == merger.target.tenant and fault["kind"] == "error":
            merger.town.control.clear_faults(fault["id"])
    merger.retry(1)
    merger.approve(Phase.PREPARE, 1)


def _all_prepared(merger: Merger) -> None:
    until(lambda: merger.states() == {PersonState.PREPARED}, "everybody prepared after all", within=_WITHIN)


def _open_gate(merger: Merger) -> None:
    merger.open_gate(names_in(merger.travellers(1)))


def _as_if_held(merger: Merger) -> None:
    """As if the hold period had passed since these people arrived: for this run alone, beside others in the same world
    that are in the middle of something.
    """
    earlier = merger.migration.definition.hold_period + timedelta(minutes=1)

    def move(uow: UnitOfWork) -> None:
        arrived = uow.migrations.travellers(merger.migration_id, wave=1, states=[PersonState.ENABLED])
        aged = [msgspec.structs.replace(one, enabled_at=one.enabled_at - earlier) for one in arrived if one.enabled_at]
        uow.migrations.save_travellers(merger.migration_id, aged)
        uow.migrations.save(uow.migrations.get(merger.migration_id))

    decide(merger.town.services.open_uow, move)
    _age_evidence(merger, earlier)


def _age_evidence(merger: Merger, earlier: timedelta) -> None:
    """No way of ours changes evidence that was given; the owner of the database can."""
    statement = text(
        "UPDATE migration_travellers SET evidence = jsonb_set(evidence, '{given_at}',"
        " to_jsonb(to_char(CAST(evidence ->> 'given_at' AS timestamptz) AT TIME ZONE 'UTC' - :earlier,"
        ' \'YYYY-MM-DD"T"HH24:MI:SS"Z"\')))'
        " WHERE migration_id = :migration AND wave = 1 AND evidence IS NOT NULL"
    )
    engine = create_engine(merger.town.world.engines.owner_url)
    with engine.begin() as connection:
        connection.execute(statement, {"earlier": earlier, "migration": merger.migration_id})
    engine.dispose()


def _release(merger: Merger) -> None:
    _as_if_held(merger)
    merger.release(1)
    merger.approve(Phase.RELEASE, 1)


def _back_to_source(merger: Merger) -> None:
    entitle(merger.town, merger.source, len(merger.source.people))
    merger.roll_back(1)
    merger.approve(Phase.UNDO_SOURCE, 1)


def _source_is_back(merger: Merger) -> None:
    merger.await_operation(Phase.UNDO_TARGET, 1, OperationState.AWAITING_APPROVAL, within=_WITHIN)


def _out_of_target(merger: Merger) -> None:
    merger.approve(Phase.UNDO_TARGET, 1)


def _back(merger: Merger) -> None:
    merger.roll_back(1)
    until(lambda: merger.operations(Phase.UNDO_TARGET, 1), "the way back begins", within=_WITHIN)
    _source_is_back(merger)
    _out_of_target(merger)


def _moved(merger: Merger) -> None:
    await_change(merger.town, merger.target, within=_WITHIN)


def _at_rest(merger: Merger) -> None:
    """Nothing of it is at work any more, and everybody is where that left them."""
    on_their_way = {PersonState.PREPARING, PersonState.ENABLING}

    def look() -> bool:
        work = [*merger.operations(Phase.PREPARE, 1), *merger.operations(Phase.ENABLE, 1)]
        return all(one.state in OPERATION_ENDS for one in work) and merger.states().isdisjoint(on_their_way)

    until(look, "everything called off has ended", within=_WITHIN)


_PREPARE = Leg(_start, _wave(WaveState.GATED))
_ENABLE = Leg(_open_gate, _wave(WaveState.HOLDING))
_RELEASE = Leg(_release, _wave(WaveState.DONE))
_JOIN = Leg(_nothing, _moved)
_BACK = Leg(_back, _wave(WaveState.ROLLED_BACK))
_STRAIGHT = (_PREPARE, _ENABLE, _RELEASE)


# ── ends ─────────────────────────────────────────────────────────────────────────────────────────────────


def _all_have_moved(merger: Merger) -> None:
    merger.await_state(MigrationState.COMPLETED)
    assert merger.states() == {PersonState.RELEASED}
    assert merger.town.holders(merger.source, A3) == set()
    assert merger.town.holders(merger.target, A3) == set(merger.target.people)


def _all_are_back(merger: Merger) -> None:
    merger.await_state(MigrationState.COMPLETED)
    assert merger.states() == {PersonState.ROLLED_BACK}
    assert merger.town.holders(merger.source, A3) == set(merger.source.people)
    assert merger.town.holders(merger.target, A3) == set()


def _all_are_back_out_of_the_group(merger: Merger) -> None:
    _all_are_back(merger)
    assert our_group(merger.town, merger.target)["members"] == []


def _all_are_where_it_stopped(merger: Merger) -> None:
    assert merger.migration.state is MigrationState.ABORTED
    travellers = merger.travellers()
    assert {one.state for one in travellers} <= {PersonState.WAITING, PersonState.PREPARED, PersonState.ENABLED}
    there = {str(one.target_id) for one in travellers if one.state is not PersonState.WAITING}
    assert merger.town.holders(merger.target, A3) == there
    assert merger.town.holders(merger.source, A3) == set(merger.source.people)


# ── courses ──────────────────────────────────────────────────────────────────────────────────────────────


def _steer(goal: MigrationState) -> Deed:
    return lambda merger: merger.steer(goal)


def _straight_on(dice: Random) -> Course:
    return Course(legs=_STRAIGHT, struck=dice.randrange(3), check=_all_have_moved)


def _paused_and_resumed(dice: Random) -> Course:
    """Killed while it is paused."""
    return Course(
        legs=_STRAIGHT,
        struck=dice.randrange(2),
        change_minds=_steer(MigrationState.PAUSED),
        go_on=_steer(MigrationState.RUNNING),
        check=_all_have_moved,
    )


def _called_off(dice: Random) -> Course:
    before = _STRAIGHT[: dice.randrange(2)]
    last = Leg(_STRAIGHT[len(before)].begin, _at_rest)
    return Course(
        legs=(*before, last),
        struck=len(before),
        change_minds=_steer(MigrationState.ABORTED),
        check=_all_are_where_it_stopped,
    )


def _rolled_back(dice: Random) -> Course:
    """Of those who have left the source too, or not yet."""
    if dice.random() < 0.5:
        return Course(legs=(_PREPARE, _ENABLE, _BACK), struck=2, check=_all_are_back)
    back = (Leg(_back_to_source, _source_is_back), Leg(_out_of_target, _wave(WaveState.ROLLED_BACK)))
    return Course(legs=(*_STRAIGHT, *back), struck=3 + dice.randrange(2), check=_all_are_back)


def _tried_again(dice: Random) -> Course:
    first, again = Leg(_start_for_some, _wave(WaveState.GATED)), Leg(_try_again, _all_prepared)
    return Course(
        legs=(first, again, _ENABLE, _RELEASE),
        struck=dice.randrange(2),
        check=_all_have_moved,
        wishes={"failure_threshold": 0.9},
    )


def _into_a_group(dice: Random) -> Course:
    """And on from there, or back out of it."""
    if dice.random() < 0.5:
        legs, check = (_PREPARE, _ENABLE, _JOIN, _RELEASE), _all_have_moved
    else:
        legs, check = (_PREPARE, _ENABLE, _JOIN, _BACK), _all_are_back_out_of_the_group
    return Course(legs=legs, struck=2 + dice.randrange(2), check=check, target=_BY_GROUP)


COURSES: Mapping[str, Callable[[Random], Course]] = {
    "straight on": _straight_on,
    "paused and resumed": _paused_and_resumed,
    "called off": _called_off,
    "rolled back": _rolled_back,
    "tried again": _tried_again,
    "into a group": _into_a_group,
}


def course_name(seed: int) -> str:
    """Drawn by dice of its own, so that nothing else which the seed decides depends on it."""
    return Random(f"course {seed}").choice(list(COURSES))
