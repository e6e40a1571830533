"""What a swap costs: writes, calls and the worker's own time."""

from provisioning.domain.lifecycle import OperationState
from tests.benchmarks.rows import Row, Rows, at_most
from tests.benchmarks.school import School, open_quotas, order, unbounded
from tests.benchmarks.worker import options, world_with

_THOUSAND = 1_000
_MANY = 5_000
_FACTOR = 10.0


def calls() -> Rows:
    """Writes and HTTP calls of 1,000 direct swaps under Microsoft's quota, tokens not counted."""
    school = School(number=1, people=_THOUSAND)
    with world_with([school], options(factor=_FACTOR, guard_swaps=_THOUSAND)) as (world, worker):
        control = world.sandbox.control
        control.reset_counters()
        ended = worker.work_until_state(order(worker, school))
        counted = control.counters()["tenants"][school.tenant_id]
    note = f"{ended.state}, {_THOUSAND} people, under Microsoft's quota"
    written = counted["writes"] + counted.get("refused", 0)
    yield Row(
        name="write units per 1,000 swaps",
        value=written,
        unit="writes",
        bound=at_most(1_010),
        note=note,
        clock_factor=_FACTOR,
    )
    yield Row(
        name="HTTP calls per 1,000 swaps",
        value=counted["calls"],
        unit="calls",
        bound=at_most(56),
        note=note,
        clock_factor=_FACTOR,
    )


def joins() -> Rows:
    """Writes of 1,000 people who are new to the product and join a group that is there, licensed and empty."""
    school = School(number=1, people=_THOUSAND, has_group=True)
    with world_with([school], options(factor=_FACTOR, guard_assignments=_THOUSAND)) as (world, worker):
        control = world.sandbox.control
        control.reset_counters()
        operation = order(worker, school)
        ended = worker.work_until_state(operation)
        counted = control.counters()["tenants"][school.tenant_id]
        with worker.open_uow() as uow:
            people = uow.journal.subject_counts(operation)
    told = ", ".join(f"{number:,} {state}" for state, number in people.items())
    written = counted["writes"] + counted.get("refused", 0)
    yield Row(
        name="write units per 1,000 who join a group",
        value=written,
        unit="writes",
        bound=at_most(51),
        note=f"{ended.state}: {told}; {counted['calls']} HTTP calls",
        clock_factor=_FACTOR,
    )


def cpu() -> Rows:
    """The worker's CPU per person in full chunks: neither quota nor guard holds them up."""
    school = School(number=1, people=_MANY)
    with world_with([school], options(**unbounded(_MANY))) as (world, worker):
        world.sandbox.control.set_quotas(**open_quotas())
        ended = worker.work_until_state(order(worker, school))
        spent = worker.cpu_spent
    apply = 1_000 * spent[OperationState.APPLYING] / _MANY
    others = ", ".join(f"{state} {1_000 * seconds / _MANY:.2f}" for state, seconds in spent.items())
    note = f"{ended.state}, {_MANY} people in chunks of 160; ms per person by state: {others}"
    yield Row(name="worker CPU per changed person", value=apply, unit="ms", bound=at_most(0.5), note=note)
