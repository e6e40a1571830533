"""Several operations in one tenant at once, through groups: none disturbs another, and nobody is written to twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import BindingId, OperationId, OrganisationId, SkuId, SubjectId
from provisioning.domain.lifecycle import OPERATION_ENDS, STEP_ENDS, SubjectState
from provisioning.domain.operation import Lane, OperationKind
from provisioning.domain.tenancy import AssignmentMode
from tests.simulation.boundaries import Crash
from tests.simulation.graph import licence
from tests.simulation.promises import check_continuity, check_plans_stay_off, check_witness
from tests.simulation.test_group_cases import LAGS, a_world, proven
from tests.simulation.test_group_members import holds
from tests.simulation.weather import Weather
from tests.simulation.world import A1, A3, SCHOOL, TENANT, World

NEIGHBOUR = OrganisationId("20OF00")
A5 = SkuId("e97c048c-37a4-45fb-ab50-922fbf07a370")


def order(world: World, name: str, **known: object) -> None:
    """One more operation, due now."""
    base = world._operation()
    of_wish = {key: value for key, value in known.items() if key in base.wish.__struct_fields__}
    others = {key: value for key, value in known.items() if key not in of_wish}
    wish = msgspec.structs.replace(base.wish, **of_wish)
    added = {"operation_id": OperationId(name), "wish": wish, "due_at": world.clock.moment, **others}
    world.database.rows.operations[OperationId(name)] = msgspec.structs.replace(base, **added)


def only(world: World, *orders: dict[str, object]) -> None:
    """These orders, all at once, in place of the usual one."""
    world.database.rows.operations.clear()
    for number, known in enumerate(orders, start=1):
        order(world, f"op-{number}", **known)


def halves(world: World) -> tuple[tuple[SubjectId, ...], tuple[SubjectId, ...]]:
    people = sorted(world.graph.people)
    return tuple(people[::2]), tuple(people[1::2])


def two_schools_with_a_group_each(world: World) -> None:
    rows = world.database.rows
    [binding] = rows.bindings
    rows.bindings.clear()
    for school, people in zip((SCHOOL, NEIGHBOUR), halves(world), strict=True):
        ids = msgspec.json.encode({"ids": people}).decode()
        known = {"binding_id": BindingId(school), "organisation_id": school}
        selectors = dict.fromkeys(binding.selectors, ids)
        rows.bindings.append(msgspec.structs.replace(binding, **known, selectors=selectors))
    only(world, *({"holder_id": school, "organisations": (school,)} for school in (SCHOOL, NEIGHBOUR)))


def two_orders_of_one_school(world: World) -> None:
    order(world, "op-2")


def an_order_while_another_is_under_way(world: World) -> None:
    world.run(longest=timedelta(seconds=world.dice.choice((1, 10, 60, 240, 600))))
    order(world, "op-2")


def two_orders_with_names(world: World) -> None:
    """One group for both: neither makes a second one, nor takes the other's people for strangers."""
    only(world, *({"named": people} for people in halves(world)))


def an_order_while_all_are_moved(world: World) -> None:
    """Half of them have a licence of their own that is to give way to the group's."""
    for subject in halves(world)[0]:
        holds(world, subject, licence(A3))
    only(world, {"kind": OperationKind.CHANGE, "lane": Lane.BULK}, {})


def a_step_up_while_the_old_product_is_delivered(world: World) -> None:
    """Both write to the same people, one after the other; nobody ends up between the two."""
    for subject, person in list(world.graph.people.items()):
        holds(world, subject, *person.licences)
    world.graph.enabled[A5] = world.database.rows.entitlements[TENANT, A5] = 40
    world.graph.exclusive |= {frozenset({A3, A5}), frozenset({A1, A5})}
    world.run(longest=timedelta(seconds=world.dice.choice((1, 10, 60, 240, 600))))
    order(world, "op-2", sku_id=A5, replaces=frozenset({A1, A3}))


def drive(world: World, longest: timedelta = timedelta(days=5)) -> None:
    """Until none of them is due any more: messages in any order, and the sweep when there are none."""
    worker, begun = world._worker(), world.clock.moment
    while world.clock.moment - begun < longest and (name := next_name(world)):
        try:
            worker(name)
        except Crash:
            world.crashes += 1
            worker = world._worker()
        except UnavailableError:
            world.postponed += 1
        world.clock.moment += timedelta(milliseconds=world.dice.randint(1, 400))


def next_name(world: World) -> OperationId | None:
    queue = world.messages.queue
    if queue:
        return queue.pop(world.dice.randrange(len(queue)))
    due = [one for one in world.database.rows.operations.values() if one.due_at is not None]
    first = min(due, key=lambda one: (one.due_at, one.operation_id), default=None)
    if first is None or first.due_at is None:
        return None
    world.clock.moment = max(world.clock.moment, first.due_at)
    return first.operation_id


def check(world: World, groups: int, goal: SkuId = A3) -> None:
    rows = world.database.rows
    states = [(one.operation_id, one.state, one.reason) for one in rows.operations.values()]
    assert {state for _, state, _ in states} <= OPERATION_ENDS, states
    assert not [one for one in rows.subjects.values() if one.state in {SubjectState.FAILED, SubjectState.PENDING}]
    assert all(person.holds(goal) for person in world.graph.people.values())
    assert all(step.state in STEP_ENDS for step in rows.steps.values())
    assert len(world.graph.groups.versions) <= groups
    check_witness(world, repeats_allowed=False)
    check_continuity(world)
    check_plans_stay_off(world)


Scene = Callable[[World], None]


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize(
    ("scene", "groups"),
    [
        (two_schools_with_a_group_each, 2),
        (two_orders_of_one_school, 1),
        (an_order_while_another_is_under_way, 1),
        (two_orders_with_names, 1),
        (an_order_while_all_are_moved, 1),
    ],
    ids=lambda known: getattr(known, "__name__", ""),
)
def test_all_end_and_everybody_is_served(scene: Scene, groups: int, seed: int) -> None:
    world = a_day(seed, AssignmentMode.GROUP)
    scene(world)
    drive(world)
    check(world, groups)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("mode", [AssignmentMode.DIRECT, AssignmentMode.GROUP])
def test_of_two_products_the_later_one_comes_in_the_end(mode: AssignmentMode, seed: int) -> None:
    world = a_day(seed, mode)
    a_step_up_while_the_old_product_is_delivered(world)
    drive(world)
    check(world, groups=2, goal=A5)


def a_day(seed: int, mode: AssignmentMode) -> World:
    """With answers that get lost, refusals and crashes."""
    dice = random.Random(seed * 31 + 7)
    weather = Weather(lag=LAGS[seed % 2], lost_after=0.12, lost_before=0.12, throttled=0.12)
    world = a_world(seed, weather, people=dice.choice((8, 12, 30)), crash_chance=0.02, mode=mode)
    if dice.random() < 0.7:
        proven(world)
    return world
