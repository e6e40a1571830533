"""One tenant in bad weather: calls refused for no reason of ours, and other applications that write there too."""

from datetime import timedelta

from provisioning.domain.lifecycle import OperationState, SubjectState
from tests.benchmarks.pace import busy
from tests.benchmarks.rows import Row, Rows, at_most
from tests.benchmarks.school import School, order
from tests.benchmarks.worker import options, world_with

_FACTOR = 10.0
_TENANT_RATE = 20.0  # writes a second, by Microsoft's own number
_ONE_IN_TEN = 0.1
_RETRY_AFTER = 1  # second, the least that Graph asks for in whole seconds
_FOREIGN = 48.0  # writes a second by others: of the 60 that Microsoft allows all applications, 12 are left to us


def refusals(people: int = 10_000, factor: float = _FACTOR) -> Rows:
    """Swaps of which one in ten is refused although no limit is reached, each time with a second to wait.

    A refused call counts as any other, so the bound is what all calls together need, refused ones included.
    """
    school = School(number=1, people=people)
    with world_with([school], options(factor=factor, guard_swaps=people)) as (world, worker):
        control = world.sandbox.control
        operation = order(worker, school)
        worker.plan_all([operation])
        control.add_fault("throttle", route="assignLicense", probability=_ONE_IN_TEN, retryAfter=_RETRY_AFTER)
        control.drain_quotas()
        worker.redis.flushall()
        with busy() as share:
            taken = worker.work_until_each([operation], OperationState.VERIFYING)[operation]
        (fault,) = control.faults()
        control.clear_faults()
        ended = worker.work_until_state(operation)
        with worker.open_uow() as uow:
            verified = uow.journal.subject_counts(operation).get(SubjectState.VERIFIED, 0)
    run = {"clock_factor": factor, "cpu": share[0]}
    calls = people + fault["hits"]
    bound = calls / _TENANT_RATE
    note = f"{ended.state}; {taken:.1f} s for {calls:,} calls, {fault['hits']:,} of them refused; bound {bound:.1f} s"
    name = "10,000 swaps, one call in ten refused"
    yield Row(name=name, value=taken / bound, unit="×", bound=at_most(1.05), note=note, paced=True, **run)
    undone = people - verified
    yield Row(name="left undone after refusals", value=undone, unit="people", bound=at_most(0), **run)


def foreign(people: int = 6_000, factor: float = _FACTOR) -> Rows:
    """The forecast that is told one window after the start, against when the last write really left.

    Nobody tells the service of the others: it sees that it is refused, and what gets through.
    """
    school = School(number=1, people=people)
    with world_with([school], options(factor=factor, guard_swaps=people)) as (world, worker):
        control = world.sandbox.control
        operation = order(worker, school)
        worker.plan_all([operation])
        control.drain_quotas()
        control.add_load(school.tenant_id, _FOREIGN)
        worker.redis.flushall()
        started = worker.clock.now()
        asked_at = started + worker.limits.tenant_window
        told: list[timedelta] = []

        def look() -> None:
            if worker.clock.now() >= asked_at:
                worker.looker = None
                told.append(worker.foretell_work()[operation] - asked_at)

        alone = worker.foretell_work()[operation] - started
        worker.looker = look
        with busy() as share:
            taken = worker.work_until_each([operation], OperationState.VERIFYING)[operation]
        ended = worker.find(operation).state
        counted = control.counters()["tenants"][school.tenant_id]
    run = {"clock_factor": factor, "cpu": share[0]}
    foretold, rest = told[0].total_seconds(), taken - worker.limits.tenant_window.total_seconds()
    note = (
        f"{ended}; after a window {foretold:.0f} s foretold, {rest:.0f} s taken; alone it would "
        f"take {alone.total_seconds():.0f} s; {counted.get('refused', 0):,} of {people:,} refused"
    )
    off = 100 * abs(foretold / rest - 1)
    name = "forecast off by, hidden foreign load"
    yield Row(name=name, value=off, unit="%", bound=at_most(20), note=note, paced=True, **run)
