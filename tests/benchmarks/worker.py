"""A worker and its beat in this very process: all of the service but Celery, so that its CPU time is our own."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import Any

from provisioning.bootstrap import Services
from provisioning.domain.actors import Identity, Role
from provisioning.domain.ids import Actor, OperationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Lane, Operation
from provisioning.local.world import APP, LocalWorld, WorldOptions
from provisioning.ports import Dispatcher
from tests.benchmarks.rows import SEED
from tests.benchmarks.school import School, register, seed_of
from tests.engines import temporary_folder

_OPERATOR = Identity(actor=Actor("person:bench"), roles=frozenset({Role.OPERATOR}))
_IDLE = 0.002
_MANY = 100_000  # more operations than any measurement has
_STUCK = 900.0  # seconds without an end


class Hand:
    """A dispatcher whose messages are taken by who holds it."""

    def __init__(self) -> None:
        self.messages: dict[OperationId, None] = {}  # in the order of their arrival, each once

    def advance(self, operation: OperationId, lane: Lane) -> None:
        self.messages.setdefault(operation)

    def take(self) -> OperationId:
        """The message that has waited longest."""
        operation = next(iter(self.messages))
        del self.messages[operation]
        return operation


class Worker(Services):
    """The services with one hand instead of a broker."""

    latest: OperationId | None = None  # that was pushed
    looker: Callable[[], None] | None = None  # what whoever measures does meanwhile

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
        self.latest = operation
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
                self._advance(self.hand.take())
            else:
                time.sleep(_IDLE)

    def find(self, operation: OperationId) -> Operation:
        with self.open_uow() as uow:
            return uow.operations.get(operation)

    def work_until_each(self, operations: Iterable[OperationId], *states: OperationState) -> dict[OperationId, float]:
        """The moment (seconds of the service's clock, from now) at which each of them got into one of the states.

        Or to an end, or to where a person would have to act.
        """
        stop, started = stopping(*states), self.clock.now()
        with self.open_uow() as uow:
            there = {each.operation_id for each in uow.operations.list_by(stop, limit=_MANY)}
        ends = {each: 0.0 for each in operations if each in there}
        left = set(operations) - there

        def is_done() -> bool:
            pushed, self.latest = self.latest, None  # looked at once for each push: the looks are no part of the work
            if pushed in left and self.find(pushed).state in stop:
                left.discard(pushed)
                ends[pushed] = (self.clock.now() - started).total_seconds()
            if self.looker:
                self.looker()
            return not left

        self.work_until(is_done)
        return ends

    def plan_all(self, operations: Collection[OperationId]) -> None:
        """Up to where the first write would leave: nobody runs ahead while others are still being planned."""
        self.stop_writes(_OPERATOR, "all", "they begin together")
        self.work_until_each(operations, OperationState.APPLYING)
        self.resume_writes(_OPERATOR, "all")
        with self.open_uow() as uow:
            for operation in operations:
                uow.operations.postpone(operation, self.clock.now())
            uow.commit()

    def work_until_state(self, operation: OperationId, *states: OperationState) -> Operation:
        """Until it is in one of the states, or at an end, or a person would have to act."""
        stop = stopping(*states)
        self.work_until(lambda: self.find(operation).state in stop)
        return self.find(operation)


def stopping(*states: OperationState) -> set[OperationState]:
    """These, all ends, and where a person would have to act."""
    return {*states, *OPERATION_ENDS, OperationState.HELD, OperationState.AWAITING_APPROVAL}


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


@contextmanager
def later_in(world: LocalWorld, worker: Worker, span: timedelta) -> Iterator[Worker]:
    """So much time passes at once, and another worker goes on behind it."""
    worker.close()
    world.skip(span.total_seconds())
    later = Worker(world.services().settings)
    later.make_ready()
    yield later
    later.close()
