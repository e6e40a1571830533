"""What else happens to groups: one write for everybody, moves both ways, others' hands, what a group cannot give."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.groups import GroupLicence, LicensingGroup, ObservedGroup
from provisioning.domain.ids import GroupId, OrganisationId, SkuId, SubjectId
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState
from provisioning.domain.observation import HeldLicence, LicenceState
from provisioning.domain.operation import OperationKind, StepKind, call_of
from provisioning.domain.permissions import TIERS
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.worklist import Stop
from tests.simulation.graph import Weather, licence
from tests.simulation.promises import check_all, check_continuity, check_list_adds_up, check_witness
from tests.simulation.world import A1, A3, SCHOOL, TENANT, World

MAPPINGS = load_mappings()
GROUP = GroupId("group-ours")
ROUGH = {"lost_after": 0.1, "lost_before": 0.1, "throttled": 0.1}
LAGS = (timedelta(0), timedelta(seconds=15), timedelta(minutes=5))
SETTLE = timedelta(seconds=60)


def a_world(seed: int = 3, weather: Weather | None = None, **known: object) -> World:
    fields: dict[str, object] = {"mode": AssignmentMode.GROUP, "kind": OperationKind.DELIVER}
    return World(seed, MAPPINGS, weather or Weather(), **(fields | known))  # type: ignore[arg-type]


def everybody_holds(world: World, *licences: HeldLicence) -> None:
    """From before the story begins."""
    for subject, person in list(world.graph.people.items()):
        held = msgspec.structs.replace(person, licences=licences, usage_location="NL")
        world.graph.people[subject] = held
        world.graph.versions[subject] = [(world.graph.versions[subject][0][0], held)]


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


def a_group_with(world: World, sku: SkuId, *, members: frozenset[SubjectId] | None = None, **known: object) -> None:
    """Ours, registered for the product it brings, with everybody in it."""
    people = frozenset(world.graph.people) if members is None else members
    group = ObservedGroup(group_id=GROUP, nickname="ours", licences=(GroupLicence(sku),), members=people)
    beginning = next(iter(world.graph.versions.values()))[0][0]
    world.graph.groups.versions[GROUP] = [(beginning, msgspec.structs.replace(group, **known))]
    row = LicensingGroup(
        tenant_id=TENANT, sku_id=sku, holder_id=SCHOOL, nickname="ours", group_id=GROUP, is_licensed=True
    )
    world.database.rows.groups[TENANT, sku, OrganisationId(SCHOOL)] = row


def calls(world: World) -> int:
    return len({call_of(write.attempt) for write in world.graph.writes})


def states(world: World) -> set[SubjectState]:
    rows = world.database.rows
    return {record.state for key, record in rows.subjects.items() if key not in rows.group_rows}


class TestTheProductComesFromTheGroup:
    @pytest.mark.parametrize("seed", range(12))
    def test_one_write_gives_everybody_the_new_one(self, seed: int) -> None:
        lag = LAGS[seed % 3]
        world = a_world(seed, Weather(lag=lag, **ROUGH), crash_chance=0.05)
        everybody_holds(world, HeldLicence(A1, group_id=GROUP))
        a_group_with(world, A1)
        world.database.rows.tenants[TENANT] = msgspec.structs.replace(
            world.database.rows.tenants[TENANT], proven_at=world.clock.moment
        )
        assert world.run() is OperationState.COMPLETED
        assert states(world) == {SubjectState.VERIFIED}
        check_all(world, repeats_allowed=lag >= SETTLE)
        assert lag >= SETTLE or calls(world) == 1

    def test_the_group_is_the_new_product_s_from_then_on(self) -> None:
        world = a_world()
        everybody_holds(world, HeldLicence(A1, group_id=GROUP))
        a_group_with(world, A1)
        world.run()
        row = world.database.rows.groups[TENANT, A3, OrganisationId(SCHOOL)]
        assert (row.group_id, row.is_licensed) == (GROUP, True)


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


class TestMoving:
    @pytest.mark.parametrize("seed", range(24))
    def test_into_the_group_nobody_is_without(self, seed: int) -> None:
        lag = LAGS[seed % 3]
        world = a_world(seed, Weather(lag=lag, **ROUGH), kind=OperationKind.CHANGE, crash_chance=0.04)
        everybody_holds(world, licence(A3))
        a_group_with(world, A3, members=frozenset())
        assert world.run() is OperationState.COMPLETED
        check_all(world, repeats_allowed=lag >= SETTLE)
        assert not any(person.direct(A3) for person in world.graph.people.values())
        assert world.graph.groups.current(GROUP).members == set(world.graph.people)

    @pytest.mark.parametrize("seed", range(6))
    def test_into_a_group_that_has_to_be_made_first(self, seed: int) -> None:
        lag = LAGS[seed % 3]
        world = a_world(seed, Weather(lag=lag, **ROUGH), kind=OperationKind.CHANGE, crash_chance=0.04)
        everybody_holds(world, licence(A3))
        assert world.run() is OperationState.COMPLETED
        check_all(world, repeats_allowed=lag >= SETTLE)
        assert not any(person.direct(A3) for person in world.graph.people.values())

    @pytest.mark.parametrize("seed", range(24))
    def test_out_of_the_group_nobody_is_without(self, seed: int) -> None:
        lag = LAGS[seed % 3]
        weather = Weather(lag=lag, **ROUGH)
        world = a_world(seed, weather, mode=AssignmentMode.DIRECT, kind=OperationKind.CHANGE, crash_chance=0.04)
        world.graph.permissions = frozenset({*world.graph.permissions, "Group.Create", "GroupMember.ReadWrite.All"})
        everybody_holds(world, HeldLicence(A3, group_id=GROUP))
        a_group_with(world, A3)
        assert world.run() is OperationState.COMPLETED
        check_all(world, repeats_allowed=lag >= SETTLE)
        assert all(person.direct(A3) for person in world.graph.people.values())
        assert world.graph.groups.current(GROUP).members == frozenset()

    def test_nothing_is_taken_on_one_look(self) -> None:
        world = a_world(kind=OperationKind.CHANGE)
        everybody_holds(world, licence(A3), HeldLicence(A3, group_id=GROUP))
        a_group_with(world, A3)
        world.run()
        removed = [write.at for write in world.graph.writes]
        plan = world.database.rows.plans[world.operation_id]
        assert removed
        assert min(removed) - plan.observed_at >= world.limits.removal_gap


class TestOthersHands:
    @pytest.mark.parametrize("seed", range(6))
    def test_a_group_made_dynamic_behind_our_back_is_left_alone(self, seed: int) -> None:
        """Microsoft empties it first: nobody of ours writes to it, and a person is told."""
        world = a_world(seed, Weather(lag=LAGS[seed % 3]), people=40)
        a_group_with(world, A3, members=frozenset())
        world.run(until=OperationState.APPLYING)
        group = world.graph.groups.current(GROUP)
        world.graph.groups._put(msgspec.structs.replace(group, is_dynamic=True, rule="…"), world.clock.moment)
        writes = len(world.graph.writes)
        assert world.run() is OperationState.HELD
        assert world.operation.reason in {Reason.GROUP_CHANGED, Reason.GROUP_READ_ONLY}  # we saw it, or Graph said so
        assert all(write.before is not False for write in world.graph.writes[writes:]), "somebody was put into it"

    def test_a_licence_that_somebody_added_to_it_stops_it_too(self) -> None:
        world = a_world(people=40)
        a_group_with(world, A3, members=frozenset())
        world.run(until=OperationState.APPLYING)
        group = world.graph.groups.current(GROUP)
        more = msgspec.structs.replace(group, licences=(*group.licences, GroupLicence(A1)))
        world.graph.groups._put(more, world.clock.moment)
        assert world.run() is OperationState.HELD
        assert world.operation.reason is Reason.GROUP_CHANGED

    def test_whoever_others_put_into_it_after_the_plan_gets_nothing_by_its_one_write(self) -> None:
        world = a_world()
        only_of_the_school(world)
        everybody_holds(world, HeldLicence(A1, group_id=GROUP))
        stranger = max(world.graph.people)
        holds(world, stranger, HeldLicence(A1, group_id=GROUP), domain="elsewhere.example")
        a_group_with(world, A1, members=frozenset(world.graph.people) - {stranger})
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

    def test_restored_and_let_go_on_it_is_planned_anew_and_ends(self) -> None:
        world = a_world(people=12)
        a_group_with(world, A3, members=frozenset(), is_synced=True)
        world.run()
        assert world.operation.reason is Reason.GROUP_CHANGED
        group = world.graph.groups.current(GROUP)
        world.graph.groups._put(msgspec.structs.replace(group, is_synced=False), world.clock.moment)
        with world.database.open() as uow:
            resumed = msgspec.structs.replace(
                world.operation, state=OperationState.PLANNING, reason=None, due_at=world.clock.moment
            )
            uow.operations.save(resumed)
            uow.commit()
        assert world.run() is OperationState.COMPLETED
        check_all(world)


class TestWhatAGroupCannotGive:
    def test_without_seats_they_wait_and_keep_what_they_have(self) -> None:
        world = a_world(seats=5, people=12)
        everybody_holds(world)
        a_group_with(world, A3, members=frozenset())
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        check_all(world)
        assert len(world.database.rows.waiting) == 7

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

    def test_seats_that_vanish_while_microsoft_works_are_found_on_the_people(self) -> None:
        world = a_world(seats=12, people=12)
        everybody_holds(world)
        a_group_with(world, A3, members=frozenset())
        world.database.rows.tenants[TENANT] = msgspec.structs.replace(
            world.database.rows.tenants[TENANT], proven_at=world.clock.moment
        )
        world.run(until=OperationState.VERIFYING)
        world.graph.enabled[A3] = 8
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        rows = world.database.rows
        waiting = [one for one in rows.subjects.values() if one.state is SubjectState.WAITING]
        assert len(waiting) == 4
        assert {one.reason for one in waiting} == {Reason.SEATS_INSUFFICIENT}
        check_witness(world, repeats_allowed=False)
        check_continuity(world)

    def test_a_clash_that_nobody_foresaw_is_asked_about_by_name_and_told_as_theirs(self) -> None:
        strange = SkuId("f30db892-07e9-47e9-837c-80727f46fd3d")
        world = a_world(people=6)
        everybody_holds(world)
        a_group_with(world, A3, members=frozenset())
        world.graph.exclusive = frozenset({frozenset({A3, strange})})
        first = min(world.graph.people)
        person = msgspec.structs.replace(world.graph.people[first], licences=(licence(strange),))
        world.graph.people[first] = person
        world.graph.versions[first] = [(world.graph.versions[first][0][0], person)]
        assert world.run() is OperationState.PARTIALLY_COMPLETED
        rows = world.database.rows
        told = rows.subjects[world.operation_id, first]
        assert (told.state, told.reason) == (SubjectState.REFUSED, Reason.MUTUALLY_EXCLUSIVE)
        kinds = [one.step.kind for one in rows.steps.values() if one.step.subject_id == first]
        assert kinds == [StepKind.ADD_MEMBERS, StepKind.REPROCESS]
        assert all(one.state is not StepState.UNKNOWN for one in rows.steps.values())
        inherited = [x for x in world.graph.people[first].licences if x.sku_id == A3]
        assert [x.state for x in inherited] == [LicenceState.ERROR]
