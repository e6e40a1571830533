"""Who failed in a migration is tried again, and what was held goes on."""

from __future__ import annotations

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.errors import ActionRequiredError
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason
from tests.simulation.board import Board
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import SETTLE, check_ended, check_merger, check_nothing_is_half_done
from tests.simulation.schools import Schools, there
from tests.simulation.two_tenants import LAGS, fair, rough
from tests.simulation.world import A3, YAMMER

MAPPINGS = load_mappings()
M, W, P, Work = MigrationState, WaveState, PersonState, OperationState


def _states(world: MergerWorld) -> set[PersonState]:
    return {one.state for one in world.travellers}


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
