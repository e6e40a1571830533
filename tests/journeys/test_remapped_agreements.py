"""S28 and S32 side by side, while the same days pass: an agreement that is nowhere for days on its way to the board's
tenant, and one that was activated in another customer's.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, OrganisationId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Mandate, VolumeLicence
from provisioning.domain.ticket import Ticket, TicketForm, TicketKind, TicketState
from provisioning.local.world import LocalWorld
from tests.journeys import customers
from tests.journeys.customers import A3, LONG_AGO, Customer
from tests.journeys.furniture import Town
from tests.journeys.mergers import APPROVER, OPERATOR, entitle
from tests.journeys.patience import until
from tests.journeys.promises import check_promises, check_witness

_DAYS = timedelta(days=1, hours=12).total_seconds()
_T = TicketState
CONTACT = "contact-1"
DESK = Identity(actor=Actor("client:desk"), roles=frozenset({Role.DESK}))


@dataclass
class Move:
    """A ticket, from one customer's tenant to another's, on the town of the moment."""

    town: Town
    ticket_id: str

    def show(self) -> Ticket:
        return self.town.services.show_tickets.one(OPERATOR, self.ticket_id).ticket

    def approve(self) -> None:
        ticket = self.await_state(_T.AWAITING_APPROVAL)
        self.town.services.approve_ticket(APPROVER, self.ticket_id, ticket.digest or "")

    def file(self, number: str) -> None:
        self.town.services.note_case(OPERATOR, self.ticket_id, number)

    def await_state(self, state: TicketState, reason: Reason | None = None) -> Ticket:
        def look() -> Ticket | None:
            ticket = self.show()
            return ticket if (ticket.state, ticket.reason) == (state, reason) else None

        return until(look, lambda: f"ticket {state} {reason}: {self._story()}", within=90.0)

    def _story(self) -> str:
        sheet, move = self.show(), self.town.services.show_tickets.one(OPERATOR, self.ticket_id).move
        return f"{sheet.state} {sheet.reason} {sheet.due_at} {move} now {self.town.services.clock.now()}"

    def operation(self, kind: OperationKind) -> Operation | None:
        with self.town.services.open_uow() as uow:
            return next((one for one in uow.operations.list_by() if one.kind is kind and self._is_mine(one)), None)

    def _is_mine(self, operation: Operation) -> bool:
        move = self.town.services.show_tickets.one(OPERATOR, self.ticket_id).move
        return move is not None and operation.operation_id in {*move.serving, *move.releasing}

    def await_operation(self, kind: OperationKind, state: OperationState) -> Operation:
        def look() -> Operation | None:
            found = self.operation(kind)
            return found if found and found.state is state else None

        return until(look, lambda: f"{kind} {state}: {self.operation(kind)} {self._story()}", within=90.0)


def test_s28_nowhere_for_days_and_s32_in_another_customers_tenant(world: LocalWorld, town: Town) -> None:
    here = town.school(6, holds=A3, seats=6)
    there = town.school(6, holds=None, seats=None, traits=lambda _customer, _school, _n: {"department": here.code})
    entitle(town, here, 6)
    _let_in(town, here, there)
    _know(town, here, "PCN1", "L1")
    moved = Move(town, _submit(town, here, there))
    moved.approve()
    town.control.move_subscription(here.tenant, customers.seats_id(here.tenant), there.tenant, arrivesIn=3 * 86_400)
    moved.file("case 1")  # the first look finds them gone

    buyer, stranger = town.school(5, seats=None), town.school(3, seats=3)
    order = town.order(buyer, 5)
    town.await_end(town.order(stranger, 3))
    town.await_operation(order, OperationState.AWAITING_SEATS)
    _know(town, buyer, "PCN2", "L2")
    stray = town.control.add_subscription(stranger.tenant, skuId=A3, totalLicenses=5)["id"]
    until(lambda: _has_vanished(moved), "a first look that finds the seats gone")

    world.skip(_DAYS)
    town = moved.town = Town(world)
    moved.await_state(_T.HELD, Reason.SEATS_NOWHERE)
    assert town.services.find_strays() == 1
    found = Move(town, _prepared(town))
    _shows_nothing_of(town, found, buyer, stranger)
    found.approve()
    town.control.move_subscription(stranger.tenant, stray, buyer.tenant)
    found.file("case 2")
    found.await_state(_T.COMPLETED)

    world.skip(2 * _DAYS)
    town = moved.town = found.town = Town(world)
    moved.await_operation(OperationKind.DELIVER, OperationState.COMPLETED)
    releasing = moved.await_operation(OperationKind.RELEASE, OperationState.AWAITING_APPROVAL)
    digest = town.services.show_plan(releasing.operation_id).envelope.digest
    town.services.approve_plan(APPROVER, releasing.operation_id, digest)
    ended = moved.await_state(_T.COMPLETED)
    assert town.holders(there, A3) == set(there.people)
    assert town.holders(here, A3) == set()
    counts = town.services.show_tickets.one(OPERATOR, ended.ticket_id).answers[-1].details
    assert (counts["people_served"], counts["people_released"]) == ("6", "6")
    check_promises(town, there, goal=A3)
    check_promises(town, here)

    assert town.await_end(order, within=90.0).state is OperationState.COMPLETED
    assert town.holders(buyer, A3) == set(buyer.people)
    assert town.holders(stranger, A3) == set(stranger.people)
    check_promises(town, buyer, goal=A3)
    written = list(town.control.ledger(stranger.began, tenant=stranger.tenant))
    check_witness(town, stranger, written, set(stranger.people), 0)
    assert len(written) == len(stranger.people)  # its own order, and nothing else


def _let_in(town: Town, school: Customer, host: Customer) -> None:
    """The school's people have accounts with the board, and somebody confirmed who they are."""
    binding = msgspec.structs.replace(customers.binding(host.tenant, school.code), is_transition=True)
    with town.services.open_uow() as uow:
        uow.tenants.add_binding(binding)
        uow.tenants.confirm_binding(binding.binding_id, customers.SECOND, town.services.clock.now(), customers.FACTS)
        uow.commit()


