"""Workers killed at any moment: the end is as if nothing had happened, and nothing is done twice."""

from collections import Counter
from random import Random

import pytest

from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import LineState, OperationState, StepState
from tests.journeys.customers import A1, A3, Customer
from tests.journeys.furniture import Town
from tests.journeys.misfortune import kill_worker
from tests.journeys.patience import let_pass, until
from tests.journeys.promises import check_promises

_PEOPLE = 120
_IN_DOUBT = 160  # the budget: people in doubt after a kill
_LATENCY = 0.05  # real seconds that Graph takes for an answer, so that kills strike while it is on its way
_LONGEST = 0.9  # real seconds from plan to kill: before, during or after the batches
_FAULTS = {"throttle": 0.03, "unavailable": 0.03, "gateway_timeout": 0.04}  # shares of the writes: ten in a hundred
_SETTLE = 60


@pytest.mark.parametrize(
    ("first", "number"), [(0, 5), *(pytest.param(n, 10, marks=pytest.mark.slow) for n in range(5, 205, 10))]
)
def test_killed_runs_end_as_if_nothing_had_happened(town: Town, first: int, number: int) -> None:
    """One seed each. A lease lapses after half a minute: the runs wait for it together."""
    town.control.set_switches(latency_seconds=_LATENCY)
    killed = [_order_and_kill(town, Random(seed)) for seed in range(first, first + number)]
    for seed, (school, key) in enumerate(killed, start=first):
        operation = town.await_end(key, within=150.0)
        assert operation.state is OperationState.COMPLETED, (seed, school.lag, Counter(town.people(operation).values()))
        assert town.await_line(key, LineState.COMPLETED), seed
        assert town.holders(school, A3) == set(school.people), seed
        assert town.holders(school, A1) == set(), seed
        check_promises(town, school, goal=A3, repeats=0 if school.lag < _SETTLE else None)


def _order_and_kill(town: Town, dice: Random) -> tuple[Customer, LineKey]:
    school = town.school(_PEOPLE, lag=dice.choice((0.0, 15.0, 300.0)), is_proven=dice.random() < 0.8)
    for kind, share in _FAULTS.items():
        town.control.add_fault(
            kind, tenant=school.tenant, route="assignLicense", probability=share, applied=kind == "gateway_timeout"
        )
    key = town.order(school, _PEOPLE)
    until(lambda: town.operations(key), "an operation")
    for _ in range(dice.choice((1, 1, 2))):
        let_pass(dice.uniform(0.0, _LONGEST))
        kill_worker(town.world, dice)
        assert _in_doubt(town, key) <= _IN_DOUBT
    return school, key


def _in_doubt(town: Town, key: LineKey) -> int:
    operation = town.operations(key)[-1]
    with town.services.open_uow() as uow:
        counts = uow.journal.step_counts(operation.operation_id)
    return counts.get(StepState.IN_FLIGHT, 0) + counts.get(StepState.UNKNOWN, 0)
