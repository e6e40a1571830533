"""What follows a delivery through a group: new seats, another policy, a person's retry, a person's approval."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.ids import Actor, SkuId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.tenancy import AssignmentMode
from provisioning.services.bring_into_form import bring_into_form
from provisioning.services.retry_operation import go_on
from provisioning.services.serve_waiting import ServeWaiting
from provisioning.services.transitions import move
from tests.simulation.boundaries import Crash
from tests.simulation.graph import licence
from tests.simulation.test_group_cases import LAGS, a_world, proven
from tests.simulation.test_group_members import holds
from tests.simulation.test_several_operations import check, drive, next_name, only
from tests.simulation.weather import Weather
from tests.simulation.world import A3, TENANT, World

seeds = pytest.mark.parametrize("seed", range(15))


def a_day(seed: int) -> World:
    """With answers that get lost, refusals and crashes."""
    dice = random.Random(seed)
    weather = Weather(lag=LAGS[seed % 2], lost_after=0.12, lost_before=0.12, throttled=0.12)
    world = a_world(seed, weather, people=dice.choice((8, 12, 30)), crash_chance=0.02)
    world.graph.permissions = frozenset({*world.graph.permissions, "Group.Create", "GroupMember.ReadWrite.All"})
    if dice.random() < 0.7:
        proven(world)
    return world


@contextmanager
def by_a_person(world: World) -> Iterator[None]:
    """What is done at a desk, where nothing crashes."""
    world.crash.armed = False
    yield
    world.crash.armed = True


class TestNewSeats:
    @seeds
    def test_who_waited_joins_the_group_as_seats_come(self, seed: int) -> None:
        world = a_day(seed)
        world.graph.enabled[A3] = 6
        drive(world)
        assert sum(person.holds(A3) for person in world.graph.people.values()) == 6
        serve = ServeWaiting(
            open_uow=world.database.open, gateway=world.graph, dispatcher=world.messages, clock=world.clock
        )
        for seats in (8, 20, 40):
            world.graph.enabled[A3] = seats
            with by_a_person(world):
                serve()
            drive(world)
        check(world, groups=1)
        assert not world.database.rows.waiting


class TestAnotherPolicy:
    @seeds
    def test_everybody_is_brought_into_the_new_form_however_often_it_changes(self, seed: int) -> None:
        world = a_day(seed)
        drive(world)
        for mode in (AssignmentMode.DIRECT, AssignmentMode.GROUP, AssignmentMode.DIRECT):
            decided(world, mode)
            drive(world, longest=timedelta(seconds=world.dice.choice((30, 300, 100_000))))
        drive(world)
        check(world, groups=1)

    @seeds
    def test_into_the_group_and_out_again_nobody_is_left_behind(self, seed: int) -> None:
        world = a_day(seed)
        drive(world)
        decided(world, AssignmentMode.DIRECT)
        drive(world)
        assert all(person.direct(A3) for person in world.graph.people.values())
        decided(world, AssignmentMode.GROUP)
        drive(world)
        check(world, groups=1)
        [group] = world.graph.groups.versions
        fitting = {one for one, person in world.graph.people.items() if not person.direct(A3)}
        assert world.graph.groups.current(group).members == fitting
        assert len(fitting) * 3 > len(world.graph.people)  # a third keeps a plan off, and so a licence of their own


def decided(world: World, mode: AssignmentMode) -> None:
    """With the operations that follow from it."""
    before = world.database.rows.policies[TENANT]
    after = msgspec.structs.replace(before, assignment_mode=mode, digest=f"{mode} at {world.clock.moment}")
    with by_a_person(world), world.database.open() as uow:
        uow.rows.policies[TENANT] = after
        bring_into_form(uow, before, after, world.clock.moment)
        uow.commit()


class TestARetry:
    @seeds
    def test_whom_the_group_failed_is_served_once_nothing_stands_in_the_way(self, seed: int) -> None:
        world = a_day(seed)
        strange = SkuId("f30db892-07e9-47e9-837c-80727f46fd3d")
        world.graph.exclusive |= {frozenset({A3, strange})}
        clashing = sorted(world.graph.people)[2::3][:2]
        for subject in clashing:
            holds(world, subject, licence(strange))
        drive(world)
        assert not any(world.graph.people[subject].holds(A3) for subject in clashing)
        for subject in clashing:
            person = world.graph.people[subject]
            kept = tuple(held for held in person.licences if held.sku_id != strange)
            world.graph.change_by_hand(subject, msgspec.structs.replace(person, licences=kept))
        world.clock.moment += timedelta(minutes=1)
        with by_a_person(world), world.database.open() as uow:
            go_on(uow, left_out(world)[-1], Actor("person:duty"), world.clock.moment)
            uow.commit()
        drive(world)
        check(world, groups=1)


def left_out(world: World) -> list[Operation]:
    operations = world.database.rows.operations.values()
    return [one for one in operations if one.state is OperationState.PARTIALLY_COMPLETED]


class TestApproval:
    @seeds
    @pytest.mark.parametrize("orders", [1, 2])
    def test_each_plan_waits_for_a_person_and_is_then_carried_out(self, orders: int, seed: int) -> None:
        """The group, its licence and its people are plans of their own; some are approved too late."""
        world = a_day(seed)
        world.limits = msgspec.structs.replace(world.limits, guard_swaps=0, guard_assignments=0)
        people = sorted(world.graph.people)
        only(world, *({"named": tuple(people[number::orders])} for number in range(orders)))
        approvals = drive_with_approvals(world)
        check(world, groups=1)
        assert approvals >= 2


def drive_with_approvals(world: World) -> int:
    """Somebody approves what waits after a while, nine times out of ten before the approval expires."""
    worker, begun, approvals = world._worker(), world.clock.moment, 0
    while world.clock.moment - begun < timedelta(days=10):
        if only_people_can_go_on(world) and world.dice.random() < 0.9:
            world.clock.moment += timedelta(minutes=world.dice.choice((0.1, 5, 30)))
            approvals += approved(world)
        name = next_name(world)
        if name is None:
            break
        try:
            worker(name)
        except Crash:
            worker = world._worker()
        world.clock.moment += timedelta(milliseconds=world.dice.randint(1, 400))
    return approvals


def only_people_can_go_on(world: World) -> bool:
    due = [one for one in world.database.rows.operations.values() if one.due_at is not None]
    return not world.messages.queue and bool(due) and all(one.state is OperationState.AWAITING_APPROVAL for one in due)


def approved(world: World) -> int:
    """How many plans of all that wait were approved."""
    actor, now = Actor("person:approver"), world.clock.now()
    with by_a_person(world), world.database.open() as uow:
        waiting = uow.operations.list_by(states={OperationState.AWAITING_APPROVAL})
        for operation in waiting:
            plan = uow.rows.plans[operation.operation_id]
            uow.rows.plans[operation.operation_id] = msgspec.structs.replace(plan, approved_by=actor, approved_at=now)
            move(uow, operation, OperationState.APPLYING, now, actor=actor)
        uow.commit()
    return len(waiting)
