"""A group that went to another product by an order of ours, and the product before is ordered again beside it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.groups import GroupLicence, LicensingGroup, nickname_for
from provisioning.domain.ids import GroupId, OperationId, SkuId, SubjectId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from tests.simulation.promises import check_continuity, check_witness
from tests.simulation.test_group_cases import GROUP, LAGS, ROUGH, SETTLE, a_group_with, a_world, everybody_holds, proven
from tests.simulation.test_group_members import holds
from tests.simulation.weather import Weather
from tests.simulation.world import A3, SCHOOL, TENANT, World

A5 = SkuId("e97c048c-37a4-45fb-ab50-922fbf07a370")
OF_A3 = nickname_for("M365EDU_A3_FACULTY", SCHOOL)


def ordered(world: World, sku: SkuId, *replaces: SkuId, name: str = "op-1") -> Operation:
    """The order that runs next."""
    wish = msgspec.structs.replace(world._operation().wish, sku_id=sku, replaces=frozenset(replaces))
    known = {"wish": wish, "operation_id": OperationId(name), "due_at": world.clock.moment}
    operation = msgspec.structs.replace(world._operation(), **known)
    world.database.rows.operations[operation.operation_id] = operation
    world.operation_id = operation.operation_id
    return operation


def with_a_group_of_a3(world: World, newcomers: frozenset[SubjectId]) -> None:
    """Everybody but the newcomers has A3 by our group of the usual name."""
    everybody_holds(world, HeldLicence(A3, group_id=GROUP))
    for subject in newcomers:
        holds(world, subject)
    a_group_with(world, A3, members=frozenset(world.graph.people) - newcomers, nickname=OF_A3)
    rows = world.database.rows
    rows.groups[TENANT, A3, SCHOOL] = msgspec.structs.replace(rows.groups[TENANT, A3, SCHOOL], nickname=OF_A3)
    world.graph.enabled[A5] = 40
    rows.entitlements[TENANT, A5] = 40
    world.graph.exclusive |= {frozenset({A3, A5})}
    proven(world)


def select(world: World, *subjects: SubjectId) -> None:
    rows = world.database.rows
    ids = msgspec.json.encode({"ids": subjects}).decode()
    rows.bindings[0] = msgspec.structs.replace(
        rows.bindings[0], selectors=dict.fromkeys(rows.bindings[0].selectors, ids)
    )
    rows.selection_sizes.clear()


def group_of(world: World, sku: SkuId) -> LicensingGroup:
    return world.database.rows.groups[TENANT, sku, SCHOOL]


class TestOrderedAgain:
    @pytest.mark.parametrize("seed", range(9))
    def test_the_old_product_gets_a_group_of_its_own_and_the_register_follows(self, seed: int) -> None:
        lag = LAGS[seed % 3]
        world = a_world(seed, Weather(lag=lag, **ROUGH), crash_chance=0.03)
        everybody = sorted(world.graph.people)
        old, new = everybody[:6], everybody[6:]
        with_a_group_of_a3(world, frozenset(new))
        ordered(world, A5, A3)
        select(world, *old)
        assert world.run() is OperationState.COMPLETED
        assert {licence.sku_id for licence in world.graph.groups.current(GROUP).licences} == {A5}
        ordered(world, A3, name="op-2")
        select(world, *new)
        assert world.run() is OperationState.COMPLETED
        again = group_of(world, A3)
        assert again.nickname == f"{OF_A3}-2"
        assert again.group_id not in {None, GROUP}
        assert world.graph.groups.current(again.group_id).members == set(new)
        assert (group_of(world, A5).group_id, len(world.graph.groups.versions)) == (GROUP, 2)
        assert {subject for subject, one in world.graph.people.items() if one.holds(A3)} == set(new)
        check_witness(world, repeats_allowed=lag >= SETTLE)
        check_continuity(world)

    def test_a_third_time_it_is_the_group_of_the_second(self) -> None:
        world = a_world()
        everybody = sorted(world.graph.people)
        with_a_group_of_a3(world, frozenset(everybody[4:]))
        ordered(world, A5, A3)
        select(world, *everybody[:4])
        world.run()
        for number, people in enumerate((everybody[4:8], everybody[8:])):
            ordered(world, A3, name=f"again-{number}")
            select(world, *people)
            assert world.run(longest=timedelta(hours=2)) is OperationState.COMPLETED
        assert len(world.graph.groups.versions) == 2
        assert world.graph.groups.current(group_of(world, A3).group_id).members == set(everybody[4:])

    def test_a_swap_that_was_never_written_leaves_the_group_to_the_product_it_brings(self) -> None:
        """The register knows the group for both; what it brings says whose it is."""
        world = a_world()
        everybody = sorted(world.graph.people)
        with_a_group_of_a3(world, frozenset(everybody[6:]))
        of_a3 = group_of(world, A3)
        never = msgspec.structs.replace(of_a3, sku_id=A5, is_licensed=False)
        world.database.rows.groups[TENANT, A5, SCHOOL] = never
        ordered(world, A5)
        select(world, *everybody[6:])
        assert world.run() is OperationState.COMPLETED
        assert group_of(world, A5).nickname == nickname_for("M365EDU_A5_FACULTY", SCHOOL)
        assert group_of(world, A5).group_id not in {None, GROUP}
        assert group_of(world, A3) == of_a3

    def test_a_product_that_others_put_there_is_still_their_hand(self) -> None:
        world = a_world()
        with_a_group_of_a3(world, frozenset())
        group = world.graph.groups.current(GROUP)
        world.graph.groups.versions[GROUP] = [
            (world.graph.groups.versions[GROUP][0][0], msgspec.structs.replace(group, licences=(GroupLicence(A5),)))
        ]
        ordered(world, A3)
        assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.GROUP_CHANGED
        assert list(world.graph.groups.versions) == [GroupId(GROUP)]
