"""Killed between any two transactions: the sweep repairs, nothing is done twice, nothing is told twice."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.ids import SkuId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.ticket import Ticket, TicketForm, TicketKind, TicketState
from provisioning.services.ticket_work.rebind import RebindWork
from tests.factories import TODAY, tickets
from tests.factories.tickets import BOARD, SCHOOL, SISTER
from tests.factories.trade import MAPPINGS, STAFF, sku_of
from tests.integration.services.ticket_scene import Desk
from tests.unit.planning.scene import person

_O, _T = OperationState, TicketState
Open = Callable[[], SqlUnitOfWork]
A1 = SkuId("94763226-9b3c-4e75-a931-5c89701abe66")
A_PLAN = MAPPINGS.skus[sku_of(STAFF)].plans[0].name
WHOLE_STORY = ["received", "assessed", "approved", "started", "completed"]

crashes = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])


class CrashError(Exception):
    """The process is gone."""


class _Dying:
    """A unit of work whose process dies at its n-th commit, before or after it."""

    def __init__(self, open_uow: Open, at: int, *, after: bool) -> None:
        self._open, self._left, self._after = open_uow, at, after

    def __call__(self) -> SqlUnitOfWork:
        opened = self._open()
        commit = opened.commit

        def dying_commit() -> None:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise CrashError
            commit()
            if self._left == 0:
                raise CrashError

        opened.commit = dying_commit  # type: ignore[method-assign]
        return opened


def dying(desk: Desk, at: int, *, after: bool) -> Desk:
    """The same desk, typed at in a process that dies at its n-th commit."""
    doomed = Desk.__new__(Desk)
    doomed.__dict__.update(desk.__dict__)
    opener = _Dying(desk.open_uow, at, after=after)
    rebind = desk.works[TicketKind.REBIND]
    assert isinstance(rebind, RebindWork)
    look = replace(desk.look_before_rebind, open_uow=opener)
    works = {**desk.works, TicketKind.REBIND: replace(rebind, look=look)}
    for name in ("advance", "submit_tickets", "approve_ticket"):
        service = getattr(desk, name)
        fields = {field: getattr(service, field) for field in service.__dataclass_fields__}
        if "advance" in fields:
            fields["advance"] = doomed.advance
        if "works" in fields:
            fields["works"] = works
        setattr(doomed, name, type(service)(**fields | {"open_uow": opener}))
    return doomed


def through_a_crash(desk: Desk, form: TicketForm, at: int, *, after: bool) -> Ticket:
    """Brought in and approved until the process dies; then by whoever comes after, from what is found."""
    doomed = dying(desk, at, after=after)
    with contextlib.suppress(CrashError):
        doomed.approve(doomed.submit_again(form))
    ticket = desk.submit_again(form)  # the desk had no answer, and asks again
    desk.later(minutes=2)
    ticket = desk.now(ticket)
    if ticket.state is _T.AWAITING_APPROVAL:
        ticket = desk.approve(ticket)
    desk.later(minutes=2)
    return desk.now(ticket)


@pytest.fixture
def desk(open_uow: Open) -> Iterator[Desk]:
    made = Desk(open_uow)
    made.authorise()
    yield made
    with made.open_uow() as uow:  # whatever happened, every entry of the ledger has its other side
        moved = [one for holder in (SCHOOL, SISTER, BOARD) for one in uow.ledger.list_by(holder)]
    assert sum(one.delta for one in moved if one.cause_ref.startswith("ticket")) == 0


@crashes
@pytest.mark.parametrize("at", range(1, 7))
def test_a_transfer_in_the_ledger(desk: Desk, at: int, *, after: bool) -> None:
    ticket = through_a_crash(desk, tickets.form(), at, after=after)
    assert (ticket.state, desk.answers(ticket)) == (_T.COMPLETED, WHOLE_STORY)
    assert (desk.entitled(SCHOOL), desk.entitled(BOARD)) == (0, 40)


@crashes
@pytest.mark.parametrize("at", range(1, 9))
def test_a_binding(desk: Desk, at: int, *, after: bool) -> None:
    """Also while whom it would choose was counted and not yet stored, or stored and the ticket not yet moved."""
    desk.gateway.settle(desk.away.tenant_id, person("new"))
    given = {"organisation": SCHOOL, "tenant": desk.away.tenant_id, "valid_from": TODAY.isoformat()}
    ticket = through_a_crash(desk, tickets.form(kind=TicketKind.REBIND, given=given), at, after=after)
    assert (ticket.state, desk.answers(ticket)) == (_T.COMPLETED, WHOLE_STORY)
    with desk.open_uow() as uow:
        [binding] = uow.tenants.bindings_of(SCHOOL, TODAY)
        look = uow.rebind_looks.find(ticket.ticket_id)
    assert (binding.tenant_id, binding.is_confirmed) == (desk.away.tenant_id, True)
    assert look is not None
    assert (look.total.selected, desk.gateway.asked[desk.away.tenant_id] <= 2) == (1, True)


@crashes
@pytest.mark.parametrize("at", range(1, 7))
def test_a_policy(desk: Desk, at: int, *, after: bool) -> None:
    given = {"tenant": desk.home.tenant_id, "sku_id": sku_of(STAFF), "off": [A_PLAN]}
    ticket = through_a_crash(desk, tickets.form(kind=TicketKind.SERVICE_PLAN_POLICY, given=given), at, after=after)
    assert (ticket.state, desk.answers(ticket)) == (_T.COMPLETED, WHOLE_STORY)
    with desk.open_uow() as uow:
        policies = uow.tenants.list_policies(desk.home.tenant_id)
    assert [one.asked_by for one in policies] == [ticket.cause]


class TestRemaps:
    """Their operations live on by themselves; what dies is whoever looks after the ticket."""

    def _form(self) -> TicketForm:
        given = {"organisations": [SCHOOL, SISTER], "from_sku": A1, "to_sku": sku_of(STAFF)}
        return tickets.form(kind=TicketKind.CHANGE_SKU, given=given)

    @crashes
    @pytest.mark.parametrize("at", range(1, 4))
    def test_begin_once(self, desk: Desk, at: int, *, after: bool) -> None:
        form = self._form()
        with pytest.raises(CrashError):
            dying(desk, at, after=after).submit_again(form)
        ticket = desk.submit_again(form)
        desk.later(minutes=2)
        assert desk.now(ticket).state is _T.ASSESSING
        assert len(desk.operations(ticket)) == 1
        assert desk.answers(ticket) == ["received"]

    @crashes
    @pytest.mark.parametrize("at", range(1, 3))
    def test_are_approved_with_the_ticket_or_not_at_all(self, desk: Desk, at: int, *, after: bool) -> None:
        ticket = desk.submit_again(self._form())
        [operation] = desk.operations(ticket)
        desk.draw(operation)
        desk.later(seconds=10)
        with pytest.raises(CrashError):
            dying(desk, at, after=after).approve(desk.now(ticket))
        went_through = at > 1 or after
        [operation] = desk.operations(ticket)
        assert (desk.now(ticket).state is _T.RUNNING) is (operation.state is _O.APPLYING) is went_through
        if not went_through:
            desk.approve(desk.now(ticket))
        assert self._ended(desk, ticket) == WHOLE_STORY

    def _ended(self, desk: Desk, ticket: Ticket) -> list[str]:
        [operation] = desk.operations(ticket)
        fields: dict[str, Any] = {"due_at": None}
        desk.bring(operation, _O.VERIFYING)
        desk.bring(operation, _O.COMPLETED, **fields)
        desk.later(minutes=2)
        return desk.answers(ticket)
