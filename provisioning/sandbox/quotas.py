"""Throttling (learn.microsoft.com: "Microsoft Graph service-specific throttling limits", identity and access).

Nobody outside Microsoft knows the shape of the window, so there are three: a token bucket, a sliding and a fixed
window. In all of them a refused request counts as well: who hammers recovers later.
"""

import math
from collections import deque
from typing import Literal, Protocol

import msgspec

from provisioning.sandbox.foreign_load import REMEMBERED, ForeignLoads, Place

Shape = Literal["bucket", "sliding", "fixed"]
Family = Literal["identity", "education"]

_ROUNDING = 1e-6
MOST_USE = 1.8  # the highest percentage Graph reports, so the deepest debt a meter remembers


class Limit(msgspec.Struct, frozen=True):
    """`capacity` per `window` sandbox seconds; `scope` and `kind` as in x-ms-throttle-scope."""

    scope: Literal["Tenant_Application", "Application", "Tenant"]
    kind: Literal["Write", "ReadWrite"]
    capacity: float
    window: float
    family: Literal["identity", "education", "any"] = "identity"


DEFAULT_LIMITS = {
    "app_tenant_writes": Limit("Tenant_Application", "Write", 3_000, 150),
    "app_writes": Limit("Application", "Write", 35_000, 300),
    "tenant_writes": Limit("Tenant", "Write", 18_000, 300),
    "app_tenant_units_small": Limit("Tenant_Application", "ReadWrite", 3_500, 10),
    "app_tenant_units_medium": Limit("Tenant_Application", "ReadWrite", 5_000, 10),
    "app_tenant_units_large": Limit("Tenant_Application", "ReadWrite", 8_000, 10),
    "app_units": Limit("Application", "ReadWrite", 150_000, 20),
    "app_requests": Limit("Application", "ReadWrite", 130_000, 10, "any"),
    "education_app_tenant": Limit("Tenant_Application", "ReadWrite", 35_000, 10, "education"),
    "education_app": Limit("Application", "ReadWrite", 400_000, 20, "education"),
}


class Meter(Protocol):
    def charge(self, cost: float, now: float) -> float:
        """Count `cost` and return the seconds to wait: 0 when accepted."""

    def use(self, now: float) -> float:
        """The part of the limit in use; above 1 when refused requests pile up."""

    def drain(self, now: float) -> None:
        """Leave nothing: buckets and sliding windows open evenly from now on, a fixed window when it turns."""


class Bucket:
    def __init__(self, limit: Limit, now: float) -> None:
        self._capacity = limit.capacity
        self._rate = limit.capacity / limit.window
        self._level, self._at = self._capacity, now

    def charge(self, cost: float, now: float) -> float:
        self._refill(now)
        missing = cost - self._level
        self._level = max(self._level - cost, self._capacity * (1 - MOST_USE))
        return 0.0 if missing <= 0 else (cost - self._level) / self._rate

    def use(self, now: float) -> float:
        self._refill(now)
        return 1 - self._level / self._capacity

    def drain(self, now: float) -> None:
        self._level, self._at = 0.0, now

    def _refill(self, now: float) -> None:
        self._level = min(self._capacity, self._level + (now - self._at) * self._rate)
        self._at = now


class SlidingWindow:
    """Exact to the request: no window of that length, wherever it starts, holds more than the capacity."""

    def __init__(self, limit: Limit, _now: float) -> None:
        self._capacity, self._window = limit.capacity, limit.window
        self._rate = limit.capacity / limit.window
        self._requests: deque[tuple[float, float]] = deque()
        self._counted = 0.0
        self._drained_at = -math.inf

    def charge(self, cost: float, now: float) -> float:
        self._forget(now)
        used = self._used(now)
        self._count(min(cost, self._capacity * MOST_USE - used), now)
        return 0.0 if used + cost <= self._capacity + _ROUNDING else self._wait(cost, now)

    def use(self, now: float) -> float:
        self._forget(now)
        return self._used(now) / self._capacity

    def drain(self, now: float) -> None:
        self._requests.clear()
        self._counted, self._drained_at = 0.0, now

    def _used(self, now: float) -> float:
        return self._counted + self._before_drain(now)

    def _before_drain(self, now: float) -> float:
        """What is left of a window used evenly until the moment of draining."""
        return max(0.0, self._capacity - (now - self._drained_at) * self._rate)

    def _count(self, cost: float, now: float) -> None:
        self._requests.append((now, cost))
        self._counted += cost

    def _forget(self, now: float) -> None:
        while self._requests and self._requests[0][0] + self._window <= now:
            self._counted -= self._requests.popleft()[1]

    def _wait(self, cost: float, now: float) -> float:
        """Until enough of the requests, or of what was used before draining, is a window old."""
        excess = self._used(now) + cost - self._capacity
        for moment, counted in self._requests:
            leaves = moment + self._window
            if self._before_drain(now) - self._before_drain(leaves) >= excess:
                break
            excess -= counted
            if self._before_drain(now) - self._before_drain(leaves) >= excess:
                return leaves - now
        return excess / self._rate


class FixedWindow:
    def __init__(self, limit: Limit, now: float) -> None:
        self._capacity, self._window = limit.capacity, limit.window
        self._started, self._used = now, 0.0

    def charge(self, cost: float, now: float) -> float:
        self._turn(now)
        accepted = self._used + cost <= self._capacity
        self._used = min(self._used + cost, self._capacity * MOST_USE)
        return 0.0 if accepted else self._started + self._window - now

    def use(self, now: float) -> float:
        self._turn(now)
        return self._used / self._capacity

    def drain(self, now: float) -> None:
        self._started, self._used = now, self._capacity

    def _turn(self, now: float) -> None:
        if now >= self._started + self._window:
            self._started += math.floor((now - self._started) / self._window) * self._window
            self._used = 0.0


