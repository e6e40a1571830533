from datetime import timedelta

import pytest
from redis import Redis

from config.limits import default_limits
from provisioning.broker.connection import connect
from provisioning.broker.quota import RedisQuota
from provisioning.broker.quota_gauge import RedisQuotaGauge
from provisioning.domain.errors import UnavailableError
from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Lane
from provisioning.planning.quota import Sizes
from provisioning.planning.quota_reading import QuotaReading

SIZES = Sizes.of(default_limits())
ALPHA, BETA = TenantId("alpha"), TenantId("beta")
APP_SCOPE, TENANT_SCOPE = "Application/Write/a/", "Tenant_Application/Write/a/alpha"
A_MINUTE = timedelta(seconds=60)


def read(redis: Redis, *tenants: TenantId, factor: float = 1.0) -> QuotaReading:
    return RedisQuotaGauge(redis, SIZES, factor=factor).read(tenants)


class TestRead:
    def test_before_the_first_write_there_is_nothing_to_see(self, redis: Redis) -> None:
        assert read(redis, ALPHA) == QuotaReading()

    def test_looking_changes_nothing(self, redis: Redis) -> None:
        read(redis, ALPHA)
        assert redis.dbsize() == 0

    def test_who_was_not_heard_of_is_left_out(self, redis: Redis) -> None:
        RedisQuota(redis, SIZES).take(ALPHA, 1, Lane.ORDER)
        assert set(read(redis, ALPHA, BETA).tenants) == {ALPHA}

    def test_shows_what_is_closed_and_for_how_long(self, redis: Redis) -> None:
        quota = RedisQuota(redis, SIZES)
        quota.refused(ALPHA, TENANT_SCOPE, A_MINUTE, 7)
        found = read(redis, ALPHA)
        assert found.tenants[ALPHA].closed_for == pytest.approx(60, abs=5)
        assert (found.app and found.app.closed_for, found.refused) == (0.0, 7)
        quota.refused(BETA, APP_SCOPE, A_MINUTE)
        found = read(redis, ALPHA)
        assert found.app is not None
        assert found.app.closed_for == pytest.approx(60, abs=5)
        assert found.refused == 8

    def test_shows_who_is_slowed(self, redis: Redis) -> None:
        RedisQuota(redis, SIZES).pressed(ALPHA, 1.3)
        assert read(redis, ALPHA).tenants[ALPHA].slowed_for == pytest.approx(150, abs=5)

    def test_reads_the_clock_that_the_buckets_go_by(self, redis: Redis) -> None:
        fast = 1_000_000.0
        RedisQuota(redis, SIZES, factor=fast).take(ALPHA, 1, Lane.ORDER)
        app = read(redis, factor=fast).app
        assert app is not None
        assert app.left == 1.0

    def test_shows_the_pace_that_a_tenant_gets(self, redis: Redis) -> None:
        quota = RedisQuota(redis, SIZES, factor=10_000.0)
        seen = None
        for _ in range(50_000):
            quota.take(ALPHA, 100_000, Lane.ORDER)
            if (seen := read(redis, ALPHA, factor=10_000.0).tenants[ALPHA].pace) is not None:
                break
        assert seen is not None
        assert seen <= SIZES.tenant.rate * 1.05

    def test_without_redis_it_is_not_known(self) -> None:
        with connect("redis://localhost:1/0") as nowhere, pytest.raises(UnavailableError, match="Redis"):
            RedisQuotaGauge(nowhere, SIZES).read([ALPHA])
