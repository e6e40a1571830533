"""Two sessions at once on PostgreSQL: the same ticket twice, the same approval twice, a transfer and an order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import Actor
from provisioning.domain.operation import Operation
from provisioning.domain.records import RecordKind
from provisioning.domain.ticket import TicketKind, TicketState
from provisioning.services.customer_turn import await_customer_turn
from provisioning.services.ticket_work.remap_holder import RemapHolderWork
from tests.factories import NOW, TODAY, tenancy, tickets
from tests.factories.tickets import BOARD, SCHOOL
from tests.factories.trade import entry
from tests.integration.services.ticket_scene import APPROVER, Desk

Open = Callable[[], SqlUnitOfWork]


@pytest.fixture
def desk(open_uow: Open) -> Desk:
    made = Desk(open_uow)
    made.authorise()
    return made


def test_the_same_ticket_from_two_workers_is_one(desk: Desk) -> None:
    form = tickets.form()
    with ThreadPoolExecutor(2) as both:
        tries = [both.submit(desk.submit_again, form) for _ in range(2)]
        taken = [one.result(timeout=20) for one in tries]
    assert taken[0].ticket_id == taken[1].ticket_id
    [ticket] = desk.show(APPROVER)
    desk.later(minutes=2)
    assert desk.now(ticket).state is TicketState.AWAITING_APPROVAL
    assert desk.answers(ticket) == ["received", "assessed"]


def test_two_who_approve_at_once_transfer_once(desk: Desk) -> None:
    ticket = desk.submit()
    second = msgspec.structs.replace(APPROVER, actor=Actor("person:second-approver"))
    with ThreadPoolExecutor(2) as both:
        tries = [both.submit(desk.approve, ticket, who) for who in (APPROVER, second)]
        errors = [error for one in tries if (error := one.exception(timeout=20))]
    assert all(isinstance(error, ConflictError) for error in errors)
    desk.later(minutes=2)
    assert desk.now(ticket).state is TicketState.COMPLETED
    assert (desk.entitled(SCHOOL), desk.entitled(BOARD)) == (0, 40)
    assert desk.answers(ticket) == ["received", "assessed", "approved", "started", "completed"]


def test_a_transfer_waits_for_whoever_judges_an_order_of_the_same_school(desk: Desk, open_uow: Open) -> None:
    ticket = desk.submit()
    with ThreadPoolExecutor(1) as other:
        with open_uow() as uow:
            await_customer_turn(uow, [SCHOOL], NOW)
            approving = other.submit(desk.approve, ticket)
            with pytest.raises(NotYet):
                approving.result(timeout=0.3)
            uow.commit()
        assert approving.result(timeout=20).state is TicketState.COMPLETED


def test_what_changed_while_the_approval_waited_is_not_transferred(desk: Desk, open_uow: Open) -> None:
    ticket = desk.submit()
    with ThreadPoolExecutor(1) as other:
        with open_uow() as uow:
            await_customer_turn(uow, [SCHOOL], NOW)
            approving = other.submit(desk.approve, ticket)
            with pytest.raises(NotYet):
                approving.result(timeout=0.3)
            uow.ledger.append([entry(delta=7, tenant_id=desk.home.tenant_id, holder_id=SCHOOL)])
            uow.commit()
        with pytest.raises(ConflictError, match="is not what you saw"):
            approving.result(timeout=20)
    assert (desk.entitled(SCHOOL), desk.entitled(BOARD)) == (47, 0)
    assert desk.now(ticket) == ticket


@dataclass(frozen=True, kw_only=True)
class _LookedAt(RemapHolderWork):
    """Work at which workers look while it is being approved."""

    lookers: list[str]

    def approve(self, *given: Any) -> list[Operation]:
        begun = RemapHolderWork.approve(self, *given)
        if self.lookers:
            raise ConflictError(f"changed by {self.lookers.pop()} since it was read")
        return begun


def test_a_worker_that_looks_at_the_same_moment_does_not_take_the_approval_away(desk: Desk) -> None:
    ticket = desk.submit()
    works = {**desk.works, TicketKind.REMAP_HOLDER: _LookedAt(clock=desk.clock, lookers=["one", "another"])}
    approved = replace(desk.approve_ticket, works=works)(APPROVER, ticket.ticket_id, ticket.digest or "")
    assert approved.state is TicketState.COMPLETED
    assert (desk.entitled(SCHOOL), desk.entitled(BOARD)) == (0, 40)
    assert desk.kinds(ticket).count("ticket.approved") == 1
    assert desk.answers(ticket) == ["received", "assessed", "approved", "started", "completed"]


class TestWhatTicketsNeedOfOtherStores:
    def test_a_binding_ends_on_a_day_on_which_it_is_valid_and_on_no_other(self, desk: Desk, open_uow: Open) -> None:
        made = tenancy.binding(BOARD, desk.away.tenant_id, valid_from=TODAY)
        with open_uow() as uow:
            uow.tenants.add_binding(made)
            with pytest.raises(ConflictError, match="cannot end"):
                uow.tenants.end_binding(made.binding_id, TODAY - timedelta(days=1))
            uow.tenants.end_binding(made.binding_id, TODAY)
            with pytest.raises(ConflictError, match="cannot end"):
                uow.tenants.end_binding(made.binding_id, TODAY + timedelta(days=1))
            assert uow.tenants.bindings_of(BOARD, TODAY + timedelta(days=1)) == []

    def test_the_author_of_a_record_is_who_wrote_it_as_it_is(self, desk: Desk, open_uow: Open) -> None:
        first, second = Actor("person:first"), Actor("person:second")
        record = tickets.mandate(record_id="x")
        with open_uow() as uow:
            uow.records.save([record], NOW, first)
            uow.records.save([record], NOW, second)  # nothing in it is new
            assert uow.records.author(RecordKind.MANDATE, "x") == first
            uow.records.save([tickets.mandate(record_id="x", valid_until=TODAY)], NOW, second)
            assert uow.records.author(RecordKind.MANDATE, "x") == second
            assert uow.records.author(RecordKind.MANDATE, "unknown") is None
        assert desk.show(APPROVER) == []

    def test_a_ticket_that_another_moved_is_not_overwritten(self, desk: Desk, open_uow: Open) -> None:
        ticket = desk.submit()
        with open_uow() as uow:
            uow.tickets.save(msgspec.structs.replace(ticket, reason=None))
            with pytest.raises(ConflictError, match="changed since it was read"):
                uow.tickets.save(ticket)
            with pytest.raises(InputError, match="no ticket"):
                uow.tickets.get(tickets.ticket().ticket_id)
