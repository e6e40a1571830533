"""New seats serve those who wait, except people of a migration: whoever steers that decides."""

import msgspec

from provisioning.domain.ids import OperationId, SkuId, TenantId, TicketId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.migration import Phase
from provisioning.domain.operation import Lane, Operation, OperationKind
from provisioning.domain.remap import RemapPart
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.ports import WaitingList
from provisioning.services.serve_waiting import ServeWaiting
from provisioning.services.successor import is_under_way
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


def a_remap(world: World, state: OperationState) -> Operation:
    plain = an_operation(world, state, kind=OperationKind.REMAP, lane=Lane.BULK, operation_id=OperationId("remap"))
    wish = msgspec.structs.replace(plain.wish, remap=RemapPart(from_sku=SkuId("a1"), ticket_id=TicketId("t")))
    world.operations[plain.operation_id] = msgspec.structs.replace(plain, wish=wish)
    return world.operations[plain.operation_id]


class TestServeWaiting:
    def test_people_of_an_order_are_served_by_another_operation(self) -> None:
        world = World()
        ended = an_operation(world, OperationState.PARTIALLY_COMPLETED)
        wait(world, ended.operation_id, TENANT)
        assert serve(world)[0] == 1
        assert len(world.operations) == 2

    def test_who_waits_for_a_remap_is_followed_by_the_same_remap(self) -> None:
        world = World()
        ended = a_remap(world, OperationState.PARTIALLY_COMPLETED)
        wait(world, ended.operation_id, TENANT)
        assert serve(world)[0] == 1
        [again] = [one for one in world.operations.values() if one.operation_id != ended.operation_id]
        assert (again.kind, again.lane, again.wish.remap) == (OperationKind.REMAP, Lane.BULK, ended.wish.remap)

    def test_an_open_order_does_not_take_the_people_of_a_remap_along_nor_the_reverse(self) -> None:
        """The one serves whoever is selected, the other only who has the old product."""
        world = World()
        remap = a_remap(world, OperationState.PARTIALLY_COMPLETED)
        order = an_operation(world, OperationState.APPLYING)
        assert remap.operation_id != order.operation_id
        with world.open() as uow:
            assert not is_under_way(uow, remap)
            assert is_under_way(uow, order)
        wait(world, remap.operation_id, TENANT)
        assert serve(world)[0] == 1

    def test_people_of_a_migration_are_left_to_who_steers_it(self) -> None:
        world = World()
        a_merger(world)
        worked(world, OPEN, Phase.PREPARE, ["hugo"], state=OperationState.PARTIALLY_COMPLETED)
        wait(world, OPEN, TARGET)
        begun, gateway = serve(world)
        assert begun == 0
        assert gateway.calls == []
