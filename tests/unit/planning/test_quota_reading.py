import pytest

from config.limits import default_limits
from provisioning.planning.quota import LONGEST_CLOSING, Bucket, Quota, Sizes, Watch
from provisioning.planning.quota_reading import BucketReading, read_app, read_tenant

SIZES = Sizes.of(default_limits())
FULL = Quota(Bucket(SIZES.app.burst, 0.0), Bucket(SIZES.tenant.burst, 0.0))


class TestReadApp:
    def test_says_what_share_of_the_savings_is_there_now(self) -> None:
        quota = Quota(Bucket(0.0, 0.0), FULL.tenant)
        assert read_app(quota, SIZES, 3.0).left == pytest.approx(3 * SIZES.app.rate / 700)

    def test_says_how_long_the_line_of_tenants_is(self) -> None:
        quota = Quota(FULL.app, FULL.tenant, line_at=12.0)
        assert (read_app(quota, SIZES, 5.0).turn_in, read_app(quota, SIZES, 20.0).turn_in) == (7.0, 0.0)


class TestReadTenant:
    def test_whoever_is_left_alone_has_everything(self) -> None:
        assert read_tenant(FULL, SIZES, 100.0) == BucketReading(left=1.0)

    @pytest.mark.parametrize(
        ("opens_at", "closed_for"), [(9.0, 4.0), (5.0, 0.0), (36_000.0, LONGEST_CLOSING.total_seconds())]
    )
    def test_a_closed_bucket_holds_nothing_for_now(self, opens_at: float, closed_for: float) -> None:
        seen = read_tenant(Quota(FULL.app, Bucket(60.0, opens_at)), SIZES, 5.0)
        assert (seen.closed_for, seen.left == 0.0) == (closed_for, closed_for > 0)

    def test_a_slowed_tenant_is_slowed_for_the_rest_of_the_window(self) -> None:
        quota = Quota(FULL.app, Bucket(60.0, 0.0, slow_until=150.0))
        assert read_tenant(quota, SIZES, 100.0).slowed_for == 50.0

    def test_tells_pace_and_what_was_refused_of_it(self) -> None:
        quota = Quota(FULL.app, FULL.tenant, watch=Watch(since=10.0, seconds=20.0, granted=200.0, refused=50.0))
        seen = read_tenant(quota, SIZES, 10.0)
        assert (seen.pace, seen.refused) == (7.5, 0.25)
