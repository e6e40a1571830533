"""The night of a campaign: how many writes each tenant needs, by case, and when each wave will have sent them. Pure.

Three cases are counted apart because they cost so differently: who comes with empty hands joins a group, twenty in one
call; who has the old product through a group of ours gets the new one with one write for the whole group; a direct
licence that clashes takes a write each, and in group mode two more afterwards, when people move into the group.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.ids import TenantId
from provisioning.domain.operation import MEMBERS_PER_CALL, StepKind
from provisioning.planning.forecast import forecast
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


def foretell_night(
    loads: Iterable[Load],
    begins_at: datetime,
    sizes: Sizes,
    pace: Mapping[TenantId, float] | None = None,
    elapse: Callable[[datetime, timedelta], datetime] = datetime.__add__,
) -> tuple[WaveForecast, ...]:
    """Each wave once the one before it is done. `elapse` as in `migration_forecast.Outlook`: shut windows count."""
    by_wave: dict[int, list[Load]] = {}
    for load in loads:
        by_wave.setdefault(load.wave, []).append(load)
    foretold: list[WaveForecast] = []
    for wave, some in sorted(by_wave.items()):
        done_at = elapse(begins_at, _takes(some, sizes, pace))
        foretold.append(
            WaveForecast(
                wave=wave,
                tenants=len({one.tenant_id for one in some}),
                people=sum(one.people for one in some),
                writes=together(one.writes for one in some),
                begins_at=begins_at,
                done_at=done_at,
            )
        )
        begins_at = done_at
    return tuple(foretold)


def _takes(loads: Iterable[Load], sizes: Sizes, pace: Mapping[TenantId, float] | None) -> timedelta:
    """Until the slowest tenant's last write, all of them side by side in both buckets."""
    pending: dict[TenantId, int] = {}
    for one in loads:
        pending[one.tenant_id] = pending.get(one.tenant_id, 0) + one.writes.in_all
    busy = {tenant: writes for tenant, writes in pending.items() if writes}
    return max(forecast(busy, sizes, pace).values(), default=timedelta(0)) if busy else timedelta(0)
