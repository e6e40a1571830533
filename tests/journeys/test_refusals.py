"""What Microsoft or the school refuses: credentials, permissions, tenants, selections. Told once, to its owner."""

import msgspec
import pytest

from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Topic
from provisioning.local.world import APP
from provisioning.services.application_incident import OURSELVES
from tests.journeys.customers import A3, READ, Customer
from tests.journeys.furniture import Town
from tests.journeys.patience import let_pass, until
from tests.journeys.promises import check_promises

_WRONG_SECRET, _EXPIRED_SECRET, _NO_SUCH_TENANT = "7000215", "7000222", "90002"
_A_WINDOW = 6.0  # real seconds: the incident window of ten minutes has passed


@pytest.mark.parametrize("code", [_WRONG_SECRET, pytest.param(_EXPIRED_SECRET, marks=pytest.mark.slow)])
def test_a_secret_refused_in_one_tenant_holds_it_after_the_window(town: Town, code: str) -> None:
    school, neighbour = town.school(6), town.school(6)
    fault = town.control.add_fault("token_error", tenant=school.tenant, code=code)
    key = town.order(school, 6)
    held = town.await_operation(key, OperationState.HELD)
    assert held.reason is Reason.CREDENTIAL_REJECTED
    assert town.await_end(town.order(neighbour, 6)).state is OperationState.COMPLETED
    town.control.clear_faults(fault["id"])
    town.command("operations", "retry", held.operation_id, "--reason", "new secret")
    assert town.await_end(key).state is OperationState.COMPLETED
    check_promises(town, school, goal=A3)


def test_a_secret_refused_everywhere_is_an_incident_of_ours(town: Town) -> None:
    schools = [town.school(6) for _ in range(4)]
    fault = town.control.add_fault("token_error", code=_EXPIRED_SECRET)
    keys = [town.order(school, 6) for school in schools]
    until(lambda: town.services.list_notices(OURSELVES), "an alert")
    let_pass(_A_WINDOW)
    alerts = town.services.list_notices(OURSELVES)
    assert [(alert.topic, alert.facts) for alert in alerts] == [(Topic.APPLICATION_INCIDENT, 1)]
    assert {town.operations(key)[-1].state for key in keys} == {OperationState.NEW}
    assert not any(town.services.list_notices(school.code) for school in schools)
    town.control.clear_faults(fault["id"])
    let_pass(1.0)
    assert [town.writes(school) for school in schools] == [0] * 4  # stopped until a person lifts it
    town.command("resume", "--all")
    for school, key in zip(schools, keys, strict=True):
        assert town.await_end(key).state is OperationState.COMPLETED
        check_promises(town, school, goal=A3)


def test_a_tenant_that_is_gone_is_held(town: Town) -> None:
    school = town.school(6)
    town.control.add_fault("token_error", tenant=school.tenant, code=_NO_SUCH_TENANT)
    assert town.await_operation(town.order(school, 6), OperationState.HELD).reason is Reason.TENANT_GONE


def test_a_permission_taken_away_stops_the_tenant_without_a_refused_write(town: Town) -> None:
    school = town.school(6, roles=READ)
    key = town.order(school, 6)
    assert town.await_operation(key, OperationState.AWAITING_CONSENT).reason is Reason.CONSENT_INSUFFICIENT
    assert town.control.counters()["tenants"][school.tenant].get("writes", 0) == 0
    town.control.grant_consent(school.tenant, APP, ["LicenseAssignment.ReadWrite.All"])
    assert town.await_end(key).state is OperationState.COMPLETED
    check_promises(town, school, goal=A3)


def test_a_selector_that_matches_nobody_is_held(town: Town) -> None:
    school = town.school(6, traits=lambda _customer, _school, _number: {"employeeType": "Vrijwilliger"})
    assert town.await_operation(town.order(school, 6), OperationState.HELD).reason is Reason.SELECTOR_EMPTY
    assert town.writes(school) == 0


def test_a_person_of_two_boards_is_held_and_the_others_are_served(town: Town) -> None:
    def traits(_customer: Customer, _school: str, number: int) -> dict[str, str]:
        return {"officeLocation": other} if number == 0 else {}

    other = town.next_code()
    school = town.school(6, traits=traits)
    town.move_in(other, school)
    operation = town.await_end(town.order(school, 6))
    assert operation.state is OperationState.PARTIALLY_COMPLETED
    assert town.people(operation)[school.people[0]] == (SubjectState.REFUSED, Reason.SCOPE_UNDECIDABLE)
    assert town.holders(school, A3) == set(school.people[1:])
    check_promises(town, school, goal=A3)


@pytest.mark.slow
def test_an_operation_that_took_five_workers_with_it_is_held_as_poison(town: Town) -> None:
    school = town.school(6, seats=None)
    key = town.order(school, 6)
    waiting = town.await_operation(key, OperationState.AWAITING_SEATS)
    with town.services.open_uow() as uow:
        lost = uow.operations.get(waiting.operation_id)
        uow.operations.save(msgspec.structs.replace(lost, lost_attempts=town.services.limits.lost_attempts))
        uow.commit()
    held = town.await_operation(key, OperationState.HELD)
    assert held.reason is Reason.POISON
    assert "POISON" in town.command("worklist", "--json")
    town.control.add_subscription(school.tenant, skuId=A3, totalLicenses=6)
    town.command("operations", "retry", held.operation_id, "--reason", "the cause is repaired")
    assert town.await_end(key).state is OperationState.COMPLETED
    check_promises(town, school, goal=A3)
