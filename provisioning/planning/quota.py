"""The write quota as arithmetic: two buckets, the line in front of the smaller one, and what Microsoft says of them.

Graph allows an app 3,000 writes per 150 s in a tenant and 35,000 per 300 s over all tenants
(learn.microsoft.com: Microsoft Graph service-specific throttling limits, identity and access). Nobody outside knows
whether that is a bucket, a sliding or a fixed window; a rate of 98 % with savings of 2 % fits into all three.
`broker/quota.lua` is this same arithmetic inside Redis; a test holds the two together. Moments are seconds on the
service's clock, from any origin.
"""

import math
from datetime import timedelta
from enum import StrEnum
from typing import Self

import msgspec

from provisioning.domain.limits import Limits
from provisioning.domain.operation import Lane

NEVER = -math.inf
SLOWED_BY = 0.1
CROWDED_BELOW = 0.5  # of the app's savings: from here on bulk work stands in line, tenant by tenant
_ROUNDING = 1e-6  # a token that is only missing by the last bits of a float is a token

CLOSED_UNTOLD = timedelta(seconds=10)  # a refusal without Retry-After: typical of what Graph asks
LONGEST_CLOSING = timedelta(minutes=15)  # nor does a clock that jumps back close a bucket for longer
EVIDENCE = 10.0  # seconds of waiting for one's own quota from which on a pace is told: some ten turns
PRESSED_ABOVE = 1.0  # x-ms-throttle-limit-percentage: at 98 % of the limit 0.98 is health, above 1 someone is refused


class Size(msgspec.Struct, frozen=True):
    """`rate` writes a second, `burst` writes saved up at most; bulk work leaves `reserve` of them to orders."""

    rate: float
    burst: float
    reserve: float
    window: float

    @classmethod
    def of(cls, writes: int, window: timedelta, limits: Limits) -> Self:
        seconds = window.total_seconds()
        burst = writes * limits.quota_burst
        return cls(writes * limits.quota_rate / seconds, burst, burst * limits.quota_reserved_for_orders, seconds)

    def kept_from(self, lane: Lane) -> float:
        return self.reserve if lane is Lane.BULK else 0.0


class Sizes(msgspec.Struct, frozen=True):
    """Both buckets, and how many writes one turn is: a full batch, or what a very small bucket can save up."""

    app: Size
    tenant: Size
    turn: int

    @classmethod
    def of(cls, limits: Limits) -> Self:
        app = Size.of(limits.app_writes, limits.app_window, limits)
        tenant = Size.of(limits.tenant_writes, limits.tenant_window, limits)
        savings = min(app.burst - app.reserve, tenant.burst - tenant.reserve)
        return cls(app, tenant, max(1, min(limits.batch_size, math.floor(savings))))


class Bucket(msgspec.Struct, frozen=True):
    """`level` tokens at the moment `at`; a moment to come means closed until then, and empty."""

    level: float
    at: float
    slow_until: float = NEVER

    def refilled(self, size: Size, now: float) -> "Bucket":
        since = min(self.at, now + LONGEST_CLOSING.total_seconds())
        elapsed = max(0.0, now - since)
        slowed = max(0.0, min(now, self.slow_until) - since)
        level = min(size.burst, self.level + (elapsed - slowed * SLOWED_BY) * size.rate)
        return Bucket(level, max(since, now), self.slow_until)

    def without(self, writes: float) -> "Bucket":
        return Bucket(self.level - writes, self.at, self.slow_until)

    def closed(self, until: float) -> "Bucket":
        return Bucket(0.0, max(self.at, until), self.slow_until)

    def paused(self, size: Size, until: float) -> "Bucket":
        """Closed, while tokens go on coming in."""
        return self.refilled(size, max(self.at, until))

    def slowed(self, until: float) -> "Bucket":
        return Bucket(self.level, self.at, max(self.slow_until, until))

    def wait_for(self, tokens: float, size: Size, now: float) -> float:
        """Seconds until it holds so many, if nobody takes any."""
        return max(0.0, self.at - now) + max(0.0, tokens - self.level) / size.rate


