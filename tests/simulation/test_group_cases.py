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
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from tests.simulation.graph import licence
from tests.simulation.promises import check_all, check_continuity, check_witness
from tests.simulation.weather import Weather
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


def proven(world: World) -> None:
    """A write of ours was read back in this tenant once."""
    tenants = world.database.rows.tenants
    tenants[TENANT] = msgspec.structs.replace(tenants[TENANT], proven_at=world.clock.moment)


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
        proven(world)
        assert world.run() is OperationState.COMPLETED
        assert states(world) == {SubjectState.VERIFIED}
        check_all(world, repeats_allowed=lag >= SETTLE)
        assert lag >= SETTLE or calls(world) == 1

    def test_the_group_is_the_new_product_s_from_then_on(self) -> None:
        world = a_world()
        everybody_holds(world, HeldLicence(A1, group_id=GROUP))
        a_group_with(world, A1)
        proven(world)
        world.run()
        row = world.database.rows.groups[TENANT, A3, OrganisationId(SCHOOL)]
        assert (row.group_id, row.is_licensed) == (GROUP, True)

    def test_back_to_the_product_before_is_one_write_again(self) -> None:
        world = a_world()
        everybody_holds(world, HeldLicence(A1, group_id=GROUP))
        a_group_with(world, A1)
        groups = world.database.rows.groups
        before = groups[TENANT, A1, OrganisationId(SCHOOL)]
        groups[TENANT, A3, OrganisationId(SCHOOL)] = msgspec.structs.replace(before, sku_id=A3)
        proven(world)
        assert world.run() is OperationState.COMPLETED
        assert calls(world) == 1
        check_all(world)

    def test_as_the_very_first_write_of_a_tenant_it_is_asked(self) -> None:
        """The first write goes to five people, and this one cannot be split."""
        world = a_world(people=12)
        everybody_holds(world, HeldLicence(A1, group_id=GROUP))
        a_group_with(world, A1)
        assert world.run(until=OperationState.AWAITING_APPROVAL) is OperationState.AWAITING_APPROVAL
        assert not world.graph.writes


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

    def test_seats_that_vanish_while_microsoft_works_are_found_on_the_people(self) -> None:
        world = a_world(seats=12, people=12)
        everybody_holds(world)
        a_group_with(world, A3, members=frozenset())
        proven(world)
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
