"""People with two products, of a migration that moves both: the first goes along, the second stays where it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mappings.loader import load_mappings
from provisioning.domain.ids import SkuId
from provisioning.domain.migration import Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.planning.leaving import KEPT_AFTER_RELEASE
from tests.simulation.board import Board, roll_back
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import check_ended
from tests.simulation.schools import Schools, there
from tests.simulation.two_tenants import LAGS, fair, rough
from tests.simulation.world import A1, A3

MAPPINGS = load_mappings()
BOTH = Schools(also=A1)  # of five people the fourth has A1 alone, the fifth both


def _held(world: MergerWorld) -> list[tuple[set[SkuId], set[SkuId]]]:
    """By everybody, here and there."""
    here, away = world.graph.source.people, world.graph.target.people
    return [
        ({held.sku_id for held in here[one].licences}, {held.sku_id for held in away[there(one)].licences})
        for one in sorted(here)
    ]


class TestPeopleWithTwoProducts:
    @pytest.mark.parametrize("lag", LAGS, ids=str)
    def test_the_first_goes_along_and_the_second_stays(self, lag: timedelta) -> None:
        world = MergerWorld(1, MAPPINGS, fair(lag), schools=BOTH)
        assert world.run_through() is MigrationState.COMPLETED
        check_ended(world)
        assert _held(world) == [*[(set(), {A3})] * 3, (set(), {A1}), ({A1}, {A3})]

    def test_each_product_of_a_wave_is_an_operation_of_its_own(self) -> None:
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), schools=BOTH)
        world.run_through()
        parts = [(one.wish.part.wave, one.wish.sku_id) for one in world.operations_in(Phase.PREPARE) if one.wish.part]
        assert sorted(parts) == sorted([(1, A3), (2, A3), (2, A1)])

    @pytest.mark.parametrize("seed", range(3))
    def test_on_bad_days_with_crashes_it_ends_the_same(self, seed: int) -> None:
        world = MergerWorld(seed, MAPPINGS, rough(LAGS[seed]), schools=BOTH, crash_chance=0.02)
        assert world.run_through() is MigrationState.COMPLETED
        check_ended(world)
        assert _held(world)[-1] == ({A1}, {A3})

    def test_rolled_back_everybody_has_what_they_had_but_who_left_more_than_thirty_days_ago(self) -> None:
        """The third has no mailbox, so nobody waited for a gate: they were released a month before the others."""

        def is_being_left(world: MergerWorld) -> bool:
            writes, month_ago = world.graph.source.writes, world.clock.moment - KEPT_AFTER_RELEASE
            return len(writes) >= 2 and writes[0].at < month_ago and world.waves[1] is WaveState.RELEASING

        board = Board(moments=[(is_being_left, roll_back(1))])
        world = MergerWorld(1, MAPPINGS, fair(LAGS[0]), schools=Schools(also=A1, pilot=5), board=board)
        before = _held(world)
        assert world.run_through() is MigrationState.COMPLETED
        check_ended(world)
        back, gone, left = PersonState.ROLLED_BACK, PersonState.FAILED, ({A3}, set())
        assert [one.state for one in world.travellers] == [back, back, gone, back, back]
        assert before[2] == left
        assert _held(world) == [*before[:2], (set(), {A3}), *before[3:]]
