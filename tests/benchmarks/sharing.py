"""Many tenants at once: how much of the application's quota is used, and how evenly it is shared."""

from collections.abc import Callable, Mapping, Sequence

from provisioning.domain.lifecycle import OperationState
from tests.benchmarks.pace import busy
from tests.benchmarks.rows import Row, Rows, at_most
from tests.benchmarks.school import School, order
from tests.benchmarks.worker import Worker, options, world_with

_APP_RATE = 35_000 / 300  # writes a second, by Microsoft's own numbers
_TURN = 20


def campaign(tenants: int = 25, people: int = 400, factor: float = 1.0) -> Rows:
    """A campaign: some tenants, each large enough for many turns."""
    return _shared(tenants, people, factor, spread=2 * _TURN)


def sector(tenants: int = 3_000, people: int = 20, factor: float = 2.0) -> Rows:
    """Every school at once, one turn each."""
    return _shared(tenants, people, factor, spread=_TURN)


def _shared(tenants: int, people: int, factor: float, *, spread: int) -> Rows:
    schools = [School(number=number, people=people) for number in range(1, tenants + 1)]
    bound = tenants * people / _APP_RATE
    with world_with(schools, options(factor=factor, guard_swaps=people)) as (world, worker):
        control = world.sandbox.control
        operations = [order(worker, school) for school in schools]
        worker.plan_all(operations)
        control.drain_quotas()
        control.reset_counters()
        worker.redis.flushall()
        foretold = (max(worker.foretell_work().values()) - worker.clock.now()).total_seconds()
        half = _HalfTime(worker, bound, lambda: control.counters()["tenants"])
        with busy() as share:
            ends = worker.work_until_each(operations, OperationState.VERIFYING)
        worker.looker = None
        worker.work_until_each(operations)
        states = {worker.find(each).state for each in operations}
        counted = control.counters()
    run = {"clock_factor": factor, "cpu": share[0], "paced": True}
    what, taken = f"{tenants:,} tenants × {people}", max(ends.values())
    note = f"{', '.join(sorted(states))}; {taken:.1f} s, Microsoft allows {bound:.1f} s"
    yield Row(name=f"{what}: against the bound", value=taken / bound, unit="×", bound=at_most(1.05), note=note, **run)
    served = half.served(schools)
    note = f"at half time each tenant had {min(served)} to {max(served)} of {people}"
    evenness = max(served) - min(served)
    yield Row(
        name=f"{what}: spread at half time", value=evenness, unit="people", bound=at_most(spread), note=note, **run
    )
    if people > _TURN:
        slowest = taken / min(ends.values())
        note = f"the first was done after {min(ends.values()):.1f} s, the last after {taken:.1f} s"
        yield Row(name=f"{what}: last over first", value=slowest, unit="×", bound=at_most(1.2), note=note, **run)
    written, refused = counted["total"]["writes"], counted["total"].get("refused", 0)
    undone = tenants * people - written
    yield Row(name=f"{what}: left undone", value=undone, unit="people", bound=at_most(0), **run)
    share_refused = 100 * refused / written
    yield Row(name=f"{what}: refused", value=share_refused, unit="%", bound=at_most(0.1), note=f"{refused:,}", **run)
    off = 100 * abs(foretold / taken - 1)
    note = f"{foretold:.0f} s foretold, {taken:.0f} s taken"
    yield Row(name=f"{what}: forecast off by", value=off, unit="%", bound=at_most(10), note=note, **run)


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
