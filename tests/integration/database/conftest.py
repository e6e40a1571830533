"""Worlds that most of these tests begin in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.ids import SubjectId
from provisioning.domain.operation import Attempt, Operation, StepRecord
from provisioning.domain.tenancy import Organisation, Tenant
from provisioning.domain.worklist import Lease
from provisioning.planning.plan import Plan
from tests.factories import NOW, tenancy
from tests.factories import operations as make

Open = Callable[[], SqlUnitOfWork]
A_DAY = timedelta(days=1)


@pytest.fixture
def uow(open_uow: Open) -> Iterator[SqlUnitOfWork]:
    """One transaction, rolled back at the end unless the test commits it."""
    with open_uow() as opened:
        yield opened


@pytest.fixture
def board(open_uow: Open) -> Organisation:
    made = tenancy.organisation(organisation_id="41000")
    with open_uow() as uow:
        uow.organisations.save([made])
        uow.commit()
    return made


@pytest.fixture
def tenant(open_uow: Open) -> Tenant:
    made = tenancy.tenant()
    with open_uow() as uow:
        uow.tenants.save(made)
        uow.commit()
    return made


@pytest.fixture
def operation(open_uow: Open, tenant: Tenant) -> Operation:
    made = make.operation(tenant.tenant_id)
    with open_uow() as uow:
        uow.operations.add(made)
        uow.commit()
    return made


def store(uow: SqlUnitOfWork, plan: Plan) -> Plan:
    """As the planning service does."""
    people = [subject.subject_id for subject in plan.subjects]
    uow.plans.add(plan, uow.audit.pseudonyms(plan.tenant_id, people), sku=make.A3, valid_until=NOW + A_DAY)
    return plan


@dataclass(frozen=True)
class Work:
    """A stored plan with three people, and the lease on its tenant."""

    operation: Operation
    plan: Plan
    people: list[SubjectId]
    lease: Lease

    def attempts(self, records: list[StepRecord]) -> list[Attempt]:
        return [make.attempt(record, self.operation.tenant_id, fence=self.lease.fence) for record in records]


@pytest.fixture
def work(uow: SqlUnitOfWork, operation: Operation) -> Work:
    people = make.people(3)
    plan = store(uow, make.plan(operation, people))
    lease = uow.leases.take(f"tenant:{operation.tenant_id}", "worker-1", NOW, timedelta(seconds=30))
    assert lease is not None
    return Work(operation, plan, people, lease)
