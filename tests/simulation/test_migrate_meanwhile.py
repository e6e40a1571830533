"""What changes while a migration waits: time, the other tenant, and what another worker does."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.errors import ConflictError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.observation import Census
from provisioning.domain.reasons import Reason
from tests.simulation.board import Board, When, roll_back, start, steer
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import check_ended, check_merger, check_nothing_is_half_done
from tests.simulation.schools import MIGRATION, Schools
from tests.simulation.two_tenants import LAGS, fair, rough
from tests.simulation.world import A3

MAPPINGS = load_mappings()
M, W, P, Work = MigrationState, WaveState, PersonState, OperationState


def _states(world: MergerWorld) -> set[PersonState]:
    return {one.state for one in world.travellers}


def _holds(world: MergerWorld) -> bool:
    return world.waves[1] is W.HOLDING


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

        moments = [(_holds, roll_back(1)), (self.asks(Phase.UNDO_TARGET), rob)]
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