class Watch(msgspec.Struct, frozen=True):
    """What one tenant gets while it could have more, over the last window of such time.

    `since`: the moment from which on it has been waiting for more (NEVER: it wants nothing); `seconds` that it waited
    for its own quota, not for its turn among tenants; writes `granted` and `refused` in them.
    """

    since: float = NEVER
    seconds: float = 0.0
    granted: float = 0.0
    refused: float = 0.0

    @property
    def pace(self) -> float | None:
        """Accepted writes a second; None until there is evidence. Others' writes in the tenant show here."""
        return None if self.seconds < EVIDENCE else max(1.0, self.granted - self.refused) / self.seconds


class Quota(msgspec.Struct, frozen=True):
    """What all workers share, seen from one tenant. `line_at`: when the next turn is free; `turn_at`: the tenant's.

    `granted` and `refused` count the writes of all tenants since the store began.
    """

    app: Bucket
    tenant: Bucket
    line_at: float = NEVER
    turn_at: float = NEVER
    watch: Watch = Watch()
    granted: float = 0.0
    refused: float = 0.0

    def without(self, writes: int) -> "Quota":
        return _with(
            self,
            app=self.app.without(writes),
            tenant=self.tenant.without(writes),
            granted=self.granted + writes,
        )

    def watched(self, window: float, now: float) -> Watch:
        """The tenant's watch once the time since it was left wanting more is counted."""
        seen = self.watch
        if seen.since == NEVER:
            return seen
        in_line = max(0.0, min(self.turn_at, now) - max(seen.since, self.tenant.at))
        own = min(window, max(0.0, now - seen.since - in_line))
        keep = 1 - own / window  # what is a window old is forgotten, the rest by and by
        return Watch(seen.since, seen.seconds * keep + own, seen.granted * keep, seen.refused * keep)

    @classmethod
    def empty(cls, now: float) -> Self:
        """How everything begins: nothing saved up, for nobody knows what was written before."""
        return cls(Bucket(0.0, now), Bucket(0.0, now))


class Taken(msgspec.Struct, frozen=True):
    """How many writes may be sent, and in how many seconds the rest is worth trying."""

    writes: int
    after: float


def take(quota: Quota, sizes: Sizes, writes: int, lane: Lane, now: float) -> tuple[Quota, Taken]:
    """Take up to `writes` tokens from both buckets at once, and none while one of them is closed.

    Who cannot have them all gets full batches: a half one costs a call as well. When tenants crowd the app's bucket
    each of them takes one turn and goes to the back of the line. Orders pass, unless they ask for more than a turn:
    a hundred schools that order for all their staff on one day are a crowd like any other.
    """
    watch = quota.watched(sizes.tenant.window, now)
    app, tenant = quota.app.refilled(sizes.app, now), quota.tenant.refilled(sizes.tenant, now)
    is_crowded = app.level < sizes.app.burst * CROWDED_BELOW
    # A line that has dissolved is forgotten: turns of tenants that never came back would keep the others waiting.
    quota = _with(quota, app=app, tenant=tenant, line_at=quota.line_at if is_crowded else NEVER)
    if is_crowded and (lane is Lane.BULK or writes > sizes.turn):
        quota, taken = _take_turn(_joined(quota, sizes, writes, lane, now), sizes, writes, lane, now)
    else:
        granted = _available(quota, sizes, writes, lane, now)
        quota = quota.without(granted)
        taken = Taken(granted, _wait(quota, sizes, writes - granted, lane, now))
    return _with(quota, watch=_noted(watch, taken.writes, writes, now)), taken


def _noted(watch: Watch, granted: int, wanted: int, now: float) -> Watch:
    """What is granted without a wait says nothing of the pace."""
    counted = granted if watch.since > NEVER else 0
    since = now if granted < wanted else NEVER
    return Watch(since, watch.seconds, watch.granted + counted, watch.refused)


