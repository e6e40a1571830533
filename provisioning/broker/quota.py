"""The shared quota in Redis: `planning.quota` as one atomic script, so that all workers take from the same buckets."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict, cast

import msgspec
import structlog
from redis import Redis
from redis.exceptions import RedisError

from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Lane
from provisioning.planning import quota
from provisioning.planning.quota import Scope, Sizes
from provisioning.ports import Grant

SCRIPT = Path(__file__).with_name("quota.lua").read_text("utf-8")
# Hash tags: the buckets of all tenants live on one node of a cluster, as one script must.
APP_KEY = "{quota}:app"
TENANT_KEY = "{quota}:tenant:"
_SERVER_TIME = ""
_UNREACHABLE_FOR = timedelta(seconds=5)  # as long as the sweep waits before it sends something again
_EPOCH = datetime.fromtimestamp(0, UTC)
CLOSING = {Scope.APP: "close_app", Scope.TENANT: "close_tenant", Scope.UNNAMED: "pause"}

_log = structlog.get_logger(__name__)


class QuotaTime(TypedDict, total=False):
    """The clock of the buckets, where it is not the server's own."""

    factor: float
    origin: datetime


class RedisQuota:
    """The write buckets in Redis time, `origin + factor × elapsed`; all durations are on that clock.

    Without Redis nothing may be written; a Redis that lost everything starts with empty buckets.
    """

    def __init__(self, redis: Redis, sizes: Sizes, *, factor: float = 1.0, origin: datetime = _EPOCH) -> None:
        self._script = redis.register_script(SCRIPT)
        self._sizes = sizes
        self._rules = script_rules(sizes, factor, origin)
        self._unreachable = Grant(0, _UNREACHABLE_FOR * factor)

    def take(self, tenant: TenantId, writes: int, lane: Lane) -> Grant:
        """Up to `writes` tokens; 0 while a bucket is closed, while it is another tenant's turn, or without Redis."""
        taken = self._run(tenant, "take", writes, int(lane is Lane.BULK))
        return self._unreachable if taken is None else Grant(taken[0], timedelta(seconds=taken[1]))

    def refused(self, tenant: TenantId, scope: str | None, after: timedelta | None, writes: int = 1) -> None:
        """Microsoft answered 429 to so many writes: nobody writes through the bucket that `scope` names until `after`.

        Without a scope the tenant is left alone for as long.
        """
        bucket = quota.parse_scope(scope)
        if bucket is not None:
            self._run(tenant, CLOSING[bucket], quota.closed_for(after), writes)

    def pressed(self, tenant: TenantId, percentage: float) -> None:
        """Above 1.0 the tenant gets a tenth less for a window."""
        if percentage > quota.PRESSED_ABOVE:
            self._run(tenant, "slow", self._sizes.tenant.window)

    def _run(self, tenant: TenantId, operation: str, *words: float) -> tuple[int, float] | None:
        try:
            answer = self._script(
                keys=[APP_KEY, TENANT_KEY + tenant], args=[self._rules, _SERVER_TIME, operation, *words]
            )
        except RedisError as error:
            _log.warning("quota.unreachable", tenant_id=tenant, operation=operation, error=type(error).__name__)
            return None
        writes, after = cast("tuple[int, bytes]", answer)
        return writes, float(after)


def script_rules(sizes: Sizes, factor: float = 1.0, origin: datetime = _EPOCH) -> bytes:
    """What the script has to know, as its first argument."""
    rules = msgspec.to_builtins(sizes) | {
        "origin": origin.timestamp(),
        "factor": factor,
        "longest_closing": quota.LONGEST_CLOSING.total_seconds(),
        "slowed_by": quota.SLOWED_BY,
        "crowded_below": quota.CROWDED_BELOW,
    }
    return msgspec.json.encode(rules)
