"""The three window shapes and who pays for what."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.sandbox.quotas import (
    DEFAULT_LIMITS,
    Bucket,
    Charge,
    FixedWindow,
    Limit,
    Meter,
    Quotas,
    SlidingWindow,
    throttle_headers,
)

LIMIT = Limit("Tenant_Application", "Write", 10, 100)
SHAPES = [Bucket, SlidingWindow, FixedWindow]
WRITE = Charge("app", "tenant", users=100, units=1, writes=1)


def accepted(meter: Meter, moments: list[float]) -> list[float]:
    return [moment for moment in moments if meter.charge(1, moment) == 0]


class TestMeters:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_accept_the_capacity_and_refuse_the_excess(self, shape: type[Bucket]) -> None:
        assert len(accepted(shape(LIMIT, 0), [0.0] * 15)) == 10

    @pytest.mark.parametrize("shape", SHAPES)
    def test_the_wait_they_name_is_enough(self, shape: type[Bucket]) -> None:
        meter = shape(LIMIT, 0)
        wait = [meter.charge(1, 1.0) for _ in range(13)][-1]
        assert wait > 0
        assert meter.charge(1, 1.0 + wait + 0.001) == 0

    @pytest.mark.parametrize("shape", SHAPES)
    def test_hammering_makes_the_wait_longer_or_as_long(self, shape: type[Bucket]) -> None:
        meter = shape(LIMIT, 0)
        waits = [meter.charge(1, 1.0) for _ in range(17)][10:]
        assert waits == sorted(waits)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_debt_has_a_bottom(self, shape: type[Bucket]) -> None:
        meter = shape(LIMIT, 0)
        for _ in range(1_000):
            meter.charge(1, 0.0)
        assert meter.use(0.0) <= 1.8 + 1e-9

    @pytest.mark.parametrize("shape", SHAPES)
    def test_drained_they_accept_nothing_at_once(self, shape: type[Bucket]) -> None:
        meter = shape(LIMIT, 0)
        meter.drain(50.0)
        assert meter.charge(1, 50.0) > 0

    def test_a_bucket_refills_at_its_rate(self) -> None:
        meter = Bucket(LIMIT, 0)
        meter.drain(0)
        assert accepted(meter, [9.9, 40.0]) == [40.0]

    def test_a_drained_sliding_window_opens_evenly(self) -> None:
        meter = SlidingWindow(LIMIT, 0)
        meter.drain(100.0)
        moments = [100 + step * 10.5 for step in range(1, 11)]
        assert len(accepted(meter, moments)) >= 9

    def test_a_fixed_window_opens_all_at_once(self) -> None:
        meter = FixedWindow(LIMIT, 0)
        accepted(meter, [50.0] * 20)
        assert len(accepted(meter, [100.0] * 20)) == 10

    @given(st.lists(st.floats(0, 400), min_size=1, max_size=120))
    def test_no_sliding_window_ever_holds_more_than_the_capacity(self, moments: list[float]) -> None:
        taken = accepted(SlidingWindow(LIMIT, 0), sorted(moments))
        assert all(sum(start <= moment < start + 100 for moment in taken) <= 10 for start in taken)

    @given(st.lists(st.floats(0, 400), min_size=1, max_size=120))
    def test_a_bucket_never_exceeds_capacity_plus_rate(self, moments: list[float]) -> None:
        taken = accepted(Bucket(LIMIT, 0), sorted(moments))
        for start in taken:
            assert sum(start <= moment < start + 100 for moment in taken) <= 10 + 10


class TestQuotas:
    def narrow(self, **limits: Limit) -> Quotas:
        return Quotas("bucket", limits)

    def test_a_write_is_refused_by_the_limit_that_makes_it_wait_longest(self) -> None:
        quotas = self.narrow(
            app_writes=Limit("Application", "Write", 1, 10), tenant_writes=Limit("Tenant", "Write", 1, 1_000)
        )
        quotas.charge(WRITE, 0)
        verdict = quotas.charge(WRITE, 0)
        assert verdict.limit == quotas.limits["tenant_writes"]
        assert verdict.wait == pytest.approx(1_800)  # the deepest debt of 0.8, then one to spend

    def test_tenants_share_the_limit_of_the_app(self) -> None:
        quotas = self.narrow(app_writes=Limit("Application", "Write", 1, 10))
        quotas.charge(WRITE, 0)
        assert quotas.charge(Charge("app", "another", 100, 1, 1), 0).wait > 0

    def test_apps_share_the_limit_of_the_tenant(self) -> None:
        quotas = self.narrow(tenant_writes=Limit("Tenant", "Write", 1, 10))
        quotas.charge(WRITE, 0)
        assert quotas.charge(Charge("another", "tenant", 100, 1, 1), 0).wait > 0

    @pytest.mark.parametrize(("users", "reads"), [(49, 3_500), (50, 5_000), (500, 5_000), (501, 8_000)])
    def test_larger_tenants_may_read_more(self, users: int, reads: int) -> None:
        quotas = Quotas()
        assert quotas.charge(Charge("app", "tenant", users, units=reads), 0).wait == 0
        assert quotas.charge(Charge("app", "tenant", users, units=1), 0).wait > 0

    def test_draining_holds_for_tenants_never_seen(self) -> None:
        quotas = Quotas()
        quotas.drain(0)
        assert quotas.charge(WRITE, 0).wait > 0
        assert quotas.charge(WRITE, 60).wait == 0

    def test_microsofts_figures(self) -> None:
        written = {name: (limit.capacity, limit.window) for name, limit in DEFAULT_LIMITS.items()}
        assert written["app_tenant_writes"] == (3_000, 150)
        assert written["app_writes"] == (35_000, 300)
        assert written["tenant_writes"] == (18_000, 300)
        assert written["app_units"] == (150_000, 20)
        assert written["app_requests"] == (130_000, 10)


class TestThrottleHeaders:
    def test_a_quiet_limit_says_nothing(self) -> None:
        assert throttle_headers(Quotas().charge(WRITE, 0), WRITE) == {}

    def test_the_percentage_is_capped(self) -> None:
        quotas = Quotas("bucket", {"tenant_writes": Limit("Tenant", "Write", 1, 1_000)})
        verdict = [quotas.charge(WRITE, 0) for _ in range(50)][-1]
        headers = throttle_headers(verdict, WRITE)
        assert headers["x-ms-throttle-limit-percentage"] == "1.80"
        assert headers["x-ms-throttle-scope"] == "Tenant/Write/app/tenant"


class TestFairness:
    """A client that keeps to 98 % of the rate with a burst of 2 % is never refused, whatever the shape."""

    LIMIT = DEFAULT_LIMITS["app_tenant_writes"]
    RATE, BURST = 0.98 * LIMIT.capacity / LIMIT.window, 0.02 * LIMIT.capacity

    def refusals(self, meter: Meter, tokens: float, pauses: list[float]) -> int:
        now, refused = 0.0, 0
        for pause in pauses:
            now += pause
            tokens = min(self.BURST, tokens + pause * self.RATE)
            refused += sum(meter.charge(1, now) > 0 for _ in range(int(tokens)))
            tokens -= int(tokens)
        return refused

    @pytest.mark.parametrize("shape", SHAPES)
    @given(pauses=st.lists(st.sampled_from([0.05, 0.2, 1.0, 60.0]), min_size=400, max_size=400))
    @settings(max_examples=20)
    def test_starting_fresh(self, shape: type[Bucket], pauses: list[float]) -> None:
        assert self.refusals(shape(self.LIMIT, 0.0), self.BURST, pauses) == 0

    @pytest.mark.parametrize("shape", [Bucket, SlidingWindow])
    @given(pauses=st.lists(st.sampled_from([0.05, 0.2, 1.0, 3.0]), min_size=400, max_size=400))
    @settings(max_examples=20)
    def test_starting_drained(self, shape: type[Bucket], pauses: list[float]) -> None:
        meter = shape(self.LIMIT, 0.0)
        meter.drain(0.0)
        assert self.refusals(meter, 0.0, pauses) == 0
