"""The stage of the demonstration: a world with many schools, their orders, the weather, and who works."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select

from provisioning.database.tables.access import leases
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import OPERATION_ENDS, StepState
from provisioning.domain.operation import Operation
from provisioning.local.world import APP, LocalWorld, WorldOptions
from tests.benchmarks.rows import SEED
from tests.engines import temporary_folder
from tests.journeys.customers import Customer
from tests.journeys.furniture import Town

_REFUSED = 0.1
_RETRY_AFTER = 1
_LATENCY = 0.3  # seconds that Graph takes for an answer
# one for the rounds; and as many chunks under way as the application's quota has room for, with answers that slow
WORKERS = {"rounds": "sweeps", "worker-1": "orders,bulk", "worker-2": "orders,bulk", "worker-3": "orders,bulk"}


@dataclass
class Campaign:
    """All tenants with their orders. Seconds are real."""

    town: Town
    customers: dict[str, Customer]
    ordered: dict[str, int]
    began: float = 0.0
    keys: dict[str, LineKey] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def place_orders(self) -> None:
        self.began = time.monotonic()
        for name, customer in self.customers.items():
            self.keys[name] = self.town.order(customer, self.ordered[name])

    def operation(self, name: str) -> Operation | None:
        found = self.town.operations(self.keys[name])
        return found[-1] if found else None

    def counted(self) -> Counter[StepState]:
        """Steps of all tenants by state; notes who has come to an end."""
        total = Counter[StepState]()
        for name in self.customers:
            operation = self.operation(name)
            if operation is None:
                continue
            with self.town.services.open_uow() as uow:
                total.update(uow.journal.step_counts(operation.operation_id))
            if operation.state in OPERATION_ENDS:
                self.ends.setdefault(name, self.elapsed)
        return total

    def locked(self) -> set[str]:
        """Whose lease somebody holds."""
        services = self.town.services
        alive = select(leases.c.name).where(leases.c.expires_at > services.clock.wall())
        with services.engine.connect() as connection:
            held = set(connection.scalars(alive))
        return {name for name, customer in self.customers.items() if f"tenant:{customer.tenant}" in held}

    def people_in(self, states: tuple[StepState, ...]) -> dict[str, set[str]]:
        """By tenant, the people with a step in one of the states."""
        found = {}
        for name in self.customers:
            operation = self.operation(name)
            with self.town.services.open_uow() as uow:
                records = uow.journal.steps_in(operation.operation_id, states) if operation else []
            found[name] = {str(record.step.subject_id) for record in records}
        return found


@contextmanager
def campaign(tenants: int, people: int) -> Iterator[Campaign]:
    """A world with everything in place and nothing ordered yet; the last two tenants are the odd ones."""
    chosen = WorldOptions(random_seed=SEED, settings={"guard_swaps": people, "guard_assignments": people})
    with temporary_folder() as folder, LocalWorld(folder, chosen) as world:
        secret = world.environment["PROVISIONING_GRAPH_CLIENT_SECRET"]
        world.sandbox.control.register_app(APP, secrets=[{"value": secret}])
        town = Town(world)
        names = [f"school-{number:02}" for number in range(1, tenants + 1)]
        *_, short, closed = names
        seats = dict.fromkeys(names, people) | {short: people * 9 // 10}
        customers = {
            name: town.school(people, seats=seats[name], **({"roles": None} if name == closed else {}))
            for name in names
        }
        start_workers(world)
        yield Campaign(town, customers, seats)
        town.services.close()


_BEAT = ("celery", "--app=tasks.app", "--quiet", "beat", "--loglevel=WARNING")


def start_workers(world: LocalWorld) -> None:
    for name, queues in WORKERS.items():
        world.start_worker(name, queues)
    if "beat" not in world.children:
        world.start("beat", [sys.executable, "-m", *_BEAT])


def make_weather(town: Town) -> None:
    town.control.set_switches(latency_seconds=_LATENCY)
    town.control.add_fault("throttle", route="assignLicense", probability=_REFUSED, retryAfter=_RETRY_AFTER)
    town.control.drain_quotas()