def _take_turn(quota: Quota, sizes: Sizes, writes: int, lane: Lane, now: float) -> tuple[Quota, Taken]:
    is_due = quota.turn_at <= now + _ROUNDING
    granted = _available(quota, sizes, min(writes, sizes.turn), lane, now) if is_due else 0
    rest = writes - granted
    if granted:
        quota = _with(quota, turn_at=NEVER).without(granted)
        quota = _joined(quota, sizes, rest, lane, now) if rest else quota
    wait = _wait(quota, sizes, rest, lane, now)
    return quota, Taken(granted, max(wait, quota.turn_at - now) if rest else 0.0)


def _joined(quota: Quota, sizes: Sizes, writes: int, lane: Lane, now: float) -> Quota:
    if quota.turn_at > NEVER:
        return quota
    tokens = min(writes, sizes.turn)
    served = now + quota.app.wait_for(tokens + sizes.app.kept_from(lane), sizes.app, now)
    turn_at = max(quota.line_at, served)
    return _with(quota, line_at=turn_at + tokens / sizes.app.rate, turn_at=turn_at)


def _available(quota: Quota, sizes: Sizes, writes: int, lane: Lane, now: float) -> int:
    if max(quota.app.at, quota.tenant.at) > now:
        return 0
    app, tenant = quota.app.level - sizes.app.kept_from(lane), quota.tenant.level - sizes.tenant.kept_from(lane)
    spare = max(0, math.floor(min(app, tenant, writes) + _ROUNDING))
    return writes if spare == writes else spare - spare % sizes.turn


def _wait(quota: Quota, sizes: Sizes, writes: int, lane: Lane, now: float) -> float:
    if writes == 0:
        return 0.0
    tokens = min(writes, sizes.turn)
    return max(
        quota.app.wait_for(tokens + sizes.app.kept_from(lane), sizes.app, now),
        quota.tenant.wait_for(tokens + sizes.tenant.kept_from(lane), sizes.tenant, now),
    )


# ── what Microsoft says ──────────────────────────────────────────────────────────────────────────────────────────────


class Scope(StrEnum):
    """Which of the buckets a refusal speaks of."""

    APP = "app"
    TENANT = "tenant"
    UNNAMED = "unnamed"  # of none: Graph was busy, and is with one tenant at a time


def parse_scope(text: str | None) -> Scope | None:
    """The bucket behind `x-ms-throttle-scope` (`<Scope>/<Limit>/<AppId>/<TenantId>`); None: a limit on reads alone.

    An unknown scope is the tenant's: by far the most likely, and the cheapest to be wrong about.
    """
    if not text:
        return Scope.UNNAMED
    scope, limit, *_ = [*text.split("/"), ""]
    if limit.casefold() == "read":
        return None
    return Scope.APP if scope.casefold() == "application" else Scope.TENANT


def closed_for(after: timedelta | None) -> float:
    """The seconds that a bucket stays closed after a refusal."""
    return min(after or CLOSED_UNTOLD, LONGEST_CLOSING).total_seconds()


def refused(
    quota: Quota, sizes: Sizes, scope: str | None, after: timedelta | None, now: float, writes: int = 1
) -> Quota:
    """So many writes were refused (429): the bucket that the scope names is empty, and stays so until `after` passed.

    Where no limit is named none was reached (learn.microsoft.com, throttling limits: the answer to a write beyond
    one has x-ms-throttle-scope): the tenant is left alone for as long, and then has what it saved up.
    """
    until = now + closed_for(after)
    bucket = parse_scope(scope)
    if bucket is None:
        return quota
    watch = quota.watch
    watch = Watch(watch.since, watch.seconds, watch.granted, watch.refused + writes)
    quota = _with(quota, watch=watch, refused=quota.refused + writes)
    match bucket:
        case Scope.APP:
            return _with(quota, app=quota.app.closed(until))
        case Scope.TENANT:
            return _with(quota, tenant=quota.tenant.closed(until))
        case Scope.UNNAMED:
            return _with(quota, tenant=quota.tenant.paused(sizes.tenant, until))


def pressed(quota: Quota, percentage: float, sizes: Sizes, now: float) -> Quota:
    """Above its limit, by others' writes or ours: the tenant gets a tenth less for a window."""
    if percentage <= PRESSED_ABOVE:
        return quota
    return _with(quota, tenant=quota.tenant.slowed(now + sizes.tenant.window))


_with = msgspec.structs.replace
