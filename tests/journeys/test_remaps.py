"""One product in the place of another, inside a tenant: who holds the old one, and nobody else."""

from contextlib import suppress
from typing import Any

from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import ConflictError
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, OperationId, OrganisationId, SkuId, TicketId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState, SubjectState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.reasons import Reason
from provisioning.services.begin_remap import AskedRemap, begin_remap
from tests.journeys.customers import A3, A3_STAFF, LONG_AGO, Customer
from tests.journeys.furniture import Town
from tests.journeys.patience import until
from tests.journeys.promises import check_promises

O365_A3 = "e578b273-6db4-4691-bba0-8d691f4da603"  # Office 365 A3 for faculty
PHONE = "d979703c-028d-4de5-acbf-7955566b69b9"  # Teams Phone Standard for faculty: rests on Teams, which both have
VISIO = "bf95fd32-576a-4742-8d7a-6dc4940b9532"  # Visio Plan 2 for faculty: here what a ticket lets the phone become
_APPROVER = Identity(actor=Actor("person:approver"), roles=frozenset({Role.APPROVER}))
_WITHIN = 45.0


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


def begin(town: Town, school: Customer, ticket: str, along: dict[SkuId, SkuId] | None = None) -> Operation:
    asked = AskedRemap(
        tenant_id=school.tenant,
        from_sku=SkuId(O365_A3),
        to_sku=SkuId(A3),
        holder_id=school.code,
        organisations=tuple(school.staff),
        requested_by=Actor("client:desk"),
        ticket_id=TicketId(ticket),
        along=along or {},
    )
    services = town.services
    with services.open_uow() as uow:
        operation = begin_remap(uow, services.mappings, asked, services.clock.now())
        uow.commit()
    services.dispatcher.advance(operation.operation_id, operation.lane)
    return operation


def await_state(town: Town, operation: OperationId, *states: OperationState) -> Operation:
    def now() -> Operation:
        with town.services.open_uow() as uow:
            return uow.operations.get(operation)

    def look() -> Operation | None:
        seen = now()
        return seen if seen.state in states else None

    return until(look, lambda: f"remap {states}, is {now().state} {now().reason}", within=_WITHIN)


def approve(town: Town, operation: OperationId) -> None:
    """Somebody else than who asked, over the very plan that was drawn."""
    await_state(town, operation, OperationState.AWAITING_APPROVAL)
    with town.services.open_uow() as uow:
        plan = uow.plans.current(operation)
    assert plan is not None
    digest = plan.digest

    def approved() -> bool:
        with suppress(ConflictError):  # a worker had a look at it in between
            return bool(town.services.approve_plan(_APPROVER, operation, digest))
        return False

    until(approved, "the approval", within=_WITHIN)


def with_phones(_customer: Customer, _school: OrganisationId, number: int) -> dict[str, Any]:
    """The first three have a phone beside the suite."""
    held = [{"skuId": O365_A3, "disabledPlans": []}]
    return {"assignments": [*held, {"skuId": PHONE, "disabledPlans": []}]} if number < 3 else {}


def test_s30_from_school_sku_to_board_sku(town: Town) -> None:
    yammer = next(x for x in town.services.mappings.skus[SkuId(O365_A3)].plans if x.name == "YAMMER_EDU").plan_id
    bought = [{"skuId": sku, "totalLicenses": 12} for sku in (O365_A3, PHONE)]
    known = {"holds": O365_A3, "disabled_plans": [yammer], "traits": with_phones, "more_seats": bought}
    school = town.school(12, seats=12, **known)
    order_of(town, school, 12)
    operation = begin(town, school, "s30").operation_id
    assert begin(town, school, "s30").operation_id == operation
    approve(town, operation)
    assert await_state(town, operation, *OPERATION_ENDS).state is OperationState.COMPLETED
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


def test_s30_an_add_on_becomes_another_in_the_same_call(town: Town) -> None:
    """One write for each person gives two licences and takes two; who finds no seat of either keeps both and waits."""
    bought = [{"skuId": sku, "totalLicenses": 5} for sku in (O365_A3, PHONE, VISIO)]
    school = town.school(5, seats=5, holds=O365_A3, traits=with_phones, more_seats=bought)
    order_of(town, school, 5)
    order_of(town, school, 2, VISIO)
    operation = begin(town, school, "s30 add-on", {SkuId(PHONE): SkuId(VISIO)}).operation_id
    approve(town, operation)
    assert await_state(town, operation, *OPERATION_ENDS).state is OperationState.PARTIALLY_COMPLETED
    assert len(town.holders(school, VISIO)) == 2
    assert len(town.holders(school, PHONE)) == 1  # for whom no add-on was ordered: they keep everything and wait
    assert town.holders(school, O365_A3) == town.holders(school, PHONE)
    assert town.holders(school, A3) == set(school.people) - town.holders(school, PHONE)
    assert town.writes(school) == 4
    check_promises(town, school, goal=A3)


def test_s36_renewal_with_another_sku_and_fewer_seats_than_are_in_use(town: Town) -> None:
    in_grace = [{"skuId": sku, "totalLicenses": 20, "status": "Warning"} for sku in (O365_A3, A3)]  # none to give (M6)
    school = town.school(20, seats=12, holds=O365_A3, more_seats=in_grace)
    order_of(town, school, 12)
    operation = begin(town, school, "s36").operation_id
    approve(town, operation)
    assert await_state(town, operation, *OPERATION_ENDS).state is OperationState.PARTIALLY_COMPLETED
    served = town.holders(school, A3)
    assert len(served) == 12
    assert town.holders(school, O365_A3) == set(school.people) - served
    with town.services.open_uow() as uow:
        listed = uow.journal.subjects(operation)
    waiting = {one.subject_id for one in listed if one.state is SubjectState.WAITING}
    assert waiting == set(school.people) - served
    assert {one.reason for one in listed if one.state is SubjectState.WAITING} == {Reason.SEATS_INSUFFICIENT}
    order_of(town, school, 8)
    town.set_seats(school, 20)
    approve(town, _successor(town, school, operation).operation_id)
    until(lambda: town.holders(school, A3) == set(school.people), "everybody on the new product", within=_WITHIN)
    assert town.holders(school, O365_A3) == set()
    assert town.writes(school) == 20
    await_state(town, _successor(town, school, operation).operation_id, *OPERATION_ENDS)
    check_promises(town, school, goal=A3)


def _successor(town: Town, school: Customer, ended: OperationId) -> Operation:
    """Seats have come: whoever waits is served by the same remap again, which is approved again."""

    def look() -> Operation | None:
        town.services.serve_waiting()
        with town.services.open_uow() as uow:
            others = uow.operations.list_by(tenant=school.tenant)
        return next((one for one in others if one.operation_id != ended and one.kind is OperationKind.REMAP), None)

    return until(look, "another operation for who waits", within=_WITHIN)


def test_without_an_order_of_the_new_product_it_is_held_and_says_what_to_order(town: Town) -> None:
    school = town.school(3, seats=5, holds=O365_A3)
    operation = begin(town, school, "nothing ordered").operation_id
    held = await_state(town, operation, OperationState.HELD)
    assert held.reason is Reason.REMAP_NOT_ORDERED
    assert _events(town, operation)[-1].reason == Reason.REMAP_NOT_ORDERED
    assert town.writes(school) == 0


def _events(town: Town, operation: OperationId) -> list[Event]:
    with town.services.open_uow() as uow:
        return uow.audit.list_by(operation=operation)
