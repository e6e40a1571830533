"""One product in the place of another, inside a tenant: asked by ticket, for who holds the old one and nobody else."""

from typing import Any

import pytest

from provisioning.domain.actors import Role
from provisioning.domain.ids import OperationId, OrganisationId, SkuId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from tests.journeys.callers import EVERY, Api, Asked, Caller
from tests.journeys.customers import A3, A3_STAFF, LONG_AGO, Customer
from tests.journeys.desk import Desk
from tests.journeys.furniture import Town
from tests.journeys.patience import until
from tests.journeys.promises import check_promises

O365_A3 = "e578b273-6db4-4691-bba0-8d691f4da603"  # Office 365 A3 for faculty
PHONE = "d979703c-028d-4de5-acbf-7955566b69b9"  # Teams Phone Standard for faculty: rests on Teams, which both have
VISIO = "bf95fd32-576a-4742-8d7a-6dc4940b9532"  # Visio Plan 2 for faculty: here what a ticket lets the phone become
CONTACT = "contact-3"
_WITHIN = 45.0


@pytest.fixture(scope="module")
def counter(api: Api) -> Caller:
    """The program of the desk that brings in what schools ask."""
    return api.caller("client:remap-counter", Role.DESK)


@pytest.fixture(scope="module")
def watch(api: Api) -> Caller:
    """A person of ours, who takes in records and looks."""
    return api.caller("person:remap-watch", Role.OPERATOR)


def order_of(town: Town, school: Customer, seats: int, sku: str = A3) -> None:
    """What the ledger says after an order of the new product, or of an add-on beside it."""
    entry = LedgerEntry(
        holder_id=school.code,
        tenant_id=school.tenant,
        article_code=A3_STAFF,
        sku_id=SkuId(sku),
        delta=seats,
        effective_on=LONG_AGO,
        ends_on=None,
        cause=LedgerCause.RENEWAL,
        cause_ref="an order",
    )
    with town.services.open_uow() as uow:
        uow.ledger.append([entry])
        uow.commit()


def let_ask(watch: Caller, school: Customer) -> None:
    mandate = {"kind": "mandate", "id": f"m-{school.code}", "organisation_id": school.code, "actor": CONTACT}
    watch.post("records", [mandate | {"scope": "change_sku", "valid_from": "2020-01-01"}])


def form(school: Customer, **more: Any) -> dict[str, Any]:
    wish = {"organisations": list(school.staff), "from_sku": O365_A3, "to_sku": A3, **more}
    asked = {"reference": f"remap of {school.code}", "kind": "change_sku", "organisation": school.code}
    return asked | {"requester": CONTACT, "wish": wish}


def approve(desk: Desk, ticket: Asked) -> None:
    """Somebody else than who asked, over the very assessment that was shown."""
    digest = ticket.await_state("awaiting_approval")["ticket"]["digest"]
    desk.do("tickets", "approve", ticket.ticket_id, digest[:8], role=Role.APPROVER)


def operation_of(ticket: Asked) -> OperationId:
    """The only one there is in the one tenant."""
    [operation] = ticket.operations()
    return OperationId(operation["operation_id"])


def with_phones(_customer: Customer, _school: OrganisationId, number: int) -> dict[str, Any]:
    """The first three have a phone beside the suite."""
    held = [{"skuId": O365_A3, "disabledPlans": []}]
    return {"assignments": [*held, {"skuId": PHONE, "disabledPlans": []}]} if number < 3 else {}


def test_s30_from_school_sku_to_board_sku(town: Town, desk: Desk, counter: Caller, watch: Caller) -> None:
    yammer = next(x for x in town.services.mappings.skus[SkuId(O365_A3)].plans if x.name == "YAMMER_EDU").plan_id
    bought = [{"skuId": sku, "totalLicenses": 12} for sku in (O365_A3, PHONE)]
    known = {"holds": O365_A3, "disabled_plans": [yammer], "traits": with_phones, "more_seats": bought}
    school = town.school(12, seats=12, **known)
    order_of(town, school, 12)
    let_ask(watch, school)
    ticket = Asked.of(counter, **form(school))
    [again] = counter.post("tickets", form(school))
    assert (again["ticket"]["ticket_id"], again["is_new"]) == (ticket.ticket_id, False)
    approve(desk, ticket)
    ticket.await_state("completed")
    operation = operation_of(ticket)
    assert desk.look("operations", "show", operation)["operation"]["state"] == "completed"
    assert ticket.topics() == ["received", "assessed", "approved", "started", "completed"]
    assert town.holders(school, A3) == set(school.people)
    assert town.holders(school, O365_A3) == set()
    assert town.holders(school, PHONE) == set(school.people[:3])
    assert town.writes(school) == 12  # one call for each
    off = [row["disabledPlans"] for one in school.people[3:] for row in _licences(town, school, one)]
    assert off == [[yammer]] * 9
    check_promises(town, school, goal=A3)


def _licences(town: Town, school: Customer, person: str) -> list[dict[str, Any]]:
    assigned: list[dict[str, Any]] = town.control.user(school.tenant, person)["licenseAssignmentStates"]
    return assigned


