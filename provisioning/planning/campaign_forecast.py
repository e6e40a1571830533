"""The night of a campaign: how many writes each tenant needs, by case, and when each wave will have sent them. Pure.

Three cases are counted apart because they cost so differently: who comes with empty hands joins a group, twenty in one
call; who has the old product through a group of ours gets the new one with one write for the whole group; a direct
licence that clashes takes a write each, and in group mode two more afterwards, when people move into the group.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush

import msgspec

from provisioning.domain.ids import TenantId
from provisioning.domain.operation import MEMBERS_PER_CALL, StepKind
from provisioning.planning.plan import Plan
from provisioning.planning.quota import Sizes

_FIRST = frozenset({StepKind.SWAP, StepKind.ASSIGN, StepKind.SET_PLANS})


class Writes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Calls that a tenant needs, by case. `moves` come later: nobody is without the product in between."""

    empty_hands: int = 0
    groups: int = 0
    clashing: int = 0
    moves: int = 0
    locations: int = 0  # usage locations that are set first

    @property
    def tonight(self) -> int:
        """Until everybody has the new product."""
        return self.empty_hands + self.groups + self.clashing + self.locations

    @property
    def in_all(self) -> int:
        return self.tonight + self.moves


class WaveForecast(msgspec.Struct, frozen=True, kw_only=True):
    wave: int
    tenants: int
    people: int
    writes: Writes
    begins_at: datetime
    done_at: datetime  # the last write is sent; reading back follows


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One member's part of the night."""

    tenant_id: TenantId
    wave: int
    people: int
    writes: Writes


def writes_of(plan: Plan) -> Writes:
    """By case, from the very plan that would be applied."""
    changed = {step.subject_id for step in plan.steps if step.kind in _FIRST}
    groups = locations = clashing = empty = joining = moves = 0
    for step in plan.steps:
        match step.kind:
            case StepKind.LICENSE_GROUP | StepKind.CREATE_GROUP:
                groups += 1
            case StepKind.SET_USAGE_LOCATION:
                locations += 1
            case StepKind.ADD_MEMBERS if step.subject_id not in changed:
                joining += 1
            case StepKind.ASSIGN if not step.change.remove_skus:
                empty += 1
            case kind if kind in _FIRST:
                clashing += 1
            case StepKind.NO_OP:
                pass
            case _:
                moves += 1
    joined = -(-joining // MEMBERS_PER_CALL)
    return Writes(empty_hands=empty + joined, groups=groups, clashing=clashing, moves=moves, locations=locations)


def together(some: Iterable[Writes]) -> Writes:
    """The sum of each case."""
    listed = list(some)
    return Writes(**{name: sum(getattr(one, name) for one in listed) for name in Writes.__struct_fields__})


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """How a campaign opens: `widening` tenants of the next wave for each that ended, `at_once` under way at most.

    `is_past_canaries`: nobody waits for all of the first wave any more.
    """

    widening: float
    at_once: int
    is_past_canaries: bool = False


def foretell_night(
    loads: Iterable[Load],
    begins_at: datetime,
    sizes: Sizes,
    opening: Opening,
    elapse: Callable[[datetime, timedelta], datetime] = datetime.__add__,
) -> tuple[WaveForecast, ...]:
    """Wave by wave, as `campaign_turn` opens them: the canaries, then the next while the one before is still going.

    `elapse` as in `migration_forecast.Outlook`: shut windows count.
    """
    by_wave: dict[int, list[Load]] = {}
    for load in loads:
        by_wave.setdefault(load.wave, []).append(load)
    waves = [some for _, some in sorted(by_wave.items())]
    begun, ended = _Night([_writes_in(some) for some in waves], sizes, opening).played()
    return tuple(
        WaveForecast(
            wave=some[0].wave,
            tenants=len({one.tenant_id for one in some}),
            people=sum(one.people for one in some),
            writes=together(one.writes for one in some),
            begins_at=elapse(begins_at, timedelta(seconds=begun[place])),
            done_at=elapse(begins_at, timedelta(seconds=ended[place])),
        )
        for place, some in enumerate(waves)
    )


def _writes_in(loads: Iterable[Load]) -> list[int]:
    """Of each tenant: several products or holders in one go one after the other."""
    pending: Counter[TenantId] = Counter()
    for one in loads:
        pending[one.tenant_id] += one.writes.in_all
    return list(pending.values())


class _Night:
    """Tenants side by side in equal shares of the app's rate, none above a tenant's own.

    As shares are equal, whoever is under way has written as much since another began as that one: each ends when the
    common count has grown by its own writes.
    """

    def __init__(self, waves: Sequence[Sequence[int]], sizes: Sizes, opening: Opening) -> None:
        self._waves, self._opening = waves, opening
        self._most, self._rate = sizes.tenant.rate, sizes.app.rate
        self._begun, self._ended = ([0] * len(waves) for _ in range(2))  # tenants
        self._first, self._last = ([0.0] * len(waves) for _ in range(2))  # seconds
        self._under_way: list[tuple[float, int]] = []  # the count at which one ends, and its wave
        self._now = self._count = 0.0

    def played(self) -> tuple[list[float], list[float]]:
        """When each wave begins and when its last write is sent, in seconds."""
        while sum(self._ended) < sum(map(len, self._waves)):
            self._begin()
            self._go_to_next_end()
        return self._first, self._last

    def _begin(self) -> None:
        for wave, tenants in enumerate(self._waves):
            while self._begun[wave] < self._open(wave) and len(self._under_way) < self._opening.at_once:
                if not self._begun[wave]:
                    self._first[wave] = self._now
                heappush(self._under_way, (self._count + tenants[self._begun[wave]], wave))
                self._begun[wave] += 1

    def _open(self, wave: int) -> int:
        """How many of a wave may have begun by now."""
        tenants = len(self._waves[wave])
        if wave == 0 or self._ended[wave - 1] == len(self._waves[wave - 1]):
            return tenants
        if wave == 1 and not self._opening.is_past_canaries:
            return 0
        return min(tenants, int(self._opening.widening * self._ended[wave - 1]))

    def _go_to_next_end(self) -> None:
        share = min(self._most, self._rate / len(self._under_way))
        count, wave = heappop(self._under_way)
        self._now += (count - self._count) / share
        self._count = count
        self._ended[wave] += 1
        self._last[wave] = self._now
