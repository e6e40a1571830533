"""Deterministic simulation of *migrate*: two tenants, virtual months; a failing seed replays with `pytest -k seed`."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.catalogue import ServicePlan
from provisioning.domain.ids import GroupId, MigrationId, OperationId, ServicePlanId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase, Traveller
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.services.migration_deeds import PeopleElsewhereError
from tests.simulation.board import Board, Deed, When, steer
from tests.simulation.merger import MergerWorld
from tests.simulation.merger_promises import check_ended, check_merger
from tests.simulation.schools import MIGRATION, OURS, THEIRS, Schools
from tests.simulation.two_tenants import LAGS, fair, rough
from tests.simulation.world import A3

MAPPINGS = load_mappings()
ORDER = OperationId("order")
THROUGH = (None, OURS, THEIRS)
NEW_PLAN = ServicePlanId("new-plan")
M, W, P, Work = MigrationState, WaveState, PersonState, OperationState
Moments = list[tuple[When, Deed]]


def _states(world: MergerWorld) -> set[PersonState]:
    return {one.state for one in world.travellers}


def _somebody_is_prepared(world: MergerWorld) -> bool:
    return P.PREPARED in _states(world)


def _describe(world: MergerWorld) -> None:
    """Somebody says that the new plan is none of Exchange; whoever works from then on knows it."""
    a3 = MAPPINGS.skus[A3]
    known = msgspec.structs.replace(a3, plans=(*a3.plans, ServicePlan(NEW_PLAN, "NEW", "learning")))
    world.mappings = msgspec.structs.replace(MAPPINGS, skus={**MAPPINGS.skus, A3: known})
    world.worker = world._worker()


def _without_the_new_plan(world: MergerWorld, one: Traveller) -> list[bool]:
    """At each moment at which the person had the licence in the target."""
    assert one.target_id is not None
    versions = world.graph.target.versions[one.target_id]
    return [NEW_PLAN in held.disabled_plans for _, person in versions if (held := person.direct(A3))]


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

    @pytest.mark.parametrize("is_described", [False, True], ids=["nobody says what it is", "described on the way"])
    def test_a_plan_that_no_list_knows_waits_for_each_mailbox_and_comes_on_with_it(self, is_described: bool) -> None:
        board = Board(moments=[(_somebody_is_prepared, _describe)] if is_described else [])
        world = MergerWorld(1, MAPPINGS, fair(LAGS[1]), board=board)
        world.graph.target.offered[A3] = MAPPINGS.skus[A3].plan_ids | {NEW_PLAN}
        assert world.run_through() is M.COMPLETED
        check_ended(world)
        off = {one.source_id: _without_the_new_plan(world, one) for one in world.travellers if one.has_mailbox}
        assert all(looked[-1] is False for looked in off.values())
        first = {looked[0] for looked in off.values()}
        assert first == ({True, False} if is_described else {True})

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
