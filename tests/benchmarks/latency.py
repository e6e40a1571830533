"""How long a school waits: from the row in the shop's order database to the licence that was read back."""

import math
import time
from collections.abc import Sequence
from datetime import timedelta
from random import Random

from config.settings import Settings
from provisioning.bootstrap import check_installation
from provisioning.domain.ids import LineKey, OperationId
from provisioning.domain.lifecycle import OperationState, StepState
from provisioning.domain.operation import Operation
from tests.benchmarks.rows import SEED, Row, Rows, at_most
from tests.benchmarks.school import STAFF_ARTICLE, School, order
from tests.benchmarks.worker import Worker, options, world_with
from tests.factories.trade import shop_line

_ORDERS = 24
_STAFF = 30
_BULK = School(number=99, people=50_000)
_LOOK = 0.1  # seconds
_GIVE_UP = 60.0
_COLLECT = Settings.model_fields["collect_seconds"].default  # a local world collects more often


def idle() -> Rows:
    """One order after the other, each of another school in a tenant that was never spoken to before."""
    schools = [School(number=number, people=_STAFF) for number in range(1, _ORDERS + 1)]
    with world_with(schools, options(collect_seconds=_COLLECT)) as (world, worker):
        check_installation(worker)
        world.start_workers()
        taken = _taken(worker, schools)
    note = (
        f"{_ORDERS} orders one by one, each in a tenant of its own of {_STAFF} people; collected every {_COLLECT:g} s"
    )
    yield from _rows("idle", taken, (2.0, 5.0), note)


def loaded() -> Rows:
    """The same while a bulk operation uses up the quota of another tenant."""
    schools = [School(number=number, people=_STAFF) for number in range(1, _ORDERS + 1)]
    with world_with([*schools, _BULK], options(collect_seconds=_COLLECT, guard_swaps=_BULK.people)) as (world, worker):
        check_installation(worker)
        world.start_workers()
        bulk = order(worker, _BULK)
        _await(worker, bulk, {OperationState.APPLYING})
        before = _applied(worker, bulk)
        taken = _taken(worker, schools)
        meanwhile = _applied(worker, bulk) - before
        state = worker.find(bulk).state
    note = f"meanwhile {meanwhile:,} of {_BULK.people:,} people changed by a bulk operation, {state} at the end"
    yield from _rows("during bulk work", taken, (4.0, 10.0), note)


def _rows(when: str, taken: Sequence[float], bounds: tuple[float, float], note: str) -> Rows:
    for share, bound in zip((50, 95), bounds, strict=True):
        value = _percentile(taken, share)
        yield Row(name=f"one-seat order, {when}: p{share}", value=value, unit="s", bound=at_most(bound), note=note)


def _percentile(values: Sequence[float], share: int) -> float:
    """By nearest rank."""
    return sorted(values)[math.ceil(len(values) * share / 100) - 1]


def _taken(worker: Worker, schools: Sequence[School]) -> list[float]:
    """Seconds per order; pauses between them, so that they meet the rounds at any moment."""
    chance = Random(SEED)
    taken = []
    for school in schools:
        time.sleep(chance.random())
        taken.append(_one(worker, school).total_seconds())
    return taken


def _one(worker: Worker, school: School) -> timedelta:
    placed_at = worker.clock.now()
    key = LineKey(worker.settings.order_source, f"2026-{school.number:05d}", "1")
    line = shop_line(
        key=key,
        placed_at=placed_at,
        changed_at=placed_at,
        organisation_code=school.code,
        article_code=STAFF_ARTICLE,
        quantity=1,
        subjects=(f"medewerker-0001@{school.domain}",),
    )
    worker.order_desk.submit([line])
    return _ended(worker, key).entered_at - placed_at


def _ended(worker: Worker, key: LineKey) -> Operation:
    """The operation of the line, completed; raises TimeoutError when it does not get there."""
    give_up = time.monotonic() + _GIVE_UP
    while time.monotonic() < give_up:
        time.sleep(_LOOK)
        with worker.open_uow() as uow:
            line, found = uow.orders.find(key), uow.operations.list_by(line=key)
        if found and found[0].state is OperationState.COMPLETED:
            return found[0]
    stand = [(one.state, one.reason) for one in found] or (line and (line.state, line.reason))
    raise TimeoutError(f"Order {key} was not completed within {_GIVE_UP:.0f} s: {stand}.")


def _await(worker: Worker, operation: OperationId, states: set[OperationState]) -> None:
    give_up = time.monotonic() + _GIVE_UP
    while (found := worker.find(operation)).state not in states:
        if time.monotonic() > give_up:
            raise TimeoutError(f"Operation {operation} is {found.state} ({found.reason}) after {_GIVE_UP:.0f} s.")
        time.sleep(_LOOK)


def _applied(worker: Worker, operation: OperationId) -> int:
    with worker.open_uow() as uow:
        return uow.journal.step_counts(operation).get(StepState.APPLIED, 0)
