"""People who change their minds about a migration: paused, called off, rolled back; at any moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.errors import ActionRequiredError
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS, MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from tests.simulation.board import Board, Deed, When, gate_all, roll_back, roll_back_failed, steer
from tests.simulation.courses import is_too_late
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import check_ended
from tests.simulation.schools import OURS, THEIRS, Schools
from tests.simulation.two_tenants import LAGS, fair, rough

MAPPINGS = load_mappings()
THROUGH = (None, OURS, THEIRS)
M, W, P, Work = MigrationState, WaveState, PersonState, OperationState
Moments = list[tuple[When, Deed]]


def _states(world: MergerWorld) -> set[PersonState]:
    return {one.state for one in world.travellers}


def _after(boundaries: int) -> When:
    return lambda world: world.crash.passed > boundaries


def _paused(seed: int) -> Moments:
    def is_time(world: MergerWorld) -> bool:
        """Paused already: whoever typed it saw no answer, and types it again."""
        return world.crash.passed > seed * 7 % 350 and world.migration.state in {M.RUNNING, M.PAUSED}

    def has_rested(world: MergerWorld) -> bool:
        since = world.clock.moment - world.migration.entered_at
        return world.migration.state is M.PAUSED and since > timedelta(minutes=3)

    return [(is_time, steer(M.PAUSED)), (has_rested, steer(M.RUNNING))]


def _called_off(seed: int) -> Moments:
    return [(_after(seed * 7 % 450), steer(M.ABORTED))]


def _when(wave: int, states: set[WaveState], seed: int) -> When:
    """Some boundaries after the wave came there; which, the seed says."""

    def is_time(world: MergerWorld) -> bool:
        is_there = world.waves[wave] in states and world.migration.state not in MIGRATION_ENDS
        return is_there and world.crash.passed % 40 >= seed % 40

    return is_time


_BEGUN = {W.PREPARING, W.GATED, W.HOLDING}


def _rolled_back(seed: int) -> Moments:
    wave = 1 + seed % 2
    return [(_when(wave, {W.RELEASING} if seed % 3 else _BEGUN, seed), roll_back(wave))]


def _called_off_on_the_way_back(seed: int) -> Moments:
    wave = 1 + seed % 2
    return [
        (_when(wave, {W.RELEASING}, seed), roll_back(wave)),
        (_when(wave, {W.ROLLING_BACK}, seed * 3), steer(M.ABORTED)),
    ]


def _rolled_back_while_paused(seed: int) -> Moments:
    is_back = _when(1, {W.ROLLING_BACK, W.ROLLED_BACK}, seed)
    return [
        (_when(1, _BEGUN, seed), steer(M.PAUSED)),
        (lambda world: world.migration.state is M.PAUSED and world.waves[1] in _BEGUN, roll_back(1)),
        (lambda world: world.migration.state is M.PAUSED and is_back(world), steer(M.RUNNING)),
    ]


CHANGES_OF_MIND: dict[str, Callable[[int], Moments]] = {
    "nobody changes their mind": lambda _seed: [],
    "paused and resumed": _paused,
    "called off": _called_off,
    "rolled back": _rolled_back,
    "called off on the way back": _called_off_on_the_way_back,
    "rolled back while paused": _rolled_back_while_paused,
}


def _chaos(course: str, seed: int) -> None:
    lag, through = LAGS[seed % 3], THROUGH[seed // 3 % 3]
    board = Board(moments=CHANGES_OF_MIND[course](seed))
    mode = (AssignmentMode.DIRECT, AssignmentMode.GROUP)[seed % 2]
    schools = Schools(through=through, mode=mode, pilot=1 + seed % 4)
    world = MergerWorld(
        seed,
        MAPPINGS,
        rough(lag),
        crash_chance=0.02,
        board=board,
        schools=schools,
    )
    assert world.run_through() in MIGRATION_ENDS
    check_ended(world)
    _check_who_went_back(world)


def _check_who_went_back(world: MergerWorld) -> None:
    """Everybody of a wave that was rolled back, whether the target licenses by group or not; but for the latest."""
    if world.migration.state is M.ABORTED:
        return
    back = [one for one in world.travellers if world.waves[one.wave] is W.ROLLED_BACK]
    left = {one.source_id: (one.state, one.failed_in, one.reason) for one in back if one.state is not P.ROLLED_BACK}
    assert left.keys() == {one.source_id for one in back if is_too_late(world, one)}, left


class TestAgainAndAgain:
    """Crashes, lost answers, throttling, lag, messages twice or never; and people who change their minds."""

    @pytest.mark.parametrize("seed", range(9))
    @pytest.mark.parametrize("course", CHANGES_OF_MIND)
    def test_a_few(self, course: str, seed: int) -> None:
        _chaos(course, seed)

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(9, 100))
    @pytest.mark.parametrize("course", CHANGES_OF_MIND)
    def test_many(self, course: str, seed: int) -> None:
        _chaos(course, seed)


def _is_gated(world: MergerWorld) -> bool:
    return world.waves[1] is W.GATED


def _is_paused(world: MergerWorld) -> bool:
    return world.migration.state is M.PAUSED


def _by_wave(world: MergerWorld) -> dict[int, set[PersonState]]:
    return {number: {one.state for one in world.travellers if one.wave == number} for number in (1, 2)}


class TestCalledOff:
    @pytest.mark.parametrize("lag", LAGS, ids=str)
    def test_in_the_middle_of_writing_nothing_is_half_done(self, lag: timedelta) -> None:
        """Held for consent with writes that nobody has read back: these are read, then it ends."""
        refused = ActionRequiredError("no", Reason.FORBIDDEN)

        def is_writing(world: MergerWorld) -> bool:
            return len(world.graph.target.writes) >= 1

        def refuse(world: MergerWorld) -> None:
            world.graph.target.stop_at_write = refused

        def waits(world: MergerWorld) -> bool:
            return any(one.state is Work.AWAITING_CONSENT for one in world.operations)

        def is_read_back(world: MergerWorld) -> bool:
            """And consent is given again: Exchange waits for it, where mailboxes have moved."""
            prepared = world.operations_in(Phase.PREPARE)
            return world.migration.state is M.ABORTED and all(one.state in OPERATION_ENDS for one in prepared)

        def consent(world: MergerWorld) -> None:
            world.graph.target.stop_at_write = None

        for seed in range(8):
            moments = [(is_writing, refuse), (waits, steer(M.ABORTED)), (is_read_back, consent)]
            board = Board(moments=moments)
            world = MergerWorld(seed, MAPPINGS, rough(lag), board=board)
            world.limits = msgspec.structs.replace(world.limits, first_people=1)
            assert world.run_through() is M.ABORTED
            check_ended(world)

    @pytest.mark.parametrize("lag", LAGS, ids=str)
    @pytest.mark.parametrize("weeks", [0, 2])
    def test_a_mailbox_that_moves_afterwards_still_gets_exchange_and_nobody_else_anything(
        self, lag: timedelta, weeks: int
    ) -> None:
        """After two weeks the approval of the preparation covers it no more: it is asked for by itself."""
        board = Board(opens_gates=False, moments=[(_is_gated, steer(M.ABORTED))])
        world = MergerWorld(1, MAPPINGS, fair(lag), board=board)
        assert world.run_through() is M.ABORTED
        assert _by_wave(world) == {1: {P.PREPARED}, 2: {P.WAITING}}
        written = len(world.graph.writes)
        board.opens_gates = True
        world.clock.moment += timedelta(weeks=weeks)
        world.run_through()
        check_ended(world)
        assert _by_wave(world) == {1: {P.ENABLED}, 2: {P.WAITING}}
        assert len(world.graph.writes) == written + 2

    def test_on_the_way_back_whoever_is_left_with_a_mailbox_and_no_exchange_gets_it_when_tried_again(self) -> None:
        """Called off while their way back waits for approval: their mailbox has moved all the same."""

        def asks(world: MergerWorld) -> bool:
            waiting = [one for one in world.operations if one.state is Work.AWAITING_APPROVAL]
            return world.waves[1] is W.ROLLING_BACK and bool(waiting)

        moments = [(_is_gated, steer(M.PAUSED)), (_is_paused, gate_all), (_is_paused, roll_back(1))]
        moments += [(_is_paused, steer(M.RUNNING)), (asks, steer(M.ABORTED))]
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), board=Board(moments=moments))
        assert world.run_through() is M.ABORTED
        check_ended(world)
        assert _by_wave(world) == {1: {P.ENABLED}, 2: {P.WAITING}}

    def test_before_anybody_approved_it_the_plan_is_void_and_everybody_waits(self) -> None:
        def asks(world: MergerWorld) -> bool:
            return any(one.state is Work.AWAITING_APPROVAL for one in world.operations)

        world = MergerWorld(
            1, MAPPINGS, rough(LAGS[0]), board=Board(approves=False, moments=[(asks, steer(M.ABORTED))])
        )
        assert world.run_through() is M.ABORTED
        check_ended(world)
        assert _states(world) == {P.WAITING}
        assert not world.graph.writes
        assert not world.database.rows.steps


class TestRolledBack:
    def test_what_nobody_approved_yet_is_not_asked_for_any_more(self) -> None:
        def asks(world: MergerWorld) -> bool:
            return any(one.state is Work.AWAITING_APPROVAL for one in world.operations)

        board = Board(approves=False, moments=[(asks, roll_back(1))])
        world = MergerWorld(1, MAPPINGS, rough(LAGS[0]), board=board, schools=Schools(pilot=5))
        assert world.run_through() is M.COMPLETED
        assert world.waves[1] is W.ROLLED_BACK
        assert _states(world) == {P.ROLLED_BACK}
        assert not world.graph.writes
        assert [one.state for one in world.operations] == [Work.CANCELLED]

    @pytest.mark.parametrize("lag", LAGS, ids=str)
    def test_whoever_left_our_group_last_is_taken_back_into_it(self, lag: timedelta) -> None:
        """By then it brings nobody anything: it is looked at because we gave it to them."""

        def all_have_left(world: MergerWorld) -> bool:
            members = world.graph.source.groups.current(OURS).members
            return not members and world.waves[1] is W.RELEASING

        schools = Schools(through=OURS, pilot=5)
        world = MergerWorld(
            1, MAPPINGS, fair(lag), board=Board(moments=[(all_have_left, roll_back(1))]), schools=schools
        )
        before = world.graph.source.groups.current(OURS).members
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        assert _states(world) == {P.ROLLED_BACK}
        assert world.graph.source.groups.current(OURS).members == before

    def test_who_never_got_a_seat_goes_back_with_the_others(self) -> None:
        board = Board(checks=False, retries=0, moments=[(_has_failed, roll_back(2))])
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), board=board, schools=Schools(seats=3))
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        assert {one.state for one in world.travellers if one.wave == 2} == {P.ROLLED_BACK}

    def test_who_failed_goes_back_alone_and_the_others_of_the_wave_arrive(self) -> None:
        board = Board(checks=False, retries=0, moments=[(_has_failed, roll_back_failed(1))])
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), board=board, schools=Schools(seats=3, pilot=5))
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        states = [one.state for one in world.travellers]
        assert (states.count(P.ROLLED_BACK), states.count(P.RELEASED)) == (2, 3)
        assert world.waves[1] is W.DONE


def _has_failed(world: MergerWorld) -> bool:
    return P.FAILED in _states(world) and world.waves[2] is not W.DONE
