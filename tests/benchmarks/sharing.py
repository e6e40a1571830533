"""Many tenants at once: how much of the application's quota is used, and how evenly it is shared."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from provisioning.domain.lifecycle import OperationState
from tests.benchmarks.pace import busy
from tests.benchmarks.rows import Row, Rows, at_most
from tests.benchmarks.school import School, order_all
from tests.benchmarks.worker import Worker, options, world_with

_APP_RATE = 35_000 / 300  # writes a second, by Microsoft's own numbers
_TURN = 20


def campaign(tenants: int = 25, people: int = 400, factor: float = 1.0) -> Rows:
    """A campaign: some tenants, each large enough for many turns."""
    return _shared(tenants, people, factor, spread=3 * _TURN)


def sector(tenants: int = 3_000, people: int = 20, factor: float = 1.5) -> Rows:
    """Every school at once, one turn each."""
    return _shared(tenants, people, factor, spread=_TURN)


class _Shared(msgspec.Struct, frozen=True, kw_only=True):
    """One run, from drained buckets to the last write. Seconds are the service's; `ends`, `served`: of each tenant."""

    tenants: int
    people: int
    factor: float
    busy: float
    foretold: float
    ends: tuple[float, ...]
    served: tuple[int, ...]
    written: int
    refused: int
    states: frozenset[str]

    @property
    def what(self) -> str:
        return f"{self.tenants:,} tenants × {self.people}"

    @property
    def bound(self) -> float:
        return self.tenants * self.people / _APP_RATE

    @property
    def taken(self) -> float:
        return max(self.ends)

    def row(self, name: str, **columns: Any) -> Row:
        return Row(name=f"{self.what}: {name}", clock_factor=self.factor, cpu=self.busy, **columns)


def _shared(tenants: int, people: int, factor: float, *, spread: int) -> Rows:
    run = _run(tenants, people, factor)
    note = f"{', '.join(sorted(run.states))}; {run.taken:.1f} s, Microsoft allows {run.bound:.1f} s"
    ratio = run.taken / run.bound
    yield run.row("against the bound", value=ratio, unit="×", bound=at_most(1.05), note=note, paced=True)
    fewest, most = min(run.served), max(run.served)
    note = f"at half time each tenant had {fewest} to {most} of {people}"
    apart = most - fewest
    yield run.row("spread at half time", value=apart, unit="people", bound=at_most(spread), note=note, paced=True)
    if people > _TURN:
        first = min(run.ends)
        note = f"the first was done after {first:.1f} s, the last after {run.taken:.1f} s"
        ratio = run.taken / first
        yield run.row("last over first", value=ratio, unit="×", bound=at_most(1.2), note=note, paced=True)
    yield run.row("left undone", value=tenants * people - run.written, unit="people", bound=at_most(0))
    share = 100 * run.refused / run.written
    yield run.row("refused", value=share, unit="%", bound=at_most(0.1), note=f"{run.refused:,} of {run.written:,}")
    off = 100 * abs(run.foretold / run.taken - 1)
    note = f"{run.foretold:.0f} s foretold, {run.taken:.0f} s taken"
    yield run.row("forecast off by", value=off, unit="%", bound=at_most(10), note=note, paced=True)


def _run(tenants: int, people: int, factor: float) -> _Shared:
    schools = [School(number=number, people=people) for number in range(1, tenants + 1)]
    with world_with(schools, options(factor=factor, guard_swaps=people)) as (world, worker):
        control = world.sandbox.control
        operations = order_all(worker, schools)
        worker.plan_all(operations)
        control.drain_quotas()
        control.reset_counters()
        worker.redis.flushall()
        foretold = (max(worker.foretell_work().values()) - worker.clock.now()).total_seconds()
        half = _HalfTime(worker, tenants * people / _APP_RATE, lambda: control.counters()["tenants"])
        with busy() as share:
            ends = worker.work_until_each(operations, OperationState.VERIFYING)
        worker.looker = None
        worker.work_until_each(operations)
        counted = control.counters()["total"]
        states = frozenset(str(worker.find(each).state) for each in operations)
    return _Shared(
        tenants=tenants,
        people=people,
        factor=factor,
        busy=share[0],
        foretold=foretold,
        ends=tuple(ends.values()),
        served=tuple(half.served(schools)),
        written=counted["writes"],
        refused=counted.get("refused", 0),
        states=states,
    )


class _HalfTime:
    """What the twin had counted by tenant when half of the bound had passed."""

    def __init__(self, worker: Worker, bound: float, count: Callable[[], Mapping[str, Mapping[str, int]]]) -> None:
        self._worker, self._count = worker, count
        self._half = worker.clock.now().timestamp() + bound / 2
        self._seen: Mapping[str, Mapping[str, int]] = {}
        worker.looker = self._look

    def _look(self) -> None:
        if self._worker.clock.now().timestamp() >= self._half:
            self._worker.looker = None
            self._seen = self._count()

    def served(self, schools: Sequence[School]) -> list[int]:
        return [self._seen.get(school.tenant_id, {}).get("writes", 0) for school in schools]
