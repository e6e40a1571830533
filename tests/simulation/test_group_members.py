"""Who is in a group, and who is not: its one write, joining it, and leaving a direct licence for it."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.ids import Actor, SubjectId
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState
from provisioning.domain.observation import HeldLicence, LicenceState
from provisioning.domain.operation import OperationKind, StepKind, StepRecord
from provisioning.domain.permissions import TIERS
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.worklist import Stop
from provisioning.services.retry_operation import go_on
from tests.simulation.graph import licence
from tests.simulation.promises import check_all, check_continuity, check_list_adds_up, check_witness
from tests.simulation.test_group_cases import GROUP, a_group_with, a_world, everybody_holds, proven, states
from tests.simulation.weather import Weather
from tests.simulation.world import A1, A3, TENANT, World


def holds(world: World, subject: SubjectId, *licences: HeldLicence, domain: str = "school.example") -> None:
    """One person, otherwise than everybody else, from before the story begins."""
    known = {"licences": licences, "usage_location": "NL", "domain": domain}
    held = msgspec.structs.replace(world.graph.people[subject], **known)
    world.graph.people[subject] = held
    world.graph.versions[subject] = [(world.graph.versions[subject][0][0], held)]


def only_of_the_school(world: World) -> None:
    rows = world.database.rows
    selectors = dict.fromkeys(rows.bindings[0].selectors, '{"domain": "school.example"}')
    rows.bindings[0] = msgspec.structs.replace(rows.bindings[0], selectors=selectors)


def the_school_s_own(world: World) -> None:
    """The group that everybody is in was made by the school and is named in its policy."""
    rows = world.database.rows
    rows.groups.clear()
    rows.policies[TENANT] = msgspec.structs.replace(rows.policies[TENANT], group_id=GROUP)


def run_until_their_own_would_go(world: World) -> None:
    """Everybody was seen with the licence from the group; the second look is still to come."""
    while not going(world) or any(one.state is not StepState.PENDING for one in going(world)):
        before = world.clock.moment
        world.run(longest=timedelta(milliseconds=1))
        assert world.clock.moment > before, "nothing is going to be taken"
    assert all(person.direct(A3) for person in world.graph.people.values())


def going(world: World) -> list[StepRecord]:
    """What is to be taken from people of whom everything before it was read back."""
    steps = list(world.database.rows.steps.values())
    joining = {one.step.subject_id for one in steps if one.step.kind is StepKind.ADD_MEMBERS} - {
        one.step.subject_id for one in steps if one.state is StepState.VERIFIED
    }
    return [] if joining else [one for one in steps if one.step.kind is StepKind.REMOVE]


def taken_out_by_others(world: World) -> None:
    group = world.graph.groups.current(GROUP)
    world.graph.groups._members(group, frozenset(), set(group.members))


class TestWhoJoinsAGroupThatBringsTheOldProduct:
    """Its one write takes the old product from everybody in it: for a newcomer's sake it is not done."""

    def test_without_a_seat_for_each_member_nobody_joins_and_nobody_loses_anything(self) -> None:
        world = a_world(people=13, seats=5)
        newcomer = min(world.graph.people)
        everybody_holds(world, HeldLicence(A1, group_id=GROUP))
        holds(world, newcomer)
        a_group_with(world, A1, members=frozenset(world.graph.people) - {newcomer})
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        assert states(world) == {SubjectState.WAITING}
        assert not world.graph.writes
        check_all(world)

    def test_with_people_of_nobody_s_order_in_it_a_newcomer_is_served_directly(self) -> None:
        world = a_world(people=13)
        only_of_the_school(world)
        newcomer, stranger = min(world.graph.people), max(world.graph.people)
        everybody_holds(world, HeldLicence(A1, group_id=GROUP))
        holds(world, newcomer)
        holds(world, stranger, HeldLicence(A1, group_id=GROUP), domain="elsewhere.example")
        a_group_with(world, A1, members=frozenset(world.graph.people) - {newcomer})
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        assert [one.step.kind for one in world.database.rows.steps.values()] == [StepKind.ASSIGN]
        assert not world.graph.people[stranger].holds(A3)
        assert world.graph.people[newcomer].direct(A3)
        check_continuity(world)


