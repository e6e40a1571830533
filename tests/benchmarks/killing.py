"""What nobody knows for sure when workers are killed in the middle of their work."""

import time

from provisioning.bootstrap import check_installation
from provisioning.broker.queues import Queue
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import StepState
from provisioning.domain.operation import Lane
from tests.benchmarks.rows import Row, Rows, at_most
from tests.benchmarks.school import School, open_quotas, order, unbounded
from tests.benchmarks.worker import Worker, options, world_with

_PEOPLE = 2_000
_SLOW_ANSWERS = 0.5  # seconds, as Graph itself takes: most of a chunk's time its people are in the air
_UNDER_WAY = 3 * 160
_LOOK = 0.02
_GIVE_UP = 60.0


def kill() -> Rows:
    """Two workers, each in a tenant of its own, both killed while both have a chunk in the air."""
    schools = [School(number=number, people=_PEOPLE) for number in (1, 2)]
    with world_with(schools, options(**unbounded(_PEOPLE))) as (world, worker):
        control = world.sandbox.control
        control.set_quotas(**open_quotas())
        control.set_switches(latency_seconds=_SLOW_ANSWERS)
        check_installation(worker)
        operations = [order(worker, school, lane) for school, lane in zip(schools, Lane, strict=True)]
        world.start_workers(bulk=False)
        world.start_worker(Queue.BULK, "bulk,sweeps")
        _await_middle(worker, operations)
        for name in (Queue.ORDERS, Queue.BULK):
            world.kill(name)
        doubts = [_count(worker, each, StepState.IN_FLIGHT) for each in operations]
        journalled = sum(_count(worker, each, StepState.APPLIED) for each in operations)
        written = sum(1 for _ in control.ledger(changed="true"))
    note = f"{doubts[0]} and {doubts[1]} in doubt in two tenants; {written - journalled} of them had been written"
    yield Row(name="people in doubt after a kill", value=max(doubts), unit="people", bound=at_most(160), note=note)


def _await_middle(worker: Worker, operations: list[OperationId]) -> None:
    give_up = time.monotonic() + _GIVE_UP
    while not all(_is_in_the_middle(worker, each) for each in operations):
        if time.monotonic() > give_up:
            raise TimeoutError(f"The workers did not get under way within {_GIVE_UP:.0f} s.")
        time.sleep(_LOOK)


def _is_in_the_middle(worker: Worker, operation: OperationId) -> bool:
    with worker.open_uow() as uow:
        counts = uow.journal.step_counts(operation)
    return counts.get(StepState.APPLIED, 0) >= _UNDER_WAY and counts.get(StepState.IN_FLIGHT, 0) > 0


def _count(worker: Worker, operation: OperationId, state: StepState) -> int:
    with worker.open_uow() as uow:
        return uow.journal.step_counts(operation).get(state, 0)
