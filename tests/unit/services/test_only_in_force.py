from datetime import timedelta

import pytest

from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.services.only_in_force import LOOK_AGAIN, only_in_force
from tests.unit.services.fakes_access import NOW, FakeClock, World, an_operation

LEASE = Lease(name="tenant:t", holder="worker", fence=1, expires_at=NOW + timedelta(seconds=30))


class Worker:
    def __init__(self, world: World, *unapproved: ConfigurationKind) -> None:
        self.seen: list[Operation] = []
        self.push = only_in_force(self._work, lambda: unapproved, world.open, FakeClock())

    def _work(self, operation: Operation, lease: Lease) -> bool:
        self.seen.append(operation)
        return True


@pytest.fixture
def world() -> World:
    return World()


class TestOnlyInForce:
    def test_with_the_rules_in_force_the_work_is_done(self, world: World) -> None:
        worker, operation = Worker(world), an_operation(world, OperationState.PLANNING)
        assert worker.push(operation, LEASE)
        assert worker.seen == [operation]

    @pytest.mark.parametrize("kind", ConfigurationKind)
    def test_without_them_it_waits_says_why_and_was_no_lost_attempt(
        self, world: World, kind: ConfigurationKind
    ) -> None:
        worker, operation = Worker(world, kind), an_operation(world, OperationState.PLANNING, lost_attempts=4)
        assert not worker.push(operation, LEASE)
        [waiting] = world.operations.values()
        assert worker.seen == []
        assert (waiting.state, waiting.reason) == (OperationState.PLANNING, Reason.CONFIGURATION_UNAPPROVED)
        assert (waiting.due_at, waiting.lost_attempts, waiting.waits) == (NOW + LOOK_AGAIN, 0, operation.waits)

    def test_what_a_person_let_go_on_or_is_waited_for_stays_its_reason(self, world: World) -> None:
        operation = an_operation(world, OperationState.PLANNING, reason=Reason.SELECTOR_SHRANK)
        Worker(world, ConfigurationKind.MAPPINGS).push(operation, LEASE)
        assert [one.reason for one in world.operations.values()] == [Reason.SELECTOR_SHRANK]

    def test_once_approved_nothing_is_said_of_it_any_more(self, world: World) -> None:
        operation = an_operation(world, OperationState.PLANNING, reason=Reason.CONFIGURATION_UNAPPROVED)
        worker = Worker(world)
        worker.push(operation, LEASE)
        assert [one.reason for one in worker.seen] == [None]
