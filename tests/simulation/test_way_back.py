"""A wave that has left the source goes back: the old licence first, and nobody without a service on the way."""

from datetime import timedelta

import pytest

from mappings.loader import load_mappings
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from tests.simulation.board import Board, roll_back
from tests.simulation.graph import Weather
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import check_merger, check_nothing_is_half_done
from tests.simulation.world import A3

MAPPINGS = load_mappings()


def is_done(world: MergerWorld) -> bool:
    return world.waves[1] is WaveState.DONE


def gone_back(seed: int) -> MergerWorld:
    board = Board(moments=[(is_done, roll_back(1))])
    world = MergerWorld(seed, MAPPINGS, Weather(lag=timedelta(seconds=15)), board=board)
    assert world.run_through() is MigrationState.COMPLETED
    assert world.waves[1] is WaveState.ROLLED_BACK
    return world


@pytest.mark.parametrize("seed", range(8))
def test_whoever_left_within_thirty_days_is_as_before_and_nobody_is_ever_without(seed: int) -> None:
    """In some seeds a month passes before the plan is drawn: whoever left too long ago stays where they arrived."""
    world = gone_back(seed)
    for one in (each for each in world.travellers if each.wave == 1):
        is_back = one.state is PersonState.ROLLED_BACK
        assert is_back or (one.failed_in, one.reason) == (Phase.UNDO_SOURCE, Reason.NOT_AS_WE_LEFT)
        assert world.graph.source.people[one.source_id].holds(A3) is is_back
        assert world.graph.target.people[one.target_id].holds(A3) is not is_back
    check_merger(world)
    check_nothing_is_half_done(world)


def test_a_whole_wave_goes_back() -> None:
    assert {one.state for one in gone_back(0).travellers if one.wave == 1} == {PersonState.ROLLED_BACK}
