"""Workers killed at any point of a migration: it ends as if nothing had happened, and nothing is done twice."""

from random import Random

import pytest

from provisioning.domain.migration import Phase, WaveDefinition
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from tests.journeys.both_tenants import check_both
from tests.journeys.customers import A3
from tests.journeys.furniture import Town
from tests.journeys.mergers import EVERYONE, Merger, names_in, pass_hold_period
from tests.journeys.misfortune import kill_both
from tests.journeys.patience import let_pass
from tests.journeys.promises import check_log

_PEOPLE = 25
_LATENCY = 0.05  # real seconds that Graph takes for an answer, so that kills strike while it is on its way
_LONGEST = 1.5  # real seconds from a decision to the kill: before, during or after the writes
_FAULTS = {"throttle": 0.03, "unavailable": 0.03, "gateway_timeout": 0.04}  # shares of the writes: ten in a hundred
_WITHIN = 200.0
_ALL_AT_ONCE = (WaveDefinition(number=1, name="allen", selector=EVERYONE),)
_STAGES = (Phase.PREPARE, Phase.ENABLE, Phase.RELEASE)


@pytest.mark.parametrize(
    ("first", "number"), [(0, 1), *(pytest.param(n, 20, marks=pytest.mark.slow) for n in range(1, 201, 20))]
)
def test_killed_migrations_end_as_if_nothing_had_happened(town: Town, first: int, number: int) -> None:
    """One seed each, side by side: a lease lapses after half a minute, and they wait for it together."""
    town.control.set_switches(latency_seconds=_LATENCY)
    dice = {seed: Random(seed) for seed in range(first, first + number)}
    mergers = {seed: _merger(town, dice[seed]) for seed in dice}
    struck = {seed: dice[seed].choice(_STAGES) for seed in dice}
    for stage in _STAGES:
        if stage is Phase.RELEASE:
            pass_hold_period(*mergers.values())
        for seed, merger in mergers.items():
            _begin(merger, stage)
            if struck[seed] is stage:
                let_pass(dice[seed].uniform(0.0, _LONGEST))
                kill_both(town.world)
        for merger in mergers.values():
            _await(merger, stage)
    for seed, merger in mergers.items():
        _check(merger, seed)
    check_log(town)


def _merger(town: Town, dice: Random) -> Merger:
    lag = dice.choice((0.0, 15.0))
    merger = Merger.prepare(town, _PEOPLE, pilot=_PEOPLE, source={"lag": lag}, target={"lag": lag}, waves=_ALL_AT_ONCE)
    for customer in (merger.source, merger.target):
        for kind, share in _FAULTS.items():
            town.control.add_fault(
                kind,
                tenant=customer.tenant,
                route="assignLicense",
                probability=share,
                applied=kind == "gateway_timeout",
            )
    return merger


def _begin(merger: Merger, stage: Phase) -> None:
    """What people decide; what follows is the workers' business."""
    match stage:
        case Phase.PREPARE:
            merger.start(1)
            merger.approve(stage, 1)
        case Phase.ENABLE:
            merger.open_gate(names_in(merger.travellers(1)))
        case _:
            merger.release(1)
            merger.approve(stage, 1)


_REACHED = {Phase.PREPARE: WaveState.GATED, Phase.ENABLE: WaveState.HOLDING, Phase.RELEASE: WaveState.DONE}


def _await(merger: Merger, stage: Phase) -> None:
    merger.await_wave(1, _REACHED[stage], within=_WITHIN)


def _check(merger: Merger, seed: int) -> None:
    merger.await_state(MigrationState.COMPLETED)
    assert merger.states() == {PersonState.RELEASED}, seed
    assert merger.town.holders(merger.source, A3) == set(), seed
    assert merger.town.holders(merger.target, A3) == set(merger.target.people), seed
    check_both(merger)
