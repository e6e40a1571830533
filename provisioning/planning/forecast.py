"""When will it be done: writes that are still to come, shared out fairly, at the pace that each tenant shows."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from heapq import heappop, heappush
from math import ceil, inf

import msgspec

from provisioning.domain.ids import OperationId, TenantId
from provisioning.domain.operation import MEMBERS_PER_CALL, StepKind
from provisioning.planning.quota import Sizes

_LEAST = 0.05  # of a tenant's rate: a window in which nothing gets through says little of the next


class Work(msgspec.Struct, frozen=True):
    """Writes that an operation still has to send; one write may carry several people."""

    operation_id: OperationId
    tenant_id: TenantId
    writes: int


def writes_in(counts: Mapping[str, int]) -> int:
    """The calls that steps of these kinds need; people join a group twenty at a time."""
    people = counts.get(StepKind.ADD_MEMBERS, 0)
    alone = sum(number for kind, number in counts.items() if kind not in {StepKind.ADD_MEMBERS, StepKind.NO_OP})
    return alone + ceil(people / MEMBERS_PER_CALL)


def foretell(
    work: Collection[Work], sizes: Sizes, pace: Mapping[TenantId, float] | None = None
) -> dict[OperationId, timedelta]:
    """When each operation will have sent its last write, if all of them go on together.

    Operations of one tenant take turns, chunk by chunk: the smaller one is done when as much of the others is.
    """
    by_tenant: dict[TenantId, list[Work]] = {}
    for each in work:
        by_tenant.setdefault(each.tenant_id, []).append(each)
    ends = forecast({tenant: sum(one.writes for one in some) for tenant, some in by_tenant.items()}, sizes, pace)
    return {one.operation_id: ends[tenant] * _share(one, some) for tenant, some in by_tenant.items() for one in some}


def _share(one: Work, others: Collection[Work]) -> float:
    """The part of the tenant's writes that is sent by the time this operation's are."""
    return sum(min(each.writes, one.writes) for each in others) / max(1, sum(each.writes for each in others))


def forecast(
    pending: Mapping[TenantId, int], sizes: Sizes, pace: Mapping[TenantId, float] | None = None
) -> dict[TenantId, timedelta]:
    """When each tenant's writes will be sent if all of them go on together, in fair shares of the app's rate.

    `pace` has the writes a second that tenants were seen to get by themselves, where others' writes or refusals leave
    them less than their rate: they go on at that pace, and what they leave of their share goes to the rest.
    """
    known = pace or {}
    most, least = sizes.tenant.rate, sizes.tenant.rate * _LEAST
    rates = {tenant: min(most, max(least, known.get(tenant, inf))) for tenant in pending}
    ends = _Road(pending, rates, sizes.app.rate).ends()
    return {tenant: timedelta(seconds=seconds) for tenant, seconds in ends.items()}


class _Road:
    """All tenants side by side. Who is slower than an equal share goes at their own pace, the others share the rest.

    The share only grows, as tenants come to their end: who goes at their own pace does so to the end.
    """

    def __init__(self, pending: Mapping[TenantId, int], rates: Mapping[TenantId, float], rate: float) -> None:
        self._pending, self._rates, self._rate = pending, rates, rate
        self._slowest_last = sorted(pending, key=lambda tenant: -rates[tenant])
        self._smallest_last = sorted(pending, key=lambda tenant: -pending[tenant])
        self._sharing = set(pending)
        self._apart: list[tuple[float, TenantId]] = []  # at their own pace, by the moment of their end
        self._now = self._written = 0.0  # written: by each of those who share
        self._ends: dict[TenantId, float] = {}

    def ends(self) -> dict[TenantId, float]:
        """Seconds from now, by tenant."""
        while len(self._ends) < len(self._pending):
            self._part_with_the_slow()
            self._go_to_next_end()
        return self._ends

    @property
    def _share(self) -> float:
        return self._rate / len(self._sharing) if self._sharing else 0.0

    def _part_with_the_slow(self) -> None:
        while slowest := self._last(self._slowest_last):
            own = self._rates[slowest]
            if own > self._share:
                return
            heappush(self._apart, (self._now + (self._pending[slowest] - self._written) / own, slowest))
            self._sharing.remove(slowest)
            self._rate -= own

    def _go_to_next_end(self) -> None:
        smallest = self._last(self._smallest_last)
        shared_end = self._now + (self._pending[smallest] - self._written) / self._share if smallest else inf
        apart_end = self._apart[0][0] if self._apart else inf
        end = min(shared_end, apart_end)
        self._written += (end - self._now) * self._share
        self._now = end
        if smallest and shared_end <= apart_end:
            self._sharing.remove(smallest)
            self._ends[smallest] = end
        else:
            _, tenant = heappop(self._apart)
            self._rate += self._rates[tenant]
            self._ends[tenant] = end

    def _last(self, tenants: list[TenantId]) -> TenantId | None:
        """The last of them who still shares."""
        while tenants and tenants[-1] not in self._sharing:
            tenants.pop()
        return tenants[-1] if tenants else None
