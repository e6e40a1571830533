"""Orders that can be delivered at once: from the shop's row to the verified licence."""

from typing import Any
from uuid import uuid4

from provisioning.domain.lifecycle import LineState, OperationState, SubjectState
from provisioning.domain.reasons import Reason
from tests.journeys.customers import A1, A3, A3_STAFF_MORE, Customer
from tests.journeys.furniture import Town
from tests.journeys.promises import check_promises, events_of

_NOWHERE = {"usageLocation": None}
_LAG_BEYOND_SETTLE = 60  # seconds: a look may then miss what was done, and the write is repeated


def test_s01_new_order_of_a_board_with_twelve_schools_in_one_tenant(town: Town, lag: float) -> None:
    """A thirteenth school is left alone, a teacher at two schools takes one seat, two without location are told."""
    stranger = {"id": str(uuid4()), "department": "99ZZ00", "employeeType": "Personeel", "usageLocation": "NL"}

    def traits(board: Customer, school: str, number: int) -> dict[str, Any]:
        first, second, *_ = board.staff
        special = {(first, 0): {"officeLocation": second}, (first, 1): _NOWHERE, (second, 1): _NOWHERE}
        return special.get((school, number), {})

    board = town.board(
        [26] * 10 + [25] * 2,
        seats=310,
        holds=None,
        lag=lag,
        is_proven=False,
        policy={},
        traits=traits,
        others=[stranger],
    )
    operation = town.await_end(town.order(board, 310))
    told = town.people(operation)
    unlocated = {list(people)[1] for people in list(board.staff.values())[:2]}
    assert operation.state is OperationState.PARTIALLY_COMPLETED
    assert town.count(operation) == {SubjectState.VERIFIED: 308, SubjectState.REFUSED: 2}
    assert {told[person] for person in unlocated} == {(SubjectState.REFUSED, Reason.USAGE_LOCATION)}
    assert town.holders(board, A3) == set(board.people) - unlocated
    assert town.per_school(operation) == {school: len(people) for school, people in board.staff.items()}
    check_promises(town, board, goal=A3)


def test_s05_first_a3_order_of_a_school_on_a1(town: Town, lag: float) -> None:
    school = town.school(40, lag=lag)
    key = town.order(school, 40)
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.await_line(key, LineState.COMPLETED)
    assert town.holders(school, A3) == set(school.people)
    assert town.holders(school, A1) == set()
    check_promises(town, school, goal=A3)


def test_s08_fewer_seats_ordered_than_there_are_staff(town: Town, lag: float) -> None:
    def traits(_customer: Customer, _school: str, number: int) -> dict[str, Any]:
        return {"officeLocation": "Directie"} if number < 5 else {}

    school = town.school(60, seats=45, lag=lag, traits=traits, policy={"seat_priority": ("directie",)})
    key = town.order(school, 45)
    operation = town.await_end(key)
    assert operation.state is OperationState.PARTIALLY_COMPLETED
    first, rest = school.people[:5], sorted(school.people[5:])
    assert town.holders(school, A3) == {*first, *rest[:40]}
    assert town.holders(school, A1) == set(rest[40:])  # nobody is without
    assert {town.people(operation)[person] for person in rest[40:]} == {
        (SubjectState.WAITING, Reason.SEATS_INSUFFICIENT)
    }

    more = town.order(school, 6, A3_STAFF_MORE)
    town.set_seats(school, 51)
    town.await_end(more)
    assert town.holders(school, A3) == {*first, *rest[:46]}
    check_promises(town, school, goal=A3)


def test_s42_usage_location_is_filled_where_it_is_empty_and_never_changed(town: Town, lag: float) -> None:
    def traits(_customer: Customer, _school: str, number: int) -> dict[str, Any]:
        return {"usageLocation": {0: "BE"}.get(number, None if number < 6 else "NL")}

    school = town.school(12, lag=lag, traits=traits)
    key = town.order(school, 12)
    assert town.await_end(key).state is OperationState.COMPLETED
    locations = [town.control.user(school.tenant, person)["usageLocation"] for person in school.people]
    assert locations == ["BE", *["NL"] * 11]
    check_promises(town, school, goal=A3)


def test_s42_without_a_policy_people_without_location_are_held_and_the_others_served(town: Town) -> None:
    def traits(_customer: Customer, _school: str, number: int) -> dict[str, Any]:
        return {"usageLocation": None} if number < 2 else {}

    school = town.school(12, traits=traits, policy={})
    operation = town.await_end(town.order(school, 12))
    assert operation.state is OperationState.PARTIALLY_COMPLETED
    assert town.holders(school, A3) == set(school.people[2:])
    assert {town.people(operation)[person] for person in school.people[:2]} == {
        (SubjectState.REFUSED, Reason.USAGE_LOCATION)
    }
    check_promises(town, school, goal=A3)


def test_s43_throttling_outage_and_lost_answers(town: Town, lag: float) -> None:
    school, neighbour = town.school(60, lag=lag), town.school(6)
    trouble: dict[str, Any] = {"tenant": school.tenant, "route": "assignLicense"}
    town.control.add_fault("throttle", **trouble, after=3, times=8, retryAfter=30)
    town.control.add_fault("unavailable", **trouble, after=5, times=4, body="html")
    town.control.add_fault("gateway_timeout", **trouble, after=8, times=6, applied=True)
    town.control.add_fault("gateway_timeout", **trouble, after=9, times=3, body="empty")
    town.control.add_fault("conflict", **trouble, after=15, times=3)
    town.control.add_fault("drop", tenant=school.tenant, route="batch", after=1, times=1, applied=True)
    keys = town.order(school, 60), town.order(neighbour, 6)
    assert [town.await_end(key).state for key in keys] == [OperationState.COMPLETED] * 2
    assert town.holders(school, A3) == set(school.people)
    found = [event for event in events_of(town, school) if event.kind == "attempt.found_done"]
    assert found, "no answer was lost"
    check_promises(town, school, goal=A3, repeats=0 if lag < _LAG_BEYOND_SETTLE else None)
    check_promises(town, neighbour, goal=A3)
