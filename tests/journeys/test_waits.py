"""Orders that must wait: for seats, for consent, for what was withdrawn while people were being served."""

from typing import Any

from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.reasons import Reason
from provisioning.local.world import APP
from tests.journeys.customers import A1, A3, A3_STAFF_MORE, READ, ROLES, Customer
from tests.journeys.furniture import Town
from tests.journeys.patience import let_pass, until
from tests.journeys.promises import check_promises

_BRIEFLY = 300  # seconds that a token lives: it is renewed five minutes before its end, so at each call
_POLLS = 1.5  # real seconds in which seats and consent are looked at several times


def test_s03_extension_in_the_middle_of_the_year(town: Town, lag: float) -> None:
    school = town.school(28, seats=20, lag=lag)
    base = town.order(school, 20)
    town.await_end(base)
    first = town.holders(school, A3)
    more = town.order(school, 8, A3_STAFF_MORE)
    town.await_operation(more, OperationState.AWAITING_SEATS)
    town.set_seats(school, 28)
    assert town.await_end(more).state is OperationState.COMPLETED
    assert len(first) == 20
    assert town.holders(school, A3) == set(school.people)
    with town.services.open_uow() as uow:
        entries = uow.ledger.list_by(school.code)
    assert [entry.delta for entry in entries] == [20, 8]
    assert len({entry.ends_on for entry in entries}) == 1
    check_promises(town, school, goal=A3)


def test_s03_extension_without_a_base_is_held(town: Town) -> None:
    school = town.school(4)
    town.await_held(town.order(school, 2, A3_STAFF_MORE), Reason.EXTENSION_WITHOUT_BASE)
    assert town.holders(school, A3) == set()


def test_s09_seats_that_are_not_visible_yet(town: Town, lag: float) -> None:
    school = town.school(12, seats=None, lag=lag)
    key = town.order(school, 12)
    assert town.await_operation(key, OperationState.AWAITING_SEATS).reason is Reason.SEATS_NOT_VISIBLE
    town.control.add_subscription(school.tenant, skuId=A3, totalLicenses=12, status="Warning")
    let_pass(_POLLS)
    assert town.operations(key)[-1].state is OperationState.AWAITING_SEATS  # seats in grace do not count
    town.control.add_subscription(school.tenant, skuId=A3, totalLicenses=12)
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.holders(school, A3) == set(school.people)
    check_promises(town, school, goal=A3)


def test_s09_the_wait_survives_the_workers(town: Town) -> None:
    school = town.school(6, seats=None)
    key = town.order(school, 6)
    town.await_operation(key, OperationState.AWAITING_SEATS)
    town.world.kill("orders")
    town.control.add_subscription(school.tenant, skuId=A3, totalLicenses=6)
    town.world.start_worker("orders", "sweeps,orders")
    assert town.await_end(key).state is OperationState.COMPLETED
    check_promises(town, school, goal=A3)


def test_s10_tenant_that_has_not_consented(town: Town, lag: float) -> None:
    school = town.school(12, roles=None, lag=lag)
    key = town.order(school, 12)
    assert town.await_operation(key, OperationState.AWAITING_CONSENT).reason is Reason.CONSENT_MISSING
    town.control.grant_consent(school.tenant, APP, list(READ))
    until(lambda: town.operations(key)[-1].reason is Reason.CONSENT_INSUFFICIENT, "too few permissions seen")
    assert town.writes(school) == 0
    town.control.grant_consent(school.tenant, APP, list(ROLES))
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.holders(school, A3) == set(school.people)
    until(lambda: _is_told(town, school, "consent_needed"), "a notice to the school")
    check_promises(town, school, goal=A3)


def test_s11_consent_withdrawn_during_a_run(town: Town, lag: float) -> None:
    town.control.set_switches(token_lifetime_seconds=_BRIEFLY)
    school, neighbour = town.school(60, lag=lag), town.school(6)
    trouble: dict[str, Any] = {"tenant": school.tenant, "route": "assignLicense"}
    crowd = town.control.add_fault("throttle", **trouble, after=20, retryAfter=20)
    key = town.order(school, 60)
    until(lambda: town.writes(school) == 20, "a third of the people")
    town.control.withdraw_consent(school.tenant, APP)
    stopped = town.await_operation(key, OperationState.AWAITING_CONSENT)
    town.control.clear_faults(crowd["id"])
    assert set(town.count(stopped)) <= {SubjectState.PENDING, SubjectState.VERIFIED}  # nobody's own fault
    assert town.await_end(town.order(neighbour, 6)).state is OperationState.COMPLETED
    assert town.writes(school) == 20
    town.control.grant_consent(school.tenant, APP, list(ROLES))
    assert town.await_end(key).state is OperationState.COMPLETED
    assert town.holders(school, A3) == set(school.people)
    assert town.holders(school, A1) == set()
    check_promises(town, school, goal=A3)
    check_promises(town, neighbour, goal=A3)


def _is_told(town: Town, customer: Customer, topic: str) -> bool:
    return any(notice.topic == topic for notice in town.services.list_notices(customer.code))