class TestOthersHands:
    def test_whoever_others_put_into_it_after_the_plan_gets_nothing_by_its_one_write(self) -> None:
        world = a_world()
        only_of_the_school(world)
        everybody_holds(world, HeldLicence(A1, group_id=GROUP))
        stranger = max(world.graph.people)
        holds(world, stranger, HeldLicence(A1, group_id=GROUP), domain="elsewhere.example")
        a_group_with(world, A1, members=frozenset(world.graph.people) - {stranger})
        proven(world)
        world.database.rows.stops["all"] = Stop(
            scope="all", reason="drill", stopped_by="person:duty", stopped_at=world.clock.moment
        )
        world.run(longest=timedelta(minutes=1))
        group = world.graph.groups.current(GROUP)
        world.graph.groups._put(msgspec.structs.replace(group, members=group.members | {stranger}), world.clock.moment)
        world.database.rows.stops.clear()
        assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.GROUP_CHANGED
        assert not world.graph.writes

    @pytest.mark.parametrize("is_member", [True, False])
    def test_a_licence_that_is_only_still_shown_takes_nobody_s_own(self, is_member: bool) -> None:
        """Microsoft shows what a group brought for minutes after it was taken from the group, or they from it."""
        world = a_world(kind=OperationKind.CHANGE)
        everybody_holds(world, licence(A3), HeldLicence(A3, group_id=GROUP))
        a_group_with(world, A3, members=None if is_member else frozenset())
        if is_member:
            world.run(until=OperationState.APPLYING)  # the second look is still to come
        world.graph.groups.processing = timedelta(minutes=10)
        group = world.graph.groups.current(GROUP)
        changed = msgspec.structs.replace(group, licences=() if is_member else group.licences)
        world.graph.groups._put(changed, world.clock.moment)
        world.graph.groups._enqueue(changed, world.graph.people)
        world.run()
        world.clock.moment += timedelta(hours=1)
        world.graph.groups.settle()
        assert all(person.holds(A3) for person in world.graph.people.values())
        assert world.operation.reason is (Reason.GROUP_CHANGED if is_member else None)
        check_continuity(world)

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("is_swap", [False, True], ids=["joining", "one write"])
    def test_a_group_deleted_while_it_is_read_back_is_told_at_once(self, seed: int, is_swap: bool) -> None:
        world = a_world(seed, Weather(lag=(timedelta(0), timedelta(seconds=15), timedelta(minutes=5))[seed % 3]))
        everybody_holds(world, *((HeldLicence(A1, group_id=GROUP),) if is_swap else ()))
        a_group_with(world, A1 if is_swap else A3, members=None if is_swap else frozenset())
        proven(world)
        world.run(until=OperationState.VERIFYING)
        world.graph.groups.delete(GROUP)
        assert world.run(longest=timedelta(minutes=15)) is OperationState.HELD
        assert world.operation.reason is Reason.GROUP_GONE
        world.clock.moment += timedelta(hours=1)  # what it brought is gone from everybody by now
        set_mode(world, AssignmentMode.DIRECT)
        retried(world)
        assert world.run() is OperationState.COMPLETED
        assert all(person.direct(A3) for person in world.graph.people.values())
        check_list_adds_up(world)
        check_witness(world, repeats_allowed=False)

    @pytest.mark.parametrize("is_fresh", [False, True], ids=["long there", "put there by us"])
    def test_nobody_s_own_goes_once_others_took_them_out_of_the_group(self, is_fresh: bool) -> None:
        """What the group brought goes on showing on them for minutes."""
        world = a_world(kind=OperationKind.CHANGE)
        everybody_holds(world, licence(A3), *(() if is_fresh else (HeldLicence(A3, group_id=GROUP),)))
        a_group_with(world, A3, members=frozenset() if is_fresh else None)
        proven(world)
        run_until_their_own_would_go(world)
        world.graph.groups.processing = timedelta(minutes=20)
        taken_out_by_others(world)
        world.run(longest=timedelta(seconds=30), until=OperationState.PLANNING)
        assert all(person.direct(A3) for person in world.graph.people.values())
        assert world.run() is OperationState.COMPLETED
        world.clock.moment += timedelta(hours=1)
        world.graph.groups.settle()
        check_all(world)
        assert world.graph.groups.current(GROUP).members == set(world.graph.people), "put back, and only then moved"

    @pytest.mark.parametrize("seed", range(4))
    def test_a_replica_that_does_not_know_yet_whom_we_put_there_is_no_hand_of_others(self, seed: int) -> None:
        world = a_world(seed, Weather(lag=timedelta(minutes=14)), kind=OperationKind.CHANGE)
        world.graph.groups.processing = timedelta(seconds=1)
        everybody_holds(world, licence(A3))
        a_group_with(world, A3, members=frozenset())
        assert world.run() is OperationState.COMPLETED
        check_all(world, repeats_allowed=True)
        assert not any(person.direct(A3) for person in world.graph.people.values())
        assert not [one for one in world.database.rows.events if one.reason is Reason.CHANGED_MEANWHILE]


