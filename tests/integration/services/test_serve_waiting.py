"""Two sessions at once on PostgreSQL: both see who waits, and both see free seats; one of them serves."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from threading import Barrier
from typing import cast

import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState, SubjectState
from provisioning.domain.observation import SeatCount, Seats
from provisioning.domain.operation import Operation
from provisioning.ports import LicenceGateway
from provisioning.services.customer_turn import await_customer_turn
from provisioning.services.retry_operation import RetryOperation
from provisioning.services.serve_waiting import ServeWaiting
from tests.factories import NOW, tenancy
from tests.factories import operations as make
from tests.fakes import FakeClock, FakeDispatcher
from tests.integration.database.conftest import store

OpenUow = Callable[[], SqlUnitOfWork]
OPERATOR = Identity(actor=tenancy.SECOND, roles=frozenset({Role.OPERATOR}))


_FREE = SeatCount(
    sku_id=make.A3,
    part_number="A3",
    capability="Enabled",
    enabled=50,
    warning=0,
    suspended=0,
    locked_out=0,
    consumed=0,
    plan_ids=frozenset(),
)


class _BothLook:
    """A tenant with free seats, which answers once both have asked."""

    def __init__(self) -> None:
        self._both = Barrier(2, timeout=20)

    def observe_seats(self, tenant: TenantId) -> Seats:
        self._both.wait()
        return Seats(tenant_id=tenant, observed_at=NOW, counts={make.A3: _FREE}, subscriptions=())


@pytest.fixture
def ended(open_uow: OpenUow) -> Operation:
    """For three people there was no seat."""
    home = tenancy.tenant()
    ended = make.operation(home.tenant_id, state=OperationState.PARTIALLY_COMPLETED, due_at=None)
    waiting = tuple(make.subject(each, state=SubjectState.WAITING) for each in make.people(3))
    with open_uow() as uow:
        uow.tenants.save(home)
        uow.tenants.add_policy(tenancy.policy(home.tenant_id))
        uow.operations.add(ended)
        store(uow, make.plan(ended, subjects=waiting, steps=()))
        uow.commit()
    return ended


def successors(open_uow: OpenUow, ended: Operation) -> list[Operation]:
    with open_uow() as uow:
        return uow.operations.list_by(set(OperationState) - OPERATION_ENDS, ended.tenant_id)


def not_yet(attempt: Future[Operation]) -> bool:
    with pytest.raises(NotYet):
        attempt.result(timeout=0.3)
    return True


def retry(open_uow: OpenUow, ended: Operation) -> Operation:
    service = RetryOperation(open_uow=open_uow, clock=FakeClock(NOW), dispatcher=FakeDispatcher())
    return service(OPERATOR, ended.operation_id, "there are seats now")


def test_two_who_try_again_at_once_serve_them_once(open_uow: OpenUow, ended: Operation) -> None:
    with ThreadPoolExecutor(2) as both:
        with open_uow() as uow:
            await_customer_turn(uow, [ended.wish.holder_id], NOW)
            tries = [both.submit(retry, open_uow, ended) for _ in range(2)]
            assert [not_yet(one) for one in tries] == [True, True]
            uow.commit()
        errors = [error for one in tries if (error := one.exception(timeout=20))]
    assert [type(error) for error in errors] == [ConflictError]
    assert len(successors(open_uow, ended)) == 1


def test_two_rounds_at_once_serve_them_once(open_uow: OpenUow, ended: Operation) -> None:
    service = ServeWaiting(
        open_uow=open_uow,
        gateway=cast(LicenceGateway, _BothLook()),
        dispatcher=FakeDispatcher(),
        clock=FakeClock(NOW),
    )
    with ThreadPoolExecutor(2) as both:
        begun = [one.result(timeout=30) for one in [both.submit(service) for _ in range(2)]]
    assert sorted(begun) == [0, 1]
    assert len(successors(open_uow, ended)) == 1
