"""What the demonstration measured, what was promised, and both on a screen of eighty columns."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

import msgspec

from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.local.witness import Testimony

_LINE = "{:<10} {:<20} {:>6} {:>8} {:>8} {:>6} {:>8}  {}"
_WIDTH = 80
_AGAINST = "Against the twin of Graph: figures of what the service does, not of how fast Microsoft is."
IN_DOUBT = 160  # people of one operation: a chunk


class TenantSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant at the end. `holders`: people who hold the product by the twin's ledger; the others: by our list.

    `listed_right`: the verified people are exactly the holders. `done_after`: seconds from the orders to its end.
    """

    name: str
    tenant_id: str
    state: OperationState
    ordered: int
    people: int
    verified: int
    waiting: int
    others: int
    holders: int
    listed_right: bool
    testimony: Testimony
    done_after: float | None = None

    @property
    def adds_up(self) -> bool:
        return self.verified + self.waiting + self.others in {0, self.people}


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """All workers at once. `in_doubt`: people by operation; seconds are real, from the kill."""

    at_share: float
    in_doubt: tuple[int, ...]
    untouched: int
    goes_on_after: float  # the first write to somebody who was not in doubt
    others_after: float  # the last tenant, of those where no worker was, to go on
    locked_after: float  # the same of tenants whose lease had to lapse
    settled_after: float


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """`value` and `bound` as they are told."""

    told: str
    value: str
    bound: str
    kept: bool


class Demonstration(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it. `calls`: accepted and refused; `least`: the seconds that Microsoft's quota needs for them."""

    tenants: tuple[TenantSheet, ...]
    kill: Kill
    short: str  # the tenant with fewer seats than people
    closed: str  # the tenant without consent
    taken: float
    calls: int
    refused: int
    least: float
    settle_within: float
    lease: float
    round_of_turns: float  # seconds until each tenant has had a full batch, at the application's rate
    promises: tuple[Promise, ...] = ()

    @property
    def is_kept(self) -> bool:
        return all(promise.kept for promise in self.promises)


def with_promises(of: Demonstration) -> Demonstration:
    """The same with each promise judged."""
    return msgspec.structs.replace(of, promises=(*_of_lists(of), *_of_kill(of), *_of_odd_ones(of)))


def _of_lists(of: Demonstration) -> Iterator[Promise]:
    tenants = of.tenants
    yield _count("every list adds up to its people", sum(not one.adds_up for one in tenants))
    yield _count("who is called verified holds the licence, and nobody else", sum(not x.listed_right for x in tenants))
    unequal = sum(not one.testimony.is_equal for one in tenants)
    yield _count("each change has one line in the log, each line a change", unequal)
    yield _count("no change is made twice", sum(len(one.testimony.written_twice) for one in tenants), "people")
    yield _count("everybody reached an end", sum(one.others for one in tenants), "people")


def _of_kill(of: Demonstration) -> Iterator[Promise]:
    kill = of.kill
    yield _at_most("people in doubt after the kill, most of one operation", max(kill.in_doubt, default=0), IN_DOUBT, "")
    yield _at_most("untouched people go on after", kill.goes_on_after, 10.0, "s")
    told = "each tenant where no worker was goes on after (10 s and a turn)"
    yield _at_most(told, kill.others_after, 10.0 + of.round_of_turns, "s")
    yield _at_most("tenants whose worker died go on after (lease and 10 s)", kill.locked_after, of.lease + 10.0, "s")
    yield _at_most("people in doubt are settled after (time-out and settle)", kill.settled_after, of.settle_within, "s")


def _of_odd_ones(of: Demonstration) -> Iterator[Promise]:
    by_name = {one.name: one for one in of.tenants}
    short, closed = by_name[of.short], by_name[of.closed]
    waiting = short.people - short.ordered
    kept = (short.waiting, short.state) == (waiting, OperationState.PARTIALLY_COMPLETED)
    told = f"{short.name} has {short.ordered} seats: the others wait, in order"
    yield Promise(told=told, value=f"{short.waiting}", bound=f"= {waiting}", kept=kept)
    waits = closed.state is OperationState.AWAITING_CONSENT and closed.holders == 0
    yield Promise(told=f"{closed.name} waits for consent", value=closed.state, bound="", kept=waits)
    open_still = sum(one.state not in OPERATION_ENDS for one in of.tenants if one is not closed)
    yield _count("and holds up nobody", open_still)


def _count(told: str, value: int, unit: str = "tenants") -> Promise:
    return Promise(told=told, value=f"{value} {unit}", bound="= 0", kept=value == 0)


def _at_most(told: str, value: float, bound: float, unit: str) -> Promise:
    figure = f"{value:.1f} {unit}" if unit else f"{value:,.0f}"
    return Promise(told=told, value=figure, bound=f"≤ {bound:g}", kept=value <= bound)


def table(of: Demonstration) -> Iterator[str]:
    """For people: a line per tenant, a line per promise."""
    yield _LINE.format("tenant", "state", "people", "verified", "waiting", "twin", "done", "log")
    yield "─" * _WIDTH
    for one in of.tenants:
        done = "–" if one.done_after is None else f"{one.done_after:.0f} s"
        mark = "ok" if one.testimony.is_equal and one.listed_right and one.adds_up else "NO"
        state = one.state.replace("_", " ")
        yield _LINE.format(one.name, state, one.people, one.verified, one.waiting, one.holders, done, mark)
    yield ""
    yield from _promises(of.promises)
    yield ""
    refused = f"{of.refused:,} of {of.calls:,} calls refused"
    told = f"{of.taken:.0f} s in all, {refused}; Microsoft's quota needs {of.least:.0f} s for so many."
    yield from wrap(f"{told} {_AGAINST}", _WIDTH)


def _promises(promises: Sequence[Promise]) -> Iterator[str]:
    for one in promises:
        mark = "ok" if one.kept else "NO"
        figure = f"{one.value} {one.bound}".strip()
        told = one.told if len(one.told) + len(figure) < _WIDTH - 5 else f"{one.told[: _WIDTH - 7 - len(figure)]}…"
        yield f"{mark}  {told}{' ' * (_WIDTH - 4 - len(told) - len(figure))}{figure}"