class TestWhoIsInItAlready:
    def test_whoever_is_in_it_comes_before_who_would_still_join(self) -> None:
        """By another hand: Microsoft gives it to them, so others would be above what the holder bought."""
        world = a_world(people=12)
        everybody_holds(world)
        world.database.rows.entitlements[TENANT, A3] = 3
        last = frozenset(sorted(world.graph.people)[-3:])
        a_group_with(world, A3, members=last)
        world.graph.groups.processing = timedelta(minutes=3)
        world.graph.groups._enqueue(world.graph.groups.current(GROUP), last)
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        assert world.graph.groups.current(GROUP).members == last
        assert {subject for subject, person in world.graph.people.items() if person.holds(A3)} == last
        check_list_adds_up(world)

    @pytest.mark.parametrize("is_licensed", [True, False])
    def test_who_has_the_old_product_directly_and_is_in_it_is_swapped_directly(self, is_licensed: bool) -> None:
        world = a_world(people=12)
        everybody_holds(world, licence(A1))
        a_group_with(world, A3, **({} if is_licensed else {"licences": ()}))
        the_school_s_own(world)
        assert world.run() is OperationState.COMPLETED
        assert all(person.direct(A3) and not person.holds(A1) for person in world.graph.people.values())
        check_all(world)

    def test_without_a_seat_they_wait_also_where_we_may_not_ask_again(self) -> None:
        world = a_world(people=12, seats=12)
        everybody_holds(world, HeldLicence(A3, frozenset(), GROUP, LicenceState.ERROR, "CountViolation"))
        a_group_with(world, A3)
        the_school_s_own(world)
        world.graph.permissions = frozenset().union(*TIERS[:2])
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        assert states(world) == {SubjectState.WAITING}
        assert len(world.database.rows.waiting) == 12


class TestAnAnswerThatWasLost:
    @pytest.mark.parametrize("is_join", [True, False], ids=["joining", "leaving"])
    def test_the_group_tells_that_it_was_done_long_before_the_licence_does(self, is_join: bool) -> None:
        lost = Weather(lost_after=1.0, processing=timedelta(minutes=5))
        world = a_world(people=4, weather=lost, kind=OperationKind.CHANGE)
        everybody_holds(world, *(() if is_join else (HeldLicence(A3, group_id=GROUP),)))
        a_group_with(world, A3, members=frozenset() if is_join else None)
        if not is_join:
            set_mode(world, AssignmentMode.DIRECT)
        assert world.run(longest=timedelta(minutes=40)) is OperationState.COMPLETED
        kinds = {event.kind for event in world.database.rows.events if event.kind.startswith("attempt.")}
        assert kinds == {"attempt.found_done"}
        check_witness(world, repeats_allowed=False)


def retried(world: World) -> None:
    """A person lets it go on."""
    with world.database.open() as uow:
        go_on(uow, world.operation, Actor("person:duty"), world.clock.moment)
        uow.commit()


def set_mode(world: World, mode: AssignmentMode) -> None:
    policies = world.database.rows.policies
    policies[TENANT] = msgspec.structs.replace(policies[TENANT], assignment_mode=mode)
