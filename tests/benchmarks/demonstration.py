"""`python -m tests.benchmarks.demonstration`: a campaign over many tenants on a bad day, and what was promised for it.

One call in ten is refused, one tenant has fewer seats than people, one has not let us in, and when two fifths are done
every worker is killed. Real worker processes against the twin, in real time. Exit code 1 when a promise is broken.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from provisioning.database.tables.access import leases
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import OPERATION_ENDS, StepState, SubjectState
from provisioning.domain.operation import Operation
from provisioning.local.witness import compare
from provisioning.local.world import APP, LocalWorld, WorldOptions
from tests.benchmarks.demonstration_sheet import Demonstration, Kill, TenantSheet, table, with_promises
from tests.benchmarks.rows import SEED
from tests.engines import temporary_folder
from tests.journeys.customers import A3, Customer
from tests.journeys.furniture import Town
from tests.journeys.promises import events_of

_REFUSED = 0.1
_RETRY_AFTER = 1
_LATENCY = 0.3  # seconds that Graph takes for an answer
_KILL_AT = 0.4
# one for the rounds; and as many chunks under way as the application's quota has room for, with answers that slow
_WORKERS = {"rounds": "sweeps", "worker-1": "orders,bulk", "worker-2": "orders,bulk", "worker-3": "orders,bulk"}
_APP_RATE = 35_000 / 300
_LOOK = 0.25
_GIVE_UP = 900.0
_IN_DOUBT = (StepState.IN_FLIGHT, StepState.UNKNOWN)


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


# ── the stage ────────────────────────────────────────────────────────────────────────────────────────────────────────


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
        _start_workers(world)
        yield Campaign(town, customers, seats)
        town.services.close()


_BEAT = ("celery", "--app=tasks.app", "--quiet", "beat", "--loglevel=WARNING")


def _start_workers(world: LocalWorld) -> None:
    for name, queues in _WORKERS.items():
        world.start_worker(name, queues)
    if "beat" not in world.children:
        world.start("beat", [sys.executable, "-m", *_BEAT])


def _make_weather(town: Town) -> None:
    town.control.set_switches(latency_seconds=_LATENCY)
    town.control.add_fault("throttle", route="assignLicense", probability=_REFUSED, retryAfter=_RETRY_AFTER)
    town.control.drain_quotas()


# ── the story ────────────────────────────────────────────────────────────────────────────────────────────────────────


def perform(tenants: int, people: int) -> Demonstration:
    """From the orders to the last end. Raises TimeoutError when it does not come."""
    with campaign(tenants, people) as all_of_them:
        town = all_of_them.town
        _make_weather(town)
        all_of_them.place_orders()
        planned = sum(list(all_of_them.ordered.values())[:-1])
        _watch(all_of_them, planned, lambda steps: _written(steps) >= _KILL_AT * planned)
        kill = _kill(all_of_them, planned)
        _watch(all_of_them, planned, lambda _: len(all_of_them.ends) == tenants - 1)
        return _sheet(all_of_them, kill)


def _watch(of: Campaign, planned: int, is_done: Any) -> None:
    while not is_done(steps := of.counted()):
        _say(of, planned, steps)
        _give_up(of)
        time.sleep(_LOOK)
    _say(of, planned, steps)


def _kill(of: Campaign, planned: int) -> Kill:
    """Everybody at once; then they are started again, as a supervisor would."""
    steps = of.counted()
    for name in _WORKERS:
        of.town.world.kill(name)
    killed = time.monotonic()
    locked, in_doubt, untouched = of.locked(), of.people_in(_IN_DOUBT), of.people_in((StepState.PENDING,))
    seen_by = max((entry["sequence"] for entry in _ledger(of.town)), default=0)
    _start_workers(of.town.world)
    went_on, settled = _watch_recovery(of, planned, seen_by, in_doubt, untouched, killed)
    return Kill(
        at_share=_written(steps) / planned,
        in_doubt=tuple(len(people) for people in in_doubt.values() if people),
        untouched=sum(map(len, untouched.values())),
        goes_on_after=min(went_on.values(), default=0.0),
        others_after=max((after for name, after in went_on.items() if name not in locked), default=0.0),
        locked_after=max((after for name, after in went_on.items() if name in locked), default=0.0),
        settled_after=settled,
    )


def _watch_recovery(
    of: Campaign,
    planned: int,
    seen_by: int,
    in_doubt: dict[str, set[str]],
    untouched: dict[str, set[str]],
    killed: float,
) -> tuple[dict[str, float], float]:
    """By tenant the moment of the first write to an untouched person, and when nobody was in doubt any more."""
    names = {customer.tenant: name for name, customer in of.customers.items()}
    went_on: dict[str, float] = {}
    settled: float | None = None
    expected = {name for name, people in untouched.items() if people}
    while settled is None or went_on.keys() != expected:
        for entry in _ledger(of.town, seen_by):
            seen_by, name = entry["sequence"], names[entry["tenant"]]
            if entry["user"] in untouched[name]:
                went_on.setdefault(name, time.monotonic() - killed)
        if settled is None and not _still_in_doubt(of, in_doubt):
            settled = time.monotonic() - killed
        _say(of, planned, of.counted())
        _give_up(of)
        time.sleep(_LOOK)
    return went_on, settled


def _still_in_doubt(of: Campaign, before: dict[str, set[str]]) -> bool:
    now = of.people_in(_IN_DOUBT)
    return any(now[name] & people for name, people in before.items())


def _ledger(town: Town, since: int = 0) -> list[dict[str, Any]]:
    return list(town.control.ledger(since, app=APP))


def _written(steps: Counter[StepState]) -> int:
    return steps[StepState.APPLIED] + steps[StepState.VERIFIED]


def _give_up(of: Campaign) -> None:
    gone = of.town.world.ended_by_themselves()
    if gone:
        raise TimeoutError(f"These processes ended by themselves: {', '.join(gone)}.")
    if of.elapsed > _GIVE_UP:
        raise TimeoutError(f"No end within {_GIVE_UP:.0f} s.")


def _say(of: Campaign, planned: int, steps: Counter[StepState]) -> None:
    """One line on standard error: it moves on a terminal, and is said every ten seconds elsewhere."""
    doubt = sum(steps[state] for state in _IN_DOUBT)
    line = f"{of.elapsed:6.1f} s  {_written(steps):,} of {planned:,} written, {doubt} in the air or in doubt"
    line = f"{line}, {len(of.ends)} tenants done"
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{line:<79}")
    elif int(of.elapsed / 10) != int((of.elapsed - _LOOK) / 10):
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sheet(of: Campaign, kill: Kill) -> Demonstration:
    taken, limits = of.elapsed, of.town.services.limits
    written = _ledger(of.town)
    refused = sum(fault["hits"] for fault in of.town.control.faults())
    *_, short, closed = of.customers
    return with_promises(
        Demonstration(
            tenants=tuple(_tenant(of, name, written) for name in of.customers),
            kill=kill,
            short=short,
            closed=closed,
            taken=taken,
            calls=len(written) + refused,
            refused=refused,
            least=(len(written) + refused) / _APP_RATE,
            settle_within=(limits.write_timeout + limits.settle).total_seconds(),
            lease=limits.lease_duration.total_seconds(),
        )
    )


def _tenant(of: Campaign, name: str, written: list[dict[str, Any]]) -> TenantSheet:
    customer, operation = of.customers[name], of.operation(name)
    if operation is None:
        raise TimeoutError(f"The order of {name} became no operation.")
    theirs = [entry for entry in written if entry["tenant"] == customer.tenant]
    listed = of.town.people(operation)
    states = Counter(state for state, _ in listed.values())
    held = {entry["user"]: _holds(entry["after"]) for entry in theirs}  # the last word on each counts
    holders = {person for person, holds in held.items() if holds}
    return TenantSheet(
        name=name,
        tenant_id=customer.tenant,
        state=operation.state,
        ordered=of.ordered[name],
        people=len(customer.people),
        verified=states[SubjectState.VERIFIED],
        waiting=states[SubjectState.WAITING],
        others=states.total() - states[SubjectState.VERIFIED] - states[SubjectState.WAITING],
        holders=len(holders),
        listed_right={one for one, (state, _) in listed.items() if state is SubjectState.VERIFIED} == holders,
        testimony=compare(theirs, events_of(of.town, customer), app=APP),
        done_after=of.ends.get(name),
    )


def _holds(state: dict[str, Any]) -> bool:
    return any(held["skuId"] == A3 and held["state"] == "Active" for held in state["licenseAssignmentStates"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.demonstration", description=__doc__)
    parser.add_argument("--tenants", type=int, default=25, help="at least 3")
    parser.add_argument("--people", type=int, default=400, help="in each")
    parser.add_argument("--json", action="store_true", help="the figures for a program, on standard output")
    options = parser.parse_args()
    found = perform(options.tenants, options.people)
    lines = [msgspec.json.format(msgspec.json.encode(found), indent=2).decode()] if options.json else table(found)
    text = "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    return int(not found.is_kept)


if __name__ == "__main__":
    sys.exit(main())
