"""How fast Microsoft's quota is used up, and what asking for it costs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from provisioning.domain.ids import TenantId
from provisioning.domain.lifecycle import OperationState, SubjectState
from provisioning.domain.operation import Lane
from provisioning.planning.forecast import forecast
from provisioning.planning.quota import Sizes
from tests.benchmarks.rows import Row, Rows, at_most
from tests.benchmarks.school import School, order
from tests.benchmarks.worker import options, world_with

_PEOPLE = 10_000
_FACTOR = 10.0
_TENANT_RATE = 20.0  # writes a second, by Microsoft's own number
_TAKES = 5_000
_TENANTS = 50


def pace() -> Rows:
    """Swaps in one tenant from drained buckets on both sides, until the last was accepted."""
    school = School(number=1, people=_PEOPLE)
    with world_with([school], options(factor=_FACTOR, guard_swaps=_PEOPLE)) as (world, worker):
        control = world.sandbox.control
        operation = order(worker, school)
        worker.work_until_state(operation, OperationState.APPLYING)
        control.drain_quotas()
        worker.redis.flushall()
        with busy() as share:
            started = worker.clock.now()
            worker.work_until_state(operation, OperationState.VERIFYING)
            taken = (worker.clock.now() - started).total_seconds()
        ended = worker.work_until_state(operation)
        counted = control.counters()["tenants"][school.tenant_id]
        with worker.open_uow() as uow:
            verified = uow.journal.subject_counts(operation).get(SubjectState.VERIFIED, 0)
        told = forecast({school.tenant_id: _PEOPLE}, Sizes.of(worker.limits))[school.tenant_id].total_seconds()
    run = {"clock_factor": _FACTOR, "cpu": share[0]}
    bound, refused, written = _PEOPLE / _TENANT_RATE, counted.get("refused", 0), counted["writes"]
    note = f"{ended.state}; {taken:.1f} s for {_PEOPLE:,} swaps, Microsoft allows {bound:.0f} s"
    name = "10,000 swaps against the quota bound"
    yield Row(name=name, value=taken / bound, unit="×", bound=at_most(1.05), note=note, paced=True, **run)
    note = f"{refused} of {written + refused:,}"
    yield Row(name="refused writes", value=100 * refused / written, unit="%", bound=at_most(0.1), note=note, **run)
    yield Row(name="swaps left undone", value=_PEOPLE - verified, unit="people", bound=at_most(0), **run)
    spent = 1_000 * worker.cpu_spent[OperationState.APPLYING] / _PEOPLE
    note = "in the grants of 20 to 40 that the quota gives to one busy tenant"
    yield Row(name="worker CPU per person at that pace", value=spent, unit="ms", note=note, **run)
    off = 100 * abs(told / taken - 1)
    note = f"{told:.0f} s foretold, {taken:.0f} s taken"
    yield Row(name="forecast off by", value=off, unit="%", bound=at_most(10), note=note, paced=True, **run)


@contextmanager
def busy() -> Iterator[list[float]]:
    """How much of the machine was in use within the block; known when it ends."""
    share: list[float] = []
    psutil.cpu_percent()
    yield share
    share.append(psutil.cpu_percent() / 100)


def quota() -> Rows:
    """One take from the shared buckets, in many tenants by turns."""
    with world_with([], options()) as (_, worker):
        tenants = [TenantId(f"tenant-{number}") for number in range(_TENANTS)]
        worker.redis.config_resetstat()
        started = time.perf_counter()
        for number in range(_TAKES):
            worker.quota.take(tenants[number % _TENANTS], 20, Lane.BULK)
        each = (time.perf_counter() - started) / _TAKES
        inside = worker.redis.info("commandstats")["cmdstat_evalsha"]["usec_per_call"]
    note = f"{_TAKES:,} takes in {_TENANTS} tenants; there and back {1e6 * each:.0f} µs"
    yield Row(name="quota script", value=inside, unit="µs/take", note=note)
