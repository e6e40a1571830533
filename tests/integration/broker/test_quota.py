from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from config.limits import default_limits
from provisioning.broker.connection import connect
from provisioning.broker.quota import RedisQuota
from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Lane
from provisioning.planning.quota import Sizes

SIZES = Sizes.of(default_limits())
ALPHA, BETA = TenantId("alpha"), TenantId("beta")
FAST = 1_000_000.0  # buckets fill between two commands
SLOW = 1e-6  # and here not at all
CLOSED = timedelta(seconds=60)


def taken(quota: RedisQuota, tenant: TenantId = ALPHA, writes: int = 1) -> int:
    return quota.take(tenant, writes, Lane.ORDER).writes


@pytest.fixture
def full(redis: Redis) -> RedisQuota:
    """Buckets that are full again at every command."""
    quota = RedisQuota(redis, SIZES, factor=FAST)
    taken(quota)
    return quota


class TestTake:
    def test_a_store_that_lost_everything_starts_with_empty_buckets(self, redis: Redis) -> None:
        assert taken(RedisQuota(redis, SIZES, factor=SLOW)) == 0

    def test_a_tenant_seen_for_the_first_time_has_a_full_bucket(self, full: RedisQuota) -> None:
        assert full.take(TenantId("new"), 60, Lane.ORDER).writes == 60

    def test_bulk_work_leaves_a_tenth_to_orders(self, full: RedisQuota) -> None:
        assert full.take(BETA, 54, Lane.BULK).writes == 54
        assert full.take(ALPHA, 60, Lane.BULK).writes == 40  # in full batches, where not everything is there

    def test_all_workers_take_from_the_same_bucket(self, redis: Redis) -> None:
        one, other = RedisQuota(redis, SIZES, factor=SLOW), RedisQuota(redis, SIZES, factor=SLOW)
        one.refused(ALPHA, "Application/Write/a/", CLOSED)
        assert taken(other, BETA) == 0

    def test_says_when_the_rest_may_be_tried(self, redis: Redis) -> None:
        grant = RedisQuota(redis, SIZES, factor=SLOW).take(ALPHA, 500, Lane.ORDER)
        assert grant.after == pytest.approx(timedelta(seconds=20 / 19.6), abs=timedelta(milliseconds=1))

    def test_rates_scale_with_the_clock(self, redis: Redis) -> None:
        quota = RedisQuota(redis, SIZES, factor=FAST)
        taken(quota)
        assert quota.take(ALPHA, 60, Lane.ORDER).writes == 60


class TestRefused:
    def test_closes_the_tenant(self, redis: Redis) -> None:
        quota = RedisQuota(redis, SIZES)
        quota.refused(ALPHA, None, CLOSED)
        grant = quota.take(ALPHA, 1, Lane.ORDER)
        assert grant.writes == 0
        assert grant.after == pytest.approx(CLOSED, abs=timedelta(seconds=5))

    def test_leaves_other_tenants_alone(self, full: RedisQuota) -> None:
        full.refused(ALPHA, "Tenant_Application/Write/a/alpha", CLOSED)
        assert taken(full, BETA) == 1

    def test_without_a_scope_the_tenant_saves_up_meanwhile(self, redis: Redis) -> None:
        quota = RedisQuota(redis, SIZES, factor=1_000.0)
        taken(quota)
        quota.refused(ALPHA, None, timedelta(seconds=1))
        grants = (quota.take(ALPHA, 60, Lane.ORDER) for _ in range(10_000))
        assert next(grant.writes for grant in grants if grant.writes) >= 20

    def test_a_limit_on_reads_closes_nothing(self, full: RedisQuota) -> None:
        full.refused(ALPHA, "Tenant_Application/Read/a/alpha", timedelta(minutes=15))
        assert taken(full) == 1


class TestPressed:
    def test_slows_the_tenant_for_a_window(self, redis: Redis) -> None:
        quota = RedisQuota(redis, SIZES)
        quota.pressed(ALPHA, 1.2)
        assert 150_000 < redis.pttl("{quota}:tenant:alpha") <= 155_000

    def test_below_the_limit_changes_nothing(self, redis: Redis) -> None:
        RedisQuota(redis, SIZES).pressed(ALPHA, 0.98)
        assert redis.keys() == []


class TestWithoutRedis:
    @pytest.fixture
    def unreachable(self, tmp_path: Path) -> Iterator[RedisQuota]:
        with connect(f"unix://{tmp_path}/nobody.sock") as client:
            yield RedisQuota(client, SIZES)

    def test_nothing_may_be_written(self, unreachable: RedisQuota) -> None:
        grant = unreachable.take(ALPHA, 20, Lane.ORDER)
        assert (grant.writes, grant.after) == (0, timedelta(seconds=5))

    def test_a_refusal_that_cannot_be_shared_does_no_harm(self, unreachable: RedisQuota) -> None:
        unreachable.refused(ALPHA, None, CLOSED)
        unreachable.pressed(ALPHA, 1.5)
