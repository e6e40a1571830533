"""Deterministic simulation of *migrate*: two tenants, virtual months; a failing seed replays with `pytest -k seed`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.errors import ActionRequiredError, ConflictError
from provisioning.domain.ids import GroupId, MigrationId, OperationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase, Traveller
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS, MigrationState, PersonState, WaveState
from provisioning.domain.observation import Census
from provisioning.domain.operation import OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.services.migration_deeds import PeopleElsewhereError
from tests.simulation.board import Board, Deed, When, roll_back, roll_back_failed, start, steer
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import SETTLE, check_ended, check_merger, check_nothing_is_half_done
from tests.simulation.schools import MIGRATION, OURS, THEIRS, Schools, there
from tests.simulation.two_tenants import LAGS, fair, rough
from tests.simulation.world import A3, YAMMER

MAPPINGS = load_mappings()
ORDER = OperationId("order")
THROUGH = (None, OURS, THEIRS)
M, W, P, Work = MigrationState, WaveState, PersonState, OperationState
Moments = list[tuple[When, Deed]]


def _states(world: MergerWorld) -> set[PersonState]:
    return {one.state for one in world.travellers}


def _order_in_the_target(world: MergerWorld) -> None:
    """Of the same product, for everybody there."""
    prepared = world.operations_in(Phase.PREPARE)[0]
    wish = msgspec.structs.replace(prepared.wish, part=None, named=())
    fields = {"kind": OperationKind.DELIVER, "state": Work.PLANNING, "due_at": world.clock.now(), "wish": wish}
    with world.database.open() as uow:
        uow.operations.add(msgspec.structs.replace(prepared, operation_id=ORDER, version=0, **fields))
        uow.commit()


class TestInFairWeather:
    @pytest.mark.parametrize("lag", LAGS, ids=str)
    @pytest.mark.parametrize("through", [None, OURS], ids=["direct", "through our group"])
    def test_everybody_arrives_and_leaves(self, lag: timedelta, through: GroupId | None) -> None:
        world = MergerWorld(1, MAPPINGS, fair(lag), schools=Schools(through=through))
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        assert _states(world) == {P.RELEASED}
        assert set(world.waves.values()) == {W.DONE}

    def test_into_a_tenant_whose_licences_go_through_groups(self) -> None:
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), schools=Schools(mode=AssignmentMode.GROUP))
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        assert _states(world) == {P.RELEASED}

    def test_nobody_leaves_the_source_before_the_hold_period_has_passed(self) -> None:
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]))
        world.run_through()
        for one in world.travellers:
            left_at = world.graph.source.versions[one.source_id][-1][0]
            assert left_at - one.enabled_at >= timedelta(days=30)

    def test_what_a_group_of_the_school_gives_is_not_taken_and_the_report_says_so(self) -> None:
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), schools=Schools(through=THEIRS))
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        [kept] = [one for one in world.travellers if one.state is not P.RELEASED]
        assert (kept.state, kept.failed_in, kept.reason) == (P.FAILED, Phase.RELEASE, Reason.INHERITED_FROM_GROUP)
        assert world.graph.source.people[kept.source_id].holds(A3)

    def test_an_order_in_the_target_gives_nobody_a_mailbox_before_their_own_has_come(self) -> None:
        board = Board(opens_gates=False, moments=[(lambda world: world.waves[1] is W.GATED, _order_in_the_target)])
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), board=board)
        world.run_through(timedelta(hours=2))
        with world.database.open() as uow:
            said = {one.subject_id: one.reason for one in uow.journal.subjects(ORDER)}
        assert said == dict.fromkeys((one.target_id for one in world.travellers), Reason.MIGRATION_UNDER_WAY)
        assert all(one.state in {P.PREPARED, P.WAITING} for one in world.travellers)
        check_merger(world, repeats_allowed=False)

    def test_a_seed_replays(self) -> None:
        runs = [MergerWorld(5, MAPPINGS, rough(LAGS[2]), crash_chance=0.02) for _ in range(2)]
        for world in runs:
            world.run_through()
        first, second = ([(one.at, one.subject) for one in world.graph.writes] for world in runs)
        assert first == second
        assert runs[0].crashes == runs[1].crashes > 0


# ── people who change their minds ────────────────────────────────────────────────────────────────────────


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
    is_back = _when(1, {W.ROLLING_BACK}, seed)
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

        for seed in range(8):
            board = Board(moments=[(is_writing, refuse), (waits, steer(M.ABORTED))])
            world = MergerWorld(seed, MAPPINGS, rough(lag), board=board)
            world.limits = msgspec.structs.replace(world.limits, first_people=1)
            assert world.run_through() is M.ABORTED
            check_ended(world)

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


class TestTriedAgain:
    @pytest.mark.parametrize("seed", range(3))
    def test_whoever_found_no_seat_gets_one_when_there_are_more(self, seed: int) -> None:
        def came_up_short(world: MergerWorld) -> bool:
            return P.FAILED in _states(world)

        def buy(world: MergerWorld) -> None:
            world.graph.target.enabled[A3] = 5

        world = MergerWorld(
            seed,
            MAPPINGS,
            rough(LAGS[seed]),
            board=Board(checks=False, moments=[(came_up_short, buy)]),
            schools=Schools(seats=3),
        )
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        assert _states(world) == {P.RELEASED}

    def test_when_all_else_has_ended_the_migration_goes_on_for_them(self) -> None:
        def is_over(world: MergerWorld) -> bool:
            return world.migration.state is M.COMPLETED

        def buy(world: MergerWorld) -> None:
            world.graph.target.enabled[A3] = 5
            world.board.retries = 1

        world = MergerWorld(
            1,
            MAPPINGS,
            rough(LAGS[0]),
            board=Board(checks=False, retries=0, moments=[(is_over, buy)]),
            schools=Schools(seats=3),
        )
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        assert _states(world) == {P.RELEASED}

    @pytest.mark.parametrize("seed", range(3))
    def test_whoever_was_changed_by_others_at_the_gate(self, seed: int) -> None:
        """What the school switched off meanwhile stays off, and Exchange comes on."""
        touched = []

        def somebody_stands_there(world: MergerWorld) -> bool:
            return P.PREPARED in _states(world)

        def switch_off(world: MergerWorld) -> None:
            one = next(each for each in world.travellers if each.state is P.PREPARED)
            person = world.graph.target.people[one.target_id]
            held = [msgspec.structs.replace(x, disabled_plans=x.disabled_plans | {YAMMER}) for x in person.licences]
            world.graph.target.change_by_hand(one.target_id, msgspec.structs.replace(person, licences=tuple(held)))
            touched.append((one.source_id, world.clock.moment))

        def is_seen(world: MergerWorld) -> bool:
            """By every replica: what none of them shows can be kept by nobody."""
            return bool(touched) and world.clock.moment > touched[0][1] + LAGS[seed]

        def open_gates(world: MergerWorld) -> None:
            world.board.opens_gates = True

        board = Board(opens_gates=False, moments=[(somebody_stands_there, switch_off), (is_seen, open_gates)])
        world = MergerWorld(seed, MAPPINGS, rough(LAGS[seed]), board=board)
        assert world.run_through() is M.COMPLETED
        check_merger(world, repeats_allowed=LAGS[seed] >= SETTLE, apart_from=frozenset({touched[0][0]}))
        check_nothing_is_half_done(world)
        [held] = world.graph.target.people[there(touched[0][0])].licences
        assert YAMMER in held.disabled_plans

    def test_a_held_operation_goes_on_in_the_middle(self) -> None:
        held = []

        def is_writing(world: MergerWorld) -> bool:
            return len(world.graph.target.writes) >= 1

        def refuse(world: MergerWorld) -> None:
            world.graph.target.stop_at_write = ActionRequiredError("no", Reason.SKU_NOT_OWNED)

        def is_held(world: MergerWorld) -> bool:
            held.extend(one for one in world.operations if one.state is Work.HELD)
            return bool(held)

        def cure(world: MergerWorld) -> None:
            world.graph.target.stop_at_write = None

        board = Board(moments=[(is_writing, refuse), (is_held, cure)])
        world = MergerWorld(2, MAPPINGS, fair(LAGS[0]), board=board)
        world.limits = msgspec.structs.replace(world.limits, first_people=1)
        assert world.run_through() is M.COMPLETED
        assert held
        check_ended(world)
        assert _states(world) == {P.RELEASED}


class TestALateApproval:
    def test_is_void_and_the_plan_is_drawn_anew(self) -> None:
        board = Board(approves=False)
        world = MergerWorld(1, MAPPINGS, rough(LAGS[0]), board=board)
        world.run_through(timedelta(days=7, minutes=5))
        [operation] = world.operations
        drawn = [event.at for event in world.database.rows.events if event.kind == "plan.drawn"]
        assert len(drawn) == 2
        assert drawn[1] - drawn[0] >= timedelta(days=7)
        assert operation.state is Work.AWAITING_APPROVAL
        assert not world.graph.writes
        board.approves = True
        assert world.run_through() is M.COMPLETED
        check_ended(world)

    def test_at_the_last_moment_it_ends_while_people_are_written(self) -> None:
        """Approved a second before its time is over: what is left is asked for anew."""
        board = Board(approves_after=timedelta(days=7) - timedelta(seconds=1))
        world = MergerWorld(1, MAPPINGS, rough(LAGS[0]), board=board)
        world.limits = msgspec.structs.replace(world.limits, first_people=1)
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        reasons = [event.reason for event in world.database.rows.events if event.kind == "operation.planning"]
        assert Reason.APPROVAL_EXPIRED in reasons


class TestWhatTheOtherTenantLostSinceThePlan:
    """A week may pass between a plan and its approval: whom the other tenant does not serve any more keeps theirs."""

    @staticmethod
    def asks(phase: Phase) -> When:
        def is_asked(world: MergerWorld) -> bool:
            return any(one.state is Work.AWAITING_APPROVAL for one in world.operations_in(phase))

        return is_asked

    @pytest.mark.parametrize("share", [0.0, 1.0], ids=["planned anew", "left alone"])
    def test_nobody_is_released_whose_licence_there_is_gone(self, share: float) -> None:
        robbed: list[Traveller] = []

        def rob(world: MergerWorld) -> None:
            operation = next(one for one in world.operations if one.state is Work.AWAITING_APPROVAL)
            one = next(each for each in world.travellers if each.source_id in operation.wish.named)
            bare = msgspec.structs.replace(world.graph.target.people[one.target_id], licences=())
            world.graph.target.change_by_hand(one.target_id, bare)
            robbed.append(one)

        board = Board(retries=0, approves_after=timedelta(days=1), moments=[(self.asks(Phase.RELEASE), rob)])
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), board=board)
        world.limits = msgspec.structs.replace(world.limits, changed_share=share)
        assert world.run_through() is M.COMPLETED
        check_merger(world, apart_from=frozenset({robbed[0].source_id}))
        check_nothing_is_half_done(world)
        [kept] = [one for one in world.travellers if one.state is not P.RELEASED]
        reason = Reason.CHANGED_MEANWHILE if share else Reason.TARGET_NOT_READY
        assert (kept.source_id, kept.state, kept.reason) == (robbed[0].source_id, P.FAILED, reason)
        assert world.graph.source.people[kept.source_id].holds(A3)

    @pytest.mark.parametrize("share", [0.0, 1.0], ids=["planned anew", "left alone"])
    def test_nothing_is_taken_back_from_whom_the_source_does_not_serve(self, share: float) -> None:
        robbed: list[Traveller] = []

        def rob(world: MergerWorld) -> None:
            operation = next(one for one in world.operations if one.state is Work.AWAITING_APPROVAL)
            one = next(each for each in world.travellers if each.target_id in operation.wish.named)
            bare = msgspec.structs.replace(world.graph.source.people[one.source_id], licences=())
            world.graph.source.change_by_hand(one.source_id, bare)
            robbed.append(one)

        moments = [(_when(1, {W.HOLDING}, 0), roll_back(1)), (self.asks(Phase.UNDO_TARGET), rob)]
        board = Board(retries=0, approves_after=timedelta(days=1), moments=moments)
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), board=board, schools=Schools(pilot=5))
        world.limits = msgspec.structs.replace(world.limits, changed_share=share)
        assert world.run_through() is M.COMPLETED
        [kept] = [one for one in world.travellers if one.state is not P.ROLLED_BACK]
        reason = Reason.CHANGED_MEANWHILE if share else Reason.NOT_AS_WE_LEFT
        assert (kept.source_id, kept.state, kept.reason) == (robbed[0].source_id, P.FAILED, reason)
        assert world.graph.target.people[kept.target_id].holds(A3)


class TestTwoWorkersAtOnce:
    def test_the_second_look_at_a_migration_changes_nothing(self) -> None:
        world = MergerWorld(1, MAPPINGS, rough(LAGS[0]))
        world.match()(MIGRATION)
        start(world, 1)
        world.database.meanwhile = lambda: world.advance()(MIGRATION)
        with pytest.raises(ConflictError):
            world.advance()(MIGRATION)
        assert len(world.operations) == 1
        assert world.run_through() is M.COMPLETED
        check_ended(world)

    def test_whoever_pauses_is_not_overruled_by_a_look_that_began_before(self) -> None:
        world = MergerWorld(1, MAPPINGS, rough(LAGS[0]))
        world.match()(MIGRATION)
        start(world, 1)
        world.database.meanwhile = lambda: steer(M.PAUSED)(world)
        with pytest.raises(ConflictError):
            world.advance()(MIGRATION)
        assert world.migration.state is M.PAUSED
        assert world.operations == []

    @pytest.mark.parametrize("seed", range(12))
    def test_at_any_moment(self, seed: int) -> None:
        world = MergerWorld(seed, MAPPINGS, rough(LAGS[seed % 3]), duplicates=0.1)
        assert world.run_through() is M.COMPLETED
        assert world.overtaken > 0
        check_ended(world)


class TestHalfALook:
    def test_is_looked_at_again_and_fails_nobody(self) -> None:
        looks = []

        def whole_the_third_time(census: Census) -> Census:
            looks.append(census)
            return msgspec.structs.replace(census, is_complete=len(looks) > 2)

        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), board=Board(retries=0))
        observe = world.graph.target.observe_census
        world.graph.target.observe_census = lambda tenant: whole_the_third_time(observe(tenant))  # type: ignore[method-assign]
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        assert _states(world) == {P.RELEASED}


class TestTwoMigrations:
    def test_of_the_same_people_the_second_is_refused_by_the_name_of_the_first(self) -> None:
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]))
        match = world.match()
        match(MIGRATION)
        second = _another(world)
        with pytest.raises(PeopleElsewhereError, match=f"5 of merger \\({MIGRATION}\\)"):
            match(second)
        steer(M.ABORTED)(world)
        assert match(second).state is M.MATCHED


def _another(world: MergerWorld) -> MigrationId:
    first = world.migration
    definition = msgspec.structs.replace(first.definition, name="the same people")
    second = msgspec.structs.replace(
        first, migration_id=MigrationId("second"), definition=definition, state=M.NEW, version=0
    )
    with world.database.open() as uow:
        firsts = uow.migrations.waves(first.migration_id)
        waves = [msgspec.structs.replace(one, migration_id=second.migration_id) for one in firsts]
        uow.migrations.add(second, waves)
        uow.commit()
    return second.migration_id
