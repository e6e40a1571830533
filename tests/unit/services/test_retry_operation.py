"""What a person lets go on: held, failed, and those whom an ended operation left out."""

import msgspec
import pytest

from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import Actor, MigrationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.services.retry_operation import RetryOperation
from tests.unit.services.fakes_access import OPERATION, OPERATOR, FakeClock, FakeDispatcher, World, an_operation


@pytest.fixture
def world() -> World:
    return World()


def _retry(world: World, dispatcher: FakeDispatcher) -> Operation:
    service = RetryOperation(open_uow=world.open, clock=FakeClock(), dispatcher=dispatcher)
    return service(OPERATOR, OPERATION, "the school has repaired it")


class TestRetrying:
    def test_what_was_held_goes_on_where_it_was(self, world: World) -> None:
        an_operation(world, OperationState.HELD, reason=Reason.POISON, resume_state=OperationState.VERIFYING)
        assert _retry(world, FakeDispatcher()).state is OperationState.VERIFYING

    @pytest.mark.parametrize("reason", [Reason.FIRST_FIVE_FAILED, Reason.GROUP_GONE])
    def test_whose_plan_is_over_is_planned_anew(self, world: World, reason: Reason) -> None:
        an_operation(world, OperationState.HELD, reason=reason, resume_state=OperationState.VERIFYING)
        assert _retry(world, FakeDispatcher()).state is OperationState.PLANNING

    def test_what_ended_with_people_left_out_is_followed_by_another_that_looks_at_them(self, world: World) -> None:
        ended = an_operation(world, OperationState.PARTIALLY_COMPLETED)
        dispatcher = FakeDispatcher()
        follows = _retry(world, dispatcher)
        assert follows.operation_id != ended.operation_id
        assert (follows.state, follows.requested_by) == (OperationState.NEW, OPERATOR.actor)
        assert follows.wish == msgspec.structs.replace(ended.wish, seats_wanted=0)
        assert world.operations[OPERATION] == ended
        assert dispatcher.sent == [follows.operation_id]
        assert world.kinds == ["operation.begun", "operation.retried"]

    @pytest.mark.parametrize("state", [OperationState.HELD, OperationState.FAILED])
    def test_whoever_lets_it_go_on_has_had_a_hand_in_it_since(self, world: World, state: OperationState) -> None:
        an_operation(world, state, reason=Reason.SELECTOR_SHRANK, hands=(Actor("person:before"),))
        assert _retry(world, FakeDispatcher()).hands == ("person:before", OPERATOR.actor)

    def test_whoever_had_a_hand_in_the_first_has_one_in_what_follows(self, world: World) -> None:
        first = an_operation(world, OperationState.PARTIALLY_COMPLETED, hands=(Actor("person:before"),))
        assert _retry(world, FakeDispatcher()).hands == ("person:before", first.requested_by)

    def test_only_one_follows(self, world: World) -> None:
        an_operation(world, OperationState.PARTIALLY_COMPLETED)
        _retry(world, FakeDispatcher())
        with pytest.raises(ConflictError, match="under way"):
            _retry(world, FakeDispatcher())

    @pytest.mark.parametrize("state", sorted(OPERATION_ENDS))
    def test_people_of_a_migration_are_tried_again_by_the_migration(self, world: World, state: OperationState) -> None:
        part = MigrationPart(migration_id=MigrationId("m"), wave=1, phase=Phase.PREPARE)
        ended = an_operation(world, state)
        world.operations[OPERATION] = msgspec.structs.replace(
            ended, wish=msgspec.structs.replace(ended.wish, part=part)
        )
        with pytest.raises(ConflictError, match="migrations retry"):
            _retry(world, FakeDispatcher())
        assert list(world.operations) == [OPERATION]

    def test_what_is_complete_needs_nobody(self, world: World) -> None:
        an_operation(world, OperationState.COMPLETED)
        with pytest.raises(ConflictError, match="nothing to retry"):
            _retry(world, FakeDispatcher())

    def test_it_needs_a_reason(self, world: World) -> None:
        an_operation(world, OperationState.HELD, reason=Reason.POISON)
        service = RetryOperation(open_uow=world.open, clock=FakeClock(), dispatcher=FakeDispatcher())
        with pytest.raises(InputError, match="reason"):
            service(OPERATOR, OPERATION, "  ")