_METERS: dict[Shape, type[Bucket] | type[SlidingWindow] | type[FixedWindow]] = {
    "bucket": Bucket,
    "sliding": SlidingWindow,
    "fixed": FixedWindow,
}


class Charge(msgspec.Struct, frozen=True):
    """What one request costs, and whom: the caller's app, the tenant, and how many users that tenant has.

    `share` is the part of each limit open to it: less than 1 for a request of low priority.
    """

    app_id: str
    tenant_id: str
    users: int
    units: int
    writes: int = 0
    family: Family = "identity"
    share: float = 1.0


class Verdict(msgspec.Struct, frozen=True):
    """How long to wait (0: accepted), which limit said so, and the highest use among all limits."""

    wait: float
    limit: Limit | None
    use: float


class Quotas:
    def __init__(self, shape: Shape = "bucket", limits: dict[str, Limit] | None = None) -> None:
        self.shape = shape
        self.limits = {**DEFAULT_LIMITS, **(limits or {})}
        self._meters: dict[tuple[str, str], Meter] = {}
        self._drained_at: float | None = None
        self.foreign = ForeignLoads()

    def charge(self, charge: Charge, now: float) -> Verdict:
        """Count the request on every limit it touches, also when one of them refuses it."""
        worst: Verdict = Verdict(0.0, None, 0.0)
        for name, cost in self._costs(charge):
            meter = self._meter(name, charge, now)
            wait = meter.charge(cost, now)
            use, limit = meter.use(now), self.limits[name]
            if charge.share < use <= 1:
                wait = max(wait, (use - charge.share) * limit.window)
            worst = Verdict(max(wait, worst.wait), limit if wait > worst.wait else worst.limit, max(use, worst.use))
        return worst

    def reset(self, now: float) -> None:
        """Every limit is unused again; foreign loads go on from here."""
        self._meters.clear()
        self._drained_at = None
        self.foreign.forget(now)

    def drain(self, now: float) -> None:
        """Every limit, also of tenants not seen yet, is used up now."""
        self._drained_at = now
        for meter in self._meters.values():
            meter.drain(now)
        self.foreign.forget(now)

    def restore(self) -> None:
        """Microsoft's limits, nothing counted, no foreign load."""
        self.limits = dict(DEFAULT_LIMITS)
        self.foreign.clear()
        self._meters.clear()
        self._drained_at = None

    def load(self, tenant_id: str, writes: float, now: float) -> None:
        """Count writes that other apps did in the tenant."""
        self._settled("tenant_writes", tenant_id, tenant_id, now).charge(writes, now)

    def _costs(self, charge: Charge) -> list[tuple[str, float]]:
        requests = ("app_requests", 1.0)
        if charge.family == "education":
            return [requests, ("education_app_tenant", 1.0), ("education_app", 1.0)]
        costs = [requests, (f"app_tenant_units_{_size(charge.users)}", charge.units), ("app_units", charge.units)]
        if charge.writes:
            costs += [(name, charge.writes) for name in ("app_tenant_writes", "app_writes", "tenant_writes")]
        return costs

    def _meter(self, name: str, charge: Charge, now: float) -> Meter:
        limit = self.limits[name]
        keys = {
            "Tenant_Application": f"{charge.app_id}/{charge.tenant_id}",
            "Application": charge.app_id,
            "Tenant": charge.tenant_id,
        }
        return self._settled(name, keys[limit.scope], charge.tenant_id, now)

    def _settled(self, name: str, key: str, tenant_id: str, now: float) -> Meter:
        """The meter with everything on it that foreign apps did until now."""
        meter, limit = self._opened(name, key, now), self.limits[name]
        if self.foreign:
            self.foreign.settle(Place(name, key, tenant_id, limit.window), meter, now)
        return meter

    def _opened(self, name: str, key: str, now: float) -> Meter:
        meter = self._meters.get((name, key))
        if meter is None:
            born = self._born(self.limits[name].window, now)
            meter = self._meters[name, key] = _METERS[self.shape](self.limits[name], born)
            if self._drained_at is not None:
                meter.drain(self._drained_at)
        return meter

    def _born(self, window: float, now: float) -> float:
        """Foreign apps were at it before we came: a meter knows the windows that they still fill, by the clock."""
        return now - now % window - REMEMBERED * window if self.foreign else now


def _size(users: int) -> str:
    if users < 50:  # noqa: PLR2004 - Microsoft's own border between small and medium tenants
        return "small"
    return "medium" if users <= 500 else "large"  # noqa: PLR2004 - likewise, medium and large


def throttle_headers(verdict: Verdict, charge: Charge) -> dict[str, str]:
    """x-ms-throttle-*: the scope and cause of a refusal, and the use of the limit from 80 % on."""
    headers = {}
    if verdict.use > 0.8:  # noqa: PLR2004 - the documented threshold
        headers["x-ms-throttle-limit-percentage"] = f"{min(verdict.use, MOST_USE):.2f}"
    if verdict.limit:
        limit = verdict.limit
        headers["x-ms-throttle-scope"] = f"{limit.scope}/{limit.kind}/{charge.app_id}/{charge.tenant_id}"
        cause = "WriteLimitExceeded" if limit.kind == "Write" else "ResourceUnitLimitExceeded"
        headers["x-ms-throttle-information"] = cause
    return headers
