"""`python -m tests.benchmarks.demonstration`: a campaign over many tenants on a bad day, and what was promised for it.

One call in ten is refused, one tenant has fewer seats than people, one has not let us in, and when two fifths are done
every worker is killed. Real worker processes against the twin, in real time. Exit code 1 when a promise is broken.
"""

import argparse
import sys
import time
from collections import Counter
from typing import Any

import msgspec

from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.local.witness import compare
from provisioning.local.world import APP
from tests.benchmarks.demonstration_sheet import Demonstration, Kill, TenantSheet, table, with_promises
from tests.benchmarks.demonstration_stage import WORKERS, Campaign, campaign, make_weather, start_workers
from tests.journeys.customers import A3
from tests.journeys.furniture import Town
from tests.journeys.promises import events_of

_KILL_AT = 0.4
_APP_RATE = 35_000 / 300
_FEWEST = 3
_LOOK = 0.25
_GIVE_UP = 900.0
_IN_DOUBT = (StepState.IN_FLIGHT, StepState.UNKNOWN)


# ── the story ────────────────────────────────────────────────────────────────────────────────────────────────────────


def perform(tenants: int, people: int) -> Demonstration:
    """From the orders to the last end. Raises TimeoutError when it does not come."""
    with campaign(tenants, people) as all_of_them:
        town = all_of_them.town
        make_weather(town)
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
    for name in WORKERS:
        of.town.world.kill(name)
    killed = time.monotonic()
    locked, in_doubt, untouched = of.locked(), of.people_in(_IN_DOUBT), of.people_in((StepState.PENDING,))
    seen_by = max((entry["sequence"] for entry in _ledger(of.town)), default=0)
    start_workers(of.town.world)
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
            round_of_turns=len(of.customers) * limits.batch_size / _APP_RATE,
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
    if options.tenants < _FEWEST or options.people < 1:
        parser.error(
            f"It takes at least {_FEWEST} tenants, two of them with troubles of their own, and people in them."
        )
    try:
        found = perform(options.tenants, options.people)
    except TimeoutError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    lines = [msgspec.json.format(msgspec.json.encode(found), indent=2).decode()] if options.json else table(found)
    text = "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    return int(not found.is_kept)


if __name__ == "__main__":
    sys.exit(main())
