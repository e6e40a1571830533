"""New seats serve those who wait, except people of a migration: whoever steers that decides."""

from provisioning.domain.ids import OperationId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.ports import WaitingList
from provisioning.services.serve_waiting import ServeWaiting
from tests.unit.services.fakes_access import (
    A3,
    APPROVER,
    NOW,
    TENANT,
    FakeClock,
    FakeDispatcher,
    FakeGateway,
    World,
    an_operation,
)
from tests.unit.services.migration_scene import OPEN, TARGET, a_merger, worked


def serve(world: World) -> tuple[int, FakeGateway]:
    gateway = FakeGateway()
    gateway.show(50)
    service = ServeWaiting(
        open_uow=world.open,
        gateway=gateway,  # type: ignore[arg-type]  # the part of it that is asked
        dispatcher=FakeDispatcher(),
        clock=FakeClock(),
    )
    return service(), gateway


def wait(world: World, operation: OperationId, tenant: TenantId) -> None:
    policy = {"valid_from": NOW.date(), "assignment_mode": AssignmentMode.DIRECT, "approved_by": APPROVER.actor}
    world.policies.append(Policy(tenant_id=tenant, **policy))  # type: ignore[arg-type]  # a mapping of several types
    world.waiting.append(WaitingList(tenant_id=tenant, sku_id=A3, operation_id=operation, people=3, since=NOW))


class TestServeWaiting:
    def test_people_of_an_order_are_served_by_another_operation(self) -> None:
        world = World()
        ended = an_operation(world, OperationState.PARTIALLY_COMPLETED)
        wait(world, ended.operation_id, TENANT)
        assert serve(world)[0] == 1
        assert len(world.operations) == 2

    def test_people_of_a_migration_are_left_to_who_steers_it(self) -> None:
        world = World()
        a_merger(world)
        worked(world, OPEN, Phase.PREPARE, ["hugo"], state=OperationState.PARTIALLY_COMPLETED)
        wait(world, OPEN, TARGET)
        begun, gateway = serve(world)
        assert begun == 0
        assert gateway.calls == []
