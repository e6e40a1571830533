"""Schools that give licences themselves: seats are the whole delivery, until the school asks for more."""

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.tenancy import AssignmentMode
from provisioning.services.set_policy import PolicyChange
from tests.journeys.customers import A3, A3_STAFF_MORE, Customer
from tests.journeys.furniture import Town
from tests.journeys.patience import let_pass, until
from tests.journeys.promises import check_promises

_ASSIGNS = {"assignment_mode": AssignmentMode.NONE}
_POLLS = 1.5  # real seconds in which seats are looked at several times


def _wants_it_done(town: Town, school: Customer) -> None:
    """One person proposes the policy for which the school asked, another approves it."""
    author = Identity(actor=Actor("person:author"), roles=frozenset({Role.OPERATOR}))
    approver = Identity(actor=Actor("person:approver"), roles=frozenset({Role.APPROVER}))
    change = PolicyChange(asked_by="ticket 12", assignment_mode=AssignmentMode.DIRECT, usage_location="NL")
    proposed = town.services.set_policy(author, school.tenant, change)
    town.services.approve_policy(approver, school.tenant, proposed.digest)


def test_seats_that_the_school_had_before_are_no_delivery(town: Town) -> None:
    school = town.school(4, seats=30, policy=_ASSIGNS)
    base = town.order(school, 20)
    town.await_operation(base, OperationState.AWAITING_SEATS)
    let_pass(_POLLS)
    assert town.operations(base)[-1].state is OperationState.AWAITING_SEATS
    town.set_seats(school, 50)
    assert town.await_end(base).state is OperationState.COMPLETED
    more = town.order(school, 8, A3_STAFF_MORE)
    town.await_operation(more, OperationState.AWAITING_SEATS)
    town.set_seats(school, 58)
    assert town.await_end(more).state is OperationState.COMPLETED
    assert town.writes(school) == 0


def test_a_school_that_changes_its_mind_has_its_people_served(town: Town) -> None:
    school = town.school(6, seats=6, policy=_ASSIGNS)
    key = town.order(school, 6)
    assert town.await_line(key, LineState.COMPLETED)
    assert town.holders(school, A3) == set()
    _wants_it_done(town, school)
    until(lambda: len(town.operations(key)) == 2, "an operation for its people")
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.holders(school, A3) == set(school.people)
    check_promises(town, school, goal=A3)
