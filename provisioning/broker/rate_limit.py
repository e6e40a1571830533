"""How often one actor may ask, counted in Redis for all processes together."""

import time
from datetime import timedelta

from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis
from redis.exceptions import RedisError

from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import Actor
from provisioning.ports import Allowance

_MINUTE = timedelta(minutes=1)


class RedisRateLimit:
    """A minute that moves along: one moment for each request, which Redis forgets by itself. So the wait is exact."""

    def __init__(self, redis: Redis, per_minute: int) -> None:
        self._redis = redis
        self._item = RateLimitItemPerMinute(per_minute, namespace="api")
        self._limiter: MovingWindowRateLimiter | None = None

    def take(self, actor: Actor) -> Allowance:
        """Counts one request, those above the limit not. Raises UnavailableError without Redis."""
        try:
            return self._take(actor)
        except RedisError as error:
            raise UnavailableError(f"Redis does not answer ({type(error).__name__}).") from error

    def _take(self, actor: Actor) -> Allowance:
        limiter = self._counting()
        is_within = limiter.hit(self._item, actor)
        stats = limiter.get_window_stats(self._item, actor)
        resets_in = timedelta(seconds=max(stats.reset_time - time.time(), 0.0))
        remaining = max(stats.remaining, 0) if is_within else -1
        return Allowance(limit=self._item.amount, remaining=remaining, resets_in=min(resets_in, _MINUTE))

    def _counting(self) -> MovingWindowRateLimiter:
        """Made late: it loads its scripts into Redis."""
        if self._limiter is None:
            storage = RedisStorage("redis://", connection_pool=self._redis.connection_pool)
            self._limiter = MovingWindowRateLimiter(storage)
        return self._limiter