def test_s30_an_add_on_becomes_another_in_the_same_call(town: Town, desk: Desk, counter: Caller, watch: Caller) -> None:
    """One write for each person gives two licences and takes two; who finds no seat of either keeps both and waits."""
    bought = [{"skuId": sku, "totalLicenses": 5} for sku in (O365_A3, PHONE, VISIO)]
    school = town.school(5, seats=5, holds=O365_A3, traits=with_phones, more_seats=bought)
    order_of(town, school, 5)
    order_of(town, school, 2, VISIO)
    let_ask(watch, school)
    ticket = Asked.of(counter, **form(school, along={PHONE: VISIO}))
    approve(desk, ticket)
    ticket.await_state("partially_completed")
    assert [one["state"] for one in ticket.operations()] == ["partially_completed"]
    assert len(town.holders(school, VISIO)) == 2
    assert len(town.holders(school, PHONE)) == 1  # for whom no add-on was ordered: they keep everything and wait
    assert town.holders(school, O365_A3) == town.holders(school, PHONE)
    assert town.holders(school, A3) == set(school.people) - town.holders(school, PHONE)
    assert town.writes(school) == 4
    check_promises(town, school, goal=A3)


def test_s36_renewal_with_another_sku_and_fewer_seats_than_are_in_use(
    town: Town, desk: Desk, counter: Caller, watch: Caller
) -> None:
    in_grace = [{"skuId": sku, "totalLicenses": 20, "status": "Warning"} for sku in (O365_A3, A3)]  # none to give (M6)
    school = town.school(20, seats=12, holds=O365_A3, more_seats=in_grace)
    order_of(town, school, 12)
    let_ask(watch, school)
    ticket = Asked.of(counter, **form(school))
    approve(desk, ticket)
    told = ticket.await_state("partially_completed")["answers"][-1]["details"]
    assert (told["verified"], told["waiting"]) == ("12", "8")
    served, operation = town.holders(school, A3), operation_of(ticket)
    assert len(served) == 12
    assert town.holders(school, O365_A3) == set(school.people) - served
    assert [(one["reason"], one["count"]) for one in _work_on(watch, operation)] == [(Reason.SEATS_INSUFFICIENT, 8)]
    assert _waiting(town, operation) == dict.fromkeys(set(school.people) - served, Reason.SEATS_INSUFFICIENT)
    order_of(town, school, 8)
    town.set_seats(school, 20)
    successor = _successor(town, watch, school, operation)
    digest = desk.look("plans", "show", successor)["digest"]
    assert "may not approve a plan" in desk.refused("plans", "approve", successor, digest[:8])
    desk.do("plans", "approve", successor, digest[:8], role=Role.APPROVER)
    until(lambda: town.holders(school, A3) == set(school.people), "everybody on the new product", within=_WITHIN)
    assert town.holders(school, O365_A3) == set()
    assert town.writes(school) == 20
    _await(watch, successor, "completed")
    check_promises(town, school, goal=A3)


def _work_on(watch: Caller, operation: OperationId) -> list[Any]:
    """What the work list says of it."""
    return [one for one in watch.get("worklist?limit=200")["items"] if one["operation_id"] == operation]


def _waiting(town: Town, operation: OperationId) -> dict[str, Reason | None]:
    with town.services.open_uow() as uow:
        listed = uow.journal.subjects(operation)
    return {one.subject_id: one.reason for one in listed if one.state is SubjectState.WAITING}


def _successor(town: Town, watch: Caller, school: Customer, ended: OperationId) -> str:
    """Seats have come: whoever waits is served by the same remap again, which is approved again."""
    town.services.serve_waiting()

    def look() -> str | None:
        found = watch.get(f"operations?tenant={school.tenant}&state=awaiting_approval")["items"]
        return next((one["operation_id"] for one in found if one["operation_id"] != ended), None)

    return until(look, "another operation for who waits, with its plan", within=_WITHIN, every=EVERY)


def _await(watch: Caller, operation: str, state: str) -> None:
    until(
        lambda: watch.get(f"operations/{operation}")["operation"]["state"] == state,
        lambda: f"operation {state}: {watch.get(f'operations/{operation}')}",
        within=_WITHIN,
        every=EVERY,
    )


def test_without_an_order_of_the_new_product_it_is_held_and_says_what_to_order(
    town: Town, desk: Desk, counter: Caller, watch: Caller
) -> None:
    school = town.school(3, seats=5, holds=O365_A3)
    let_ask(watch, school)
    ticket = Asked.of(counter, **form(school))
    told = ticket.await_state("held", Reason.REMAP_NOT_ORDERED)["answers"][-1]["details"]
    assert "Bestel het nieuwe product" in told["nl"]
    shown = desk.look("operations", "show", operation_of(ticket))
    assert (shown["operation"]["state"], shown["operation"]["reason"]) == ("held", Reason.REMAP_NOT_ORDERED)
    assert shown["events"][-1]["reason"] == Reason.REMAP_NOT_ORDERED
    assert town.writes(school) == 0