def _know(town: Town, customer: Customer, number: str, licence: str) -> None:
    records: list[Any] = [
        VolumeLicence(
            record_id=f"{licence} {customer.code}",
            organisation_id=customer.code,
            agreement_id="",
            public_customer_number=f"{number} {customer.code}",
        ),
        Mandate(
            record_id=f"mandate {customer.code}",
            organisation_id=customer.code,
            actor=CONTACT,
            scope="tickets",
            valid_from=LONG_AGO,
        ),
    ]
    with town.services.open_uow() as uow:
        uow.records.save(records, town.services.clock.now())
        uow.commit()


def _submit(town: Town, here: Customer, there: Customer) -> str:
    form = TicketForm(
        reference=f"remap of {here.code}",
        kind=TicketKind.REMAP_AGREEMENT,
        organisation_id=here.code,
        requester=CONTACT,
        given={
            "public_customer_number": f"PCN1 {here.code}",
            "licence_ids": [f"L1 {here.code}"],
            "from_tenant": here.domain,
            "to_tenant": there.domain,
        },
    )
    [taken] = town.services.submit_tickets(DESK, [form])
    return taken.ticket.ticket_id


def _has_vanished(move: Move) -> bool:
    seen = move.town.services.show_tickets.one(OPERATOR, move.ticket_id).move
    return seen is not None and seen.vanished_at is not None


def _prepared(town: Town) -> str:
    [ticket] = [one for one in town.services.show_tickets(OPERATOR) if one.source == "system"]
    form = TicketForm(reference=ticket.reference, kind=ticket.kind, requester=CONTACT)
    town.services.submit_tickets.complete(OPERATOR, ticket.ticket_id, form)
    return ticket.ticket_id


def _shows_nothing_of(town: Town, move: Move, customer: Customer, stranger: Customer) -> None:
    """To whoever reads it for the customer, and in what the customer was told."""
    move.await_state(_T.AWAITING_APPROVAL)
    board = Identity(actor=Actor("client:board"), roles=frozenset({Role.BOARD}), board_id=OrganisationId(customer.code))
    shown = msgspec.json.encode(town.services.show_tickets.one(board, move.ticket_id)).decode()
    told = msgspec.json.encode(town.services.list_notices(customer.code)).decode()
    for secret in (stranger.tenant, stranger.code, stranger.domain, f"t{stranger.tenant[:8]}"):
        assert secret not in shown
        assert secret not in told
