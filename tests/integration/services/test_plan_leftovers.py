"""The release of what a moved agreement left behind: whose, when, and never on a contradiction (L3, L5)."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from config.limits import default_limits
from provisioning.database.unit_of_work import SqlUnitOfWork
from provisioning.domain.errors import RetryableError
from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.services.agreement.still_left_behind import StillLeftBehind
from provisioning.services.finish_operation import FinishOperation
from provisioning.services.plan_leftovers import PlanLeftovers, is_leftover
from provisioning.services.tenant_trouble import TenantTrouble
from tests.factories import operations as make
from tests.factories import tenancy
from tests.factories.tickets import SCHOOL, SISTER
from tests.factories.trade import MAPPINGS, STAFF, sku_of
from tests.integration.services.ticket_scene import Desk
from tests.unit.planning.scene import person

Open = Callable[[], SqlUnitOfWork]
A3 = sku_of(STAFF)
LIMITS = default_limits()


class Leftovers:
    """A school whose 40 seats were moved away: the ledger knows, and its three people still hold the licence."""

    def __init__(self, open_uow: Open) -> None:
        self.desk = desk = Desk(open_uow)
        self.tenant = desk.home.tenant_id
        desk.buy(SCHOOL, -40)
        desk.gateway.settle(self.tenant, *(person(f"x{n}", HeldLicence(A3)) for n in range(3)))
        with open_uow() as uow:
            uow.tenants.add_policy(tenancy.policy(self.tenant))
            for one in uow.tenants.bindings_of(SISTER, desk.clock.now().date()):
                uow.tenants.end_binding(one.binding_id, desk.clock.now().date() - timedelta(days=1))
            uow.commit()
        wish = msgspec.structs.replace(
            make.wish(), sku_id=A3, holder_id=SCHOOL, organisations=(SCHOOL,), replaces=frozenset(), seats_wanted=0
        )
        self.operation = make.operation(
            self.tenant, kind=OperationKind.RELEASE, wish=wish, state=OperationState.PLANNING
        )
        with open_uow() as uow:
            uow.operations.add(self.operation)
            uow.commit()
        self.plan_leftovers = PlanLeftovers(
            open_uow=open_uow,
            gateway=desk.gateway,
            clock=desk.clock,
            limits=LIMITS,
            mappings=MAPPINGS,
            trouble=TenantTrouble(open_uow, desk.clock, LIMITS),
            finish=FinishOperation(desk.clock),
        )

    def draw(self) -> Operation:
        with self.desk.open_uow() as uow:
            lease = uow.leases.take(f"tenant:{self.tenant}", "worker", self.desk.clock.now(), LIMITS.lease_duration)
            uow.commit()
        assert lease is not None
        self.plan_leftovers(self.operation, lease)
        with self.desk.open_uow() as uow:
            return uow.operations.get(self.operation.operation_id)

    def people(self) -> dict[SubjectId, tuple[SubjectState, Reason | None]]:
        with self.desk.open_uow() as uow:
            found = uow.journal.subjects(self.operation.operation_id)
        return {one.subject_id: (one.state, one.reason) for one in found}


@pytest.fixture
def left(open_uow: Open) -> Leftovers:
    return Leftovers(open_uow)


class TestPlanLeftovers:
    def test_waits_for_an_approver_with_one_removal_for_each(self, left: Leftovers) -> None:
        drawn = left.draw()
        assert (drawn.state, drawn.reason) == (OperationState.AWAITING_APPROVAL, Reason.APPROVAL_NEEDED)
        with left.desk.open_uow() as uow:
            plan = uow.plans.current(drawn.operation_id)
        assert plan is not None
        assert set(left.people().values()) == {(SubjectState.PENDING, None)}

    def test_seats_that_are_back_hold_it(self, left: Leftovers) -> None:
        left.desk.gateway.sell(left.tenant, A3, 40)
        drawn = left.draw()
        assert (drawn.state, drawn.reason) == (OperationState.HELD, Reason.SEATS_BACK)
        assert left.people() == {}

    def test_a_holder_that_bought_again_keeps_all(self, left: Leftovers) -> None:
        left.desk.buy(SCHOOL, 5)
        assert left.draw().reason is Reason.SEATS_BACK

    def test_seats_of_others_are_no_contradiction(self, left: Leftovers) -> None:
        left.desk.buy(SISTER, 10)
        left.desk.gateway.sell(left.tenant, A3, 10)
        assert left.draw().state is OperationState.AWAITING_APPROVAL

    def test_whom_a_sister_school_speaks_of_too_keeps_it(self, left: Leftovers) -> None:
        with left.desk.open_uow() as uow:
            uow.tenants.add_binding(tenancy.binding(SISTER, left.tenant))
            uow.commit()
        left.draw()
        assert set(left.people().values()) == {(SubjectState.REFUSED, Reason.SCOPE_UNDECIDABLE)}

    def test_with_nobody_left_it_is_over(self, left: Leftovers) -> None:
        left.desk.gateway.people[left.tenant] = [person("x0")]
        assert left.draw().state is OperationState.COMPLETED

    def test_without_a_binding_it_waits_for_a_person(self, left: Leftovers) -> None:
        with left.desk.open_uow() as uow:
            today = left.desk.clock.now().date()
            for one in uow.tenants.bindings_of(SCHOOL, today):
                uow.tenants.end_binding(one.binding_id, today - timedelta(days=1))
            uow.commit()
        assert left.draw().reason is Reason.TENANT_NOT_BOUND

    def test_microsoft_away_is_tried_again(self, left: Leftovers) -> None:
        left.desk.gateway.trouble[left.tenant] = RetryableError("Away.", Reason.NO_ANSWER)
        drawn = left.draw()
        assert drawn.state is OperationState.PLANNING
        assert drawn.due_at is not None


class TestStillLeftBehind:
    def _asks(self, left: Leftovers) -> StillLeftBehind:
        return StillLeftBehind(
            open_uow=left.desk.open_uow,
            gateway=left.desk.gateway,
            clock=left.desk.clock,
        )

    def test_until_the_seats_are_back(self, left: Leftovers) -> None:
        assert self._asks(left)(left.operation)
        left.desk.gateway.sell(left.tenant, A3, 1)
        assert not self._asks(left)(left.operation)

    def test_asks_nothing_for_other_work(self, left: Leftovers) -> None:
        delivery = msgspec.structs.replace(left.operation, kind=OperationKind.DELIVER)
        assert self._asks(left)(delivery)
        assert left.desk.gateway.asked[left.tenant] == 0
        assert not is_leftover(delivery)
        assert is_leftover(left.operation)
