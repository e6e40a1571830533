"""How often an actor may ask, counted by Redis itself."""

from datetime import timedelta

import pytest
from redis import Redis

from provisioning.broker.connection import connect
from provisioning.broker.rate_limit import RedisRateLimit
from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import Actor

WEBSHOP, DESK = Actor("client:webshop"), Actor("client:desk")


class TestTake:
    def test_counts_down_to_nothing_and_then_says_no(self, redis: Redis) -> None:
        limit = RedisRateLimit(redis, 3)
        assert [limit.take(WEBSHOP).remaining for _ in range(4)] == [2, 1, 0, -1]
        assert limit.take(WEBSHOP).is_spent

    def test_one_too_many_is_told_when_the_next_is_allowed(self, redis: Redis) -> None:
        limit = RedisRateLimit(redis, 1)
        assert not limit.take(WEBSHOP).is_spent
        assert timedelta(0) < limit.take(WEBSHOP).resets_in <= timedelta(minutes=1)

    def test_counts_each_actor_alone(self, redis: Redis) -> None:
        limit = RedisRateLimit(redis, 1)
        assert not limit.take(WEBSHOP).is_spent
        assert not limit.take(DESK).is_spent

    def test_counts_for_all_processes_together(self, redis: Redis) -> None:
        assert not RedisRateLimit(redis, 1).take(WEBSHOP).is_spent
        assert RedisRateLimit(redis, 1).take(WEBSHOP).is_spent

    def test_goes_on_after_redis_was_flushed(self, redis: Redis) -> None:
        limit = RedisRateLimit(redis, 1)
        limit.take(WEBSHOP)
        redis.flushall()
        redis.script_flush()
        assert not limit.take(WEBSHOP).is_spent

    def test_without_redis_it_says_so(self) -> None:
        limit = RedisRateLimit(connect("redis://localhost:1/0"), 3)
        for _ in range(2):
            with pytest.raises(UnavailableError, match="Redis does not answer"):
                limit.take(WEBSHOP)
