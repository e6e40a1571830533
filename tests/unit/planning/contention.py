"""Workers of many tenants against one Microsoft, in virtual time."""

import heapq
from collections import defaultdict, deque
from collections.abc import Mapping
from enum import Enum
from random import Random
from typing import Protocol

import msgspec

from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Lane
from provisioning.planning.quota import Bucket, Quota, Sizes, take

TRAVEL_SECONDS = 0.3  # the longest time between a token and Microsoft's count
IDLE_SECONDS = 0.5  # the longest time that a tenant whose turn it is goes unnoticed


class Meter(Protocol):
    def accepts(self, at: float) -> bool: ...


class MicrosoftBucket:
    def __init__(self, capacity: float, window: float) -> None:
        self._capacity, self._rate = capacity, capacity / window
        self._level, self._at = capacity, 0.0

    def accepts(self, at: float) -> bool:
        self._level = min(self._capacity, self._level + (at - self._at) * self._rate)
        self._at = at
        self._level -= 1  # a refused call counts too
        return self._level >= 0


class SlidingWindow:
    def __init__(self, capacity: float, window: float) -> None:
        self._capacity, self._window = capacity, window
        self._calls: deque[float] = deque()

    def accepts(self, at: float) -> bool:
        while self._calls and self._calls[0] <= at - self._window:
            self._calls.popleft()
        self._calls.append(at)
        return len(self._calls) <= self._capacity


class FixedWindow:
    def __init__(self, capacity: float, window: float) -> None:
        self._capacity, self._window = capacity, window
        self._number, self._calls = 0, 0

    def accepts(self, at: float) -> bool:
        if (number := int(at // self._window)) != self._number:
            self._number, self._calls = number, 0
        self._calls += 1
        return self._calls <= self._capacity


class Window(Enum):
    BUCKET = MicrosoftBucket
    SLIDING = SlidingWindow
    FIXED = FixedWindow


class Contention:
    """Every tenant asks for bulk writes, comes back when it was told to, and is a little late."""

    def __init__(self, sizes: Sizes, window: Window, random: Random, *, is_drained: bool, started: float = 0.0) -> None:
        self._sizes, self._random, self._started = sizes, random, started
        share = 0.0 if is_drained else 1.0
        self._fresh = Bucket(sizes.tenant.burst * share, started)
        self._shared = Quota(Bucket(sizes.app.burst * share, started), self._fresh)
        self._tenants: dict[TenantId, Quota] = {}
        self._app_meter: Meter = window.value(35_000, 300)
        self._meters: dict[TenantId, Meter] = defaultdict(lambda: window.value(3_000, 150))
        self._arrivals: list[tuple[float, TenantId]] = []
        self.done: dict[TenantId, float] = {}
        self.sent = self.refused = 0

    @property
    def ended(self) -> float:
        return max(self.done.values())

    def run(self, pending: Mapping[TenantId, int], ask: int) -> None:
        left = dict(pending)
        turns = [(self._started, tenant) for tenant in left]
        heapq.heapify(turns)
        while turns:
            now, tenant = heapq.heappop(turns)
            writes, after = self._take(tenant, min(ask, left[tenant]), now)
            left[tenant] -= writes
            if left[tenant]:
                heapq.heappush(turns, (now + after + self._random.random() * IDLE_SECONDS, tenant))
            else:
                self.done[tenant] = now - self._started
        self._arrive()

    def _take(self, tenant: TenantId, writes: int, now: float) -> tuple[int, float]:
        own = self._tenants.get(tenant, Quota(self._fresh, self._fresh))
        seen = msgspec.structs.replace(self._shared, tenant=own.tenant, turn_at=own.turn_at, watch=own.watch)
        self._shared, taken = take(seen, self._sizes, writes, Lane.BULK, now)
        self._tenants[tenant] = self._shared
        self._arrivals += [(now + self._random.random() * TRAVEL_SECONDS, tenant) for _ in range(taken.writes)]
        return taken.writes, taken.after

    def _arrive(self) -> None:
        for at, tenant in sorted(self._arrivals):
            in_tenant, in_app = self._meters[tenant].accepts(at), self._app_meter.accepts(at)
            self.sent += 1
            self.refused += not (in_tenant and in_app)
