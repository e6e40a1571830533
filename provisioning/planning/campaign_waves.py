"""Which tenants of a campaign go when: canaries that stand for all the others, then waves that widen. Deterministic."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from math import ceil

import msgspec

from provisioning.domain.ids import TenantId
from provisioning.domain.tenancy import AssignmentMode

_LARGE = 0.9  # the largest tenth of the tenants


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What makes one tenant unlike another for a remap."""

    people: int
    mode: AssignmentMode = AssignmentMode.DIRECT
    has_addons: bool = False


def waves_of(tenants: Mapping[TenantId, Traits], canaries: int, widening: float) -> dict[TenantId, int]:
    """The wave of each tenant; 0 are the canaries. Each wave is `widening` times the one before, rounded up.

    Every tenant is in exactly one wave, and waves are numbered without a gap.
    """
    ordered = _representative(tenants)
    return {
        tenant: number
        for number, (start, end) in enumerate(_bounds(len(ordered), canaries, widening))
        for tenant in ordered[start:end]
    }


def _bounds(tenants: int, canaries: int, widening: float) -> Iterator[tuple[int, int]]:
    start, size = 0, max(1, canaries)
    while start < tenants:
        yield start, min(start + size, tenants)
        start, size = start + size, max(size, ceil(size * widening))


def _representative(tenants: Mapping[TenantId, Traits]) -> Sequence[TenantId]:
    """In turn from each kind of tenant there is, so that however few come first, they stand for the others.

    The commonest kind leads: with fewer canaries than kinds, those that most tenants belong to are tried.
    """
    kinds: dict[tuple[object, ...], list[TenantId]] = defaultdict(list)
    large = _large(tenants)
    for tenant, traits in sorted(tenants.items()):
        kinds[tenant in large, traits.mode, traits.has_addons].append(tenant)
    by_size = sorted(kinds.values(), key=lambda some: (-len(some), some))
    return [one for one in chain.from_iterable(zip_longest(*by_size)) if one is not None]


def _large(tenants: Mapping[TenantId, Traits]) -> Collection[TenantId]:
    by_people = sorted(tenants, key=lambda one: (tenants[one].people, one))
    return frozenset(by_people[int(len(by_people) * _LARGE) :])
