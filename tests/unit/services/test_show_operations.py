from datetime import datetime

import msgspec
import pytest

from provisioning.domain.errors import ConflictError, InputError, NotAllowedError, TransitionError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, OperationId, TenantId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.reasons import Reason
from provisioning.services.retry_operation import RetryOperation
from provisioning.services.show_operations import ShowOperations
from provisioning.services.show_tenants import ShowTenants
from provisioning.services.stop_writes import StopWrites
from tests.unit.services.fakes_access import (
    APPROVER,
    NOW,
    OPERATION,
    OPERATOR,
    TENANT,
    FakeClock,
    FakeDispatcher,
    World,
    a_binding,
    a_tenant,
    an_operation,
)

HELD, FAILED, PLANNING = OperationState.HELD, OperationState.FAILED, OperationState.PLANNING


@pytest.fixture
def world() -> World:
    world = World()
    a_tenant(world)
    return world


@pytest.fixture
def dispatcher() -> FakeDispatcher:
    return FakeDispatcher()


def retry(
    world: World, dispatcher: FakeDispatcher, reason: str = "seats arrived", identity: object = OPERATOR
) -> object:
    return RetryOperation(open_uow=world.open, clock=FakeClock(), dispatcher=dispatcher)(identity, "77aa", reason)


class TestRetryOperation:
    @pytest.mark.parametrize(
        ("state", "was", "goes_on"),
        [
            pytest.param(HELD, OperationState.APPLYING, OperationState.APPLYING, id="held while applying"),
            pytest.param(HELD, OperationState.AWAITING_SEATS, OperationState.AWAITING_SEATS, id="held while waiting"),
            pytest.param(HELD, OperationState.AWAITING_APPROVAL, PLANNING, id="held at approval is planned anew"),
            pytest.param(HELD, None, OperationState.NEW, id="held from the beginning"),
            pytest.param(FAILED, None, OperationState.NEW, id="failed begins anew"),
        ],
    )
    def test_it_goes_on_where_it_was(
        self,
        world: World,
        dispatcher: FakeDispatcher,
        state: OperationState,
        was: OperationState | None,
        goes_on: OperationState,
    ) -> None:
        an_operation(world, state, resume_state=was, reason=Reason.POISON, lost_attempts=5)
        operation = retry(world, dispatcher)
        assert (operation.state, operation.reason, operation.lost_attempts) == (goes_on, None, 0)
        assert operation.due_at == NOW
        assert dispatcher.sent == [OPERATION]

    def test_who_and_why_are_written_down(self, world: World, dispatcher: FakeDispatcher) -> None:
        an_operation(world, HELD, resume_state=PLANNING, reason=Reason.POISON)
        retry(world, dispatcher)
        (event,) = [x for x in world.events if x.kind == "operation.retried"]
        assert (event.actor, event.before, event.reason) == (OPERATOR.actor, Reason.POISON, "seats arrived")

    @pytest.mark.parametrize(
        "state", sorted(set(OperationState) - {HELD, FAILED, OperationState.PARTIALLY_COMPLETED}), ids=str
    )
    def test_what_waits_for_nobody_is_left_alone(
        self, world: World, dispatcher: FakeDispatcher, state: OperationState
    ) -> None:
        before = an_operation(world, state)
        with pytest.raises(ConflictError, match="nothing to retry"):
            retry(world, dispatcher)
        assert world.operations[OPERATION] == before
        assert dispatcher.sent == []

    def test_a_reason_is_needed(self, world: World, dispatcher: FakeDispatcher) -> None:
        an_operation(world, HELD)
        with pytest.raises(InputError, match="needs a reason"):
            retry(world, dispatcher, " ")

    def test_an_approver_does_not_retry(self, world: World, dispatcher: FakeDispatcher) -> None:
        an_operation(world, HELD)
        with pytest.raises(NotAllowedError):
            retry(world, dispatcher, identity=APPROVER)

    def test_no_retry_ever_asks_the_state_machine_for_the_impossible(
        self, world: World, dispatcher: FakeDispatcher
    ) -> None:
        for was in OperationState:
            an_operation(world, HELD, resume_state=was)
            try:
                retry(world, dispatcher)
            except TransitionError:
                pytest.fail(f"held while {was}")


class TestShowOperations:
    def test_by_state_and_tenant(self, world: World) -> None:
        an_operation(world, HELD)
        other = an_operation(world, PLANNING, operation_id=OperationId("88bb0000"), tenant_id=TenantId("t2"))
        show = ShowOperations(open_uow=world.open, foretell=dict)
        assert [x.operation_id for x in show()] == [OPERATION, other.operation_id]
        assert [x.operation_id for x in show([HELD])] == [OPERATION]
        assert [x.operation_id for x in show(tenant="school.nl")] == [OPERATION]

    @pytest.mark.parametrize("state", [OperationState.APPLYING, OperationState.VERIFYING])
    def test_what_is_being_written_says_until_when(self, world: World, state: OperationState) -> None:
        operation = an_operation(world, state)
        show = ShowOperations(open_uow=world.open, foretell=lambda: {OPERATION: NOW})
        (row,) = show()
        assert row.writes_done_at == NOW
        assert {name: getattr(row, name) for name in operation.__struct_fields__} == msgspec.structs.asdict(operation)
        assert show.one("77aa").writes_done_at == NOW

    def test_nothing_is_foretold_when_nobody_writes(self, world: World) -> None:
        an_operation(world, HELD)

        def foretell() -> dict[OperationId, datetime]:
            pytest.fail("asked in vain")

        show = ShowOperations(open_uow=world.open, foretell=foretell)
        assert (show()[0].writes_done_at, show.one("77aa").writes_done_at) == (None, None)

    def test_one_with_everything_that_happened_in_it(self, world: World) -> None:
        operation = an_operation(world, HELD)
        event = Event(at=NOW, actor=SYSTEM, kind="operation.held", operation=OPERATION)
        world.events = [event, Event(at=NOW, actor=SYSTEM, kind="order.received")]
        sheet = ShowOperations(open_uow=world.open, foretell=dict).one("77aa")
        assert (sheet.operation, sheet.tenant, sheet.events) == (operation, world.tenants[TENANT], [event])
        assert sheet.people == {SubjectState.PENDING: 0}


class TestShowTenants:
    def test_by_domain(self, world: World) -> None:
        a_tenant(world, TenantId("2222"), "academy.onmicrosoft.com")
        shown = ShowTenants(open_uow=world.open, clock=FakeClock())()
        assert [x.initial_domain for x in shown] == ["academy.onmicrosoft.com", "school.onmicrosoft.com"]

    def test_one_with_all_that_hangs_on_it(self, world: World) -> None:
        binding, operation = a_binding(world), an_operation(world, HELD)
        for scope in ("all", "tenant:1111", "kind:remap"):
            StopWrites(open_uow=world.open, clock=FakeClock())(OPERATOR, scope, "r")
        sheet = ShowTenants(open_uow=world.open, clock=FakeClock()).one("school.nl")
        assert (sheet.bindings, sheet.operations, sheet.proposals) == ([binding], [operation], [])
        assert [x.scope for x in sheet.stops] == ["all", f"tenant:{TENANT}"]
