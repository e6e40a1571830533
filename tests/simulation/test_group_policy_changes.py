"""The policy changes while a group is being filled: whoever was put into it has the product in the end all the same."""

from __future__ import annotations

import random
from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState
from provisioning.domain.operation import OperationKind, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from tests.simulation.graph import licence
from tests.simulation.promises import check_all, check_continuity
from tests.simulation.test_group_cases import GROUP, LAGS, a_group_with, a_world, everybody_holds, proven
from tests.simulation.weather import Weather
from tests.simulation.world import A3, TENANT, World

GROUP_MODE, DIRECT, NONE = AssignmentMode.GROUP, AssignmentMode.DIRECT, AssignmentMode.NONE


def decides(world: World, mode: AssignmentMode) -> None:
    rows = world.database.rows
    changed = {"assignment_mode": mode, "digest": f"{mode} at {world.clock.moment}"}
    rows.policies[TENANT] = msgspec.structs.replace(rows.policies[TENANT], **changed)


def a_run(seed: int, first: AssignmentMode, second: AssignmentMode) -> World:
    """A day on which answers are lost, and after a while the school wants it otherwise."""
    dice = random.Random(seed * 7919 + 1)
    weather = Weather(lag=LAGS[seed % 2], lost_after=0.15, lost_before=0.15, throttled=0.15)
    seats, people = dice.choice((40, 9)), dice.choice((8, 12, 30))
    world = a_world(seed, weather, people=people, seats=seats, mode=first, crash_chance=0.03)
    world.graph.permissions = frozenset({*world.graph.permissions, "Group.Create", "GroupMember.ReadWrite.All"})
    if dice.random() < 0.5:
        proven(world)
    if dice.random() < 0.5:
        a_group_with(world, A3, members=frozenset())
    world.run(longest=timedelta(seconds=dice.choice((1, 3, 10, 60, 120, 240, 600, 900))))
    decides(world, second)
    world.run(longest=timedelta(days=5))
    return world


def failed(world: World) -> list[tuple[SubjectId, Reason | None]]:
    people = world.database.rows.subjects.values()
    return [(one.subject_id, one.reason) for one in people if one.state is SubjectState.FAILED]


class TestInTheMiddle:
    @pytest.mark.parametrize("seed", range(30))
    @pytest.mark.parametrize(
        ("first", "second"), [(GROUP_MODE, DIRECT), (DIRECT, GROUP_MODE), (GROUP_MODE, NONE), (GROUP_MODE, GROUP_MODE)]
    )
    def test_the_list_is_true_and_nobody_failed(self, first: AssignmentMode, second: AssignmentMode, seed: int) -> None:
        world = a_run(seed, first, second)
        assert failed(world) == []
        if world.database.rows.subjects:  # else the school wanted to do it itself before there was a plan
            check_all(world)


def joined_in_vain(kind: OperationKind = OperationKind.DELIVER) -> World:
    """Everybody is in a group of ours, and the policy changed before that got its licence."""
    world = a_world(people=12, kind=kind)
    everybody_holds(world, *((licence(A3),) if kind is OperationKind.CHANGE else ()))
    a_group_with(world, A3, members=frozenset(), licences=())
    rows = world.database.rows
    [(key, row)] = rows.groups.items()
    rows.groups[key] = msgspec.structs.replace(row, is_licensed=False)
    proven(world)
    licences = world.graph.groups.refusal
    world.graph.groups.refusal = lambda call: (  # type: ignore[method-assign]
        Reason.GROUP_TOO_NEW if call[0].kind is StepKind.LICENSE_GROUP else licences(call)
    )
    world.run(until=OperationState.VERIFYING)
    world.graph.groups.refusal = licences  # type: ignore[method-assign]
    assert world.graph.groups.current(GROUP).members == set(world.graph.people)
    assert world.graph.groups.current(GROUP).licences == ()
    return world


class TestAGroupThatBringsNothing:
    @pytest.mark.parametrize("kind", [OperationKind.DELIVER, OperationKind.CHANGE])
    @pytest.mark.parametrize("mode", [DIRECT, GROUP_MODE])
    def test_who_joined_it_is_served_as_the_policy_says_now(self, mode: AssignmentMode, kind: OperationKind) -> None:
        world = joined_in_vain(kind)
        decides(world, mode)
        assert world.run(longest=timedelta(hours=1)) is OperationState.COMPLETED
        if mode is GROUP_MODE or kind is OperationKind.DELIVER:  # else they have what they should from the beginning
            check_all(world)
        check_continuity(world)
        assert all(bool(person.direct(A3)) is (mode is DIRECT) for person in world.graph.people.values())

    def test_who_joined_it_is_left_to_a_school_that_assigns_itself(self) -> None:
        world = joined_in_vain()
        decides(world, NONE)
        assert world.run(longest=timedelta(hours=1)) is OperationState.PARTIALLY_COMPLETED
        assert {one.reason for one in world.database.rows.subjects.values() if one.organisation_id} == {
            Reason.SCHOOL_ASSIGNS
        }
        check_all(world)


class TestAfterwards:
    def test_who_came_in_by_the_group_gets_a_licence_of_their_own(self) -> None:
        world = a_world(people=12)
        everybody_holds(world)
        a_group_with(world, A3, members=frozenset())
        proven(world)
        world.run(until=OperationState.VERIFYING)
        decides(world, DIRECT)
        assert world.run() is OperationState.COMPLETED
        check_all(world)
        [change] = [one for one in world.database.rows.operations.values() if one.kind is OperationKind.CHANGE]
        world.operation_id = change.operation_id
        assert world.run() is OperationState.COMPLETED
        assert all(person.direct(A3) for person in world.graph.people.values())
        assert world.graph.groups.current(GROUP).members == frozenset()
        check_continuity(world)
        assert all(one.state in {StepState.VERIFIED, StepState.SKIPPED} for one in world.database.rows.steps.values())
