"""A worker and its beat in this very process: all of the service but Celery, so that its CPU time is our own."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from provisioning.bootstrap import Services
from provisioning.domain.ids import OperationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Lane, Operation
from provisioning.local.world import APP, LocalWorld, WorldOptions
from provisioning.ports import Dispatcher
from tests.benchmarks.rows import SEED
from tests.benchmarks.school import School, register, seed_of
from tests.engines import temporary_folder

_IDLE = 0.002
_STUCK = 300.0  # seconds without an end


class Hand:
    """A dispatcher whose messages are taken by who holds it."""

    def __init__(self) -> None:
        self.messages: deque[OperationId] = deque()

    def advance(self, operation: OperationId, lane: Lane) -> None:
        if operation not in self.messages:
            self.messages.append(operation)


class Worker(Services):
    """The services with one hand instead of a broker."""

    @cached_property
    def hand(self) -> Hand:
        return Hand()

    @cached_property
    def dispatcher(self) -> Dispatcher:
        return self.hand

    @cached_property
    def cpu_spent(self) -> Counter[str]:
        """Seconds of CPU by the state that the operation was in."""
        return Counter()

    def _advance(self, operation: OperationId) -> None:
        state, before = self.find(operation).state, time.process_time()
        self.advance_operation(operation)
        self.cpu_spent[state] += time.process_time() - before

    def work_until(self, is_done: Callable[[], bool]) -> None:
        """Sweep every second of the service's clock, and do what is told. Raises TimeoutError."""
        pause = 1.0 / self.settings.clock_factor
        sweep_at, give_up_at = 0.0, time.monotonic() + _STUCK
        while not is_done():
            now = time.monotonic()
            if now > give_up_at:
                raise TimeoutError(f"No end within {_STUCK:.0f} s.")
            if now >= sweep_at:
                self.sweep_operations()
                sweep_at = now + pause
            if self.hand.messages:
                self._advance(self.hand.messages.popleft())
            else:
                time.sleep(_IDLE)

    def find(self, operation: OperationId) -> Operation:
        with self.open_uow() as uow:
            return uow.operations.get(operation)

    def work_until_state(self, operation: OperationId, *states: OperationState) -> Operation:
        """Until it is in one of the states, or at an end, or a person would have to act."""
        stop = {*states, *OPERATION_ENDS, OperationState.HELD, OperationState.AWAITING_APPROVAL}
        self.work_until(lambda: self.find(operation).state in stop)
        return self.find(operation)


def options(*, factor: float = 1.0, **settings: Any) -> WorldOptions:
    """As an installation runs: durable, and in time with the twin."""
    return WorldOptions(clock_factor=factor, random_seed=SEED, settings=settings)


@contextmanager
def world_with(schools: list[School], chosen: WorldOptions) -> Iterator[tuple[LocalWorld, Worker]]:
    """Engines, twin and a worker in this process; the schools are on both sides."""
    with temporary_folder() as folder, LocalWorld(folder, chosen) as world:
        secret = world.environment["PROVISIONING_GRAPH_CLIENT_SECRET"]
        world.sandbox.control.register_app(APP, secrets=[{"value": secret}])
        world.sandbox.control.seed(seed_of(schools), reset=False)
        worker = Worker(world.services().settings)
        worker.make_ready()
        register(worker, schools)
        yield world, worker
        worker.close()
