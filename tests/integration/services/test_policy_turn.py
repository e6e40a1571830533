"""Two sessions at once on PostgreSQL: a policy comes into force, and a delivery is about to end by the old one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.tenancy import AssignmentMode, Tenant
from provisioning.services.approve_policy import ApprovePolicy
from provisioning.services.policy_turn import await_policy_turn
from tests.factories import NOW, orders, tenancy
from tests.factories import operations as make
from tests.fakes import FakeClock, FakeDispatcher

OpenUow = Callable[[], SqlUnitOfWork]
APPROVER = Identity(actor=tenancy.SECOND, roles=frozenset({Role.APPROVER}))
LINE = LineKey("shop", "1042", "1")


@pytest.fixture
def tenant(open_uow: OpenUow) -> Tenant:
    """One in which the school assigns, with a delivery that only placed seats and a proposal to do more."""
    home = tenancy.tenant()
    ended = make.operation(home.tenant_id, state=OperationState.COMPLETED, wish=make.wish(line=LINE), due_at=None)
    holder = ended.wish.holder_id
    with open_uow() as uow:
        uow.tenants.save(home)
        uow.organisations.save([tenancy.organisation(organisation_id=holder)])
        uow.operations.add(ended)
        uow.ledger.append([orders.ledger_entry(holder, home.tenant_id, cause_ref=str(LINE))])
        uow.tenants.add_policy(tenancy.policy(home.tenant_id, approved_by=None))
        uow.commit()
    return home


def approve(open_uow: OpenUow, tenant: Tenant, digest: str) -> object:
    service = ApprovePolicy(open_uow=open_uow, clock=FakeClock(NOW), dispatcher=FakeDispatcher())
    return service(APPROVER, tenant.tenant_id, digest)


def followers(open_uow: OpenUow, tenant: Tenant) -> int:
    with open_uow() as uow:
        return len(uow.operations.list_by({OperationState.NEW}, tenant.tenant_id))


def proposal(open_uow: OpenUow, tenant: Tenant) -> str:
    with open_uow() as uow:
        return uow.tenants.list_policies(tenant.tenant_id)[0].digest


def test_a_policy_waits_for_a_delivery_that_is_about_to_end_and_takes_it_up(open_uow: OpenUow, tenant: Tenant) -> None:
    late = make.operation(tenant.tenant_id, state=OperationState.COMPLETED, wish=make.wish(line=LINE), due_at=None)
    with ThreadPoolExecutor(1) as other:
        with open_uow() as uow:
            await_policy_turn(uow, tenant.tenant_id, NOW)
            approving = other.submit(approve, open_uow, tenant, proposal(open_uow, tenant))
            with pytest.raises(NotYet):
                approving.result(timeout=0.3)
            assert uow.tenants.policy_on(tenant.tenant_id, NOW.date()).assignment_mode is AssignmentMode.NONE
            uow.operations.add(late)
            uow.commit()
        approving.result(timeout=10)
    with open_uow() as uow:
        [follows] = uow.operations.list_by({OperationState.NEW}, tenant.tenant_id)
        [begun] = uow.audit.list_by(operation=follows.operation_id)
    assert follows.wish.line == LINE
    assert begun.kind == "operation.begun"


def test_two_who_approve_at_once_make_one_follower(open_uow: OpenUow, tenant: Tenant) -> None:
    digest = proposal(open_uow, tenant)
    with ThreadPoolExecutor(2) as both:
        tries = [both.submit(approve, open_uow, tenant, digest) for _ in range(2)]
        failures = [error for one in tries if (error := one.exception(timeout=10))]
    assert [isinstance(error, (ConflictError, InputError)) for error in failures] == [True]
    assert followers(open_uow, tenant) == 1
