from datetime import timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.limits import default_limits
from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Lane
from provisioning.planning.quota import (
    CLOSED_UNTOLD,
    LONGEST_CLOSING,
    NEVER,
    Bucket,
    Quota,
    Scope,
    Sizes,
    Watch,
    parse_scope,
    pressed,
    refused,
    take,
)
from tests.unit.planning.contention import Contention, Window

SIZES = Sizes.of(default_limits())
FULL = Quota(Bucket(SIZES.app.burst, 0.0), Bucket(SIZES.tenant.burst, 0.0))
TENANT_SCOPE = "Tenant_Application/Write/9d0a2b0e-0000-4000-8000-000000000001/5b0c1f0e-0000-4000-8000-000000000002"
APP_SCOPE = "Application/Write/9d0a2b0e-0000-4000-8000-000000000001/"


class TestSizes:
    def test_the_rate_is_98_percent_of_what_microsoft_allows(self) -> None:
        assert SIZES.tenant.rate == pytest.approx(19.6)
        assert SIZES.app.rate == pytest.approx(114.333, abs=0.001)

    def test_the_savings_are_60_and_700_writes_with_a_tenth_for_orders(self) -> None:
        assert (SIZES.tenant.burst, SIZES.app.burst) == (60, 700)
        assert (SIZES.tenant.reserve, SIZES.app.reserve) == (6, 70)

    def test_rate_and_savings_together_never_exceed_the_window(self) -> None:
        for size, allowed in ((SIZES.tenant, 3_000), (SIZES.app, 35_000)):
            assert size.rate * size.window + size.burst <= allowed


class TestTake:
    @pytest.mark.parametrize(
        ("asked", "lane", "granted"),
        [
            pytest.param(1, Lane.ORDER, 1, id="one write"),
            pytest.param(60, Lane.ORDER, 60, id="orders may empty the bucket"),
            pytest.param(61, Lane.ORDER, 60, id="and no more"),
            pytest.param(54, Lane.BULK, 54, id="bulk work leaves a tenth"),
            pytest.param(55, Lane.BULK, 40, id="of the bucket to orders"),
            pytest.param(19, Lane.BULK, 19, id="less than a batch, if that is all"),
            pytest.param(500, Lane.BULK, 40, id="full batches, if it is not"),
        ],
    )
    def test_grants_what_the_tenants_bucket_holds(self, asked: int, lane: Lane, granted: int) -> None:
        assert take(FULL, SIZES, asked, lane, 0.0)[1].writes == granted

    @pytest.mark.parametrize(("asked", "granted"), [(11, 11), (12, 0), (20, 0)])
    def test_grants_what_the_apps_bucket_holds_when_that_is_less(self, asked: int, granted: int) -> None:
        quota = Quota(Bucket(11.0, 0.0), FULL.tenant)
        assert take(quota, SIZES, asked, Lane.ORDER, 0.0)[1].writes == granted

    @pytest.mark.parametrize(("level", "granted"), [(19.0, 0), (20.0, 20), (39.0, 20)])
    def test_what_is_short_of_a_batch_is_saved_up(self, level: float, granted: int) -> None:
        quota, taken = take(Quota(FULL.app, Bucket(level, 0.0)), SIZES, 160, Lane.ORDER, 0.0)
        assert (taken.writes, quota.tenant.level) == (granted, level - granted)

    def test_a_bucket_that_cannot_hold_a_batch_has_smaller_turns(self) -> None:
        sizes = Sizes.of(msgspec.structs.replace(default_limits(), tenant_writes=300))
        assert (sizes.tenant.burst, sizes.turn) == (6, 5)
        _, taken = take(Quota(FULL.app, Bucket(6.0, 0.0)), sizes, 160, Lane.BULK, 0.0)
        assert taken.writes == 5

    def test_an_empty_bucket_says_when_a_batch_is_there(self) -> None:
        quota = Quota(FULL.app, Bucket(0.0, 0.0))
        assert take(quota, SIZES, 500, Lane.ORDER, 0.0)[1].after == pytest.approx(20 / 19.6)

    def test_less_than_a_batch_waits_for_less(self) -> None:
        quota = Quota(FULL.app, Bucket(0.0, 0.0))
        assert take(quota, SIZES, 1, Lane.ORDER, 0.0)[1].after == pytest.approx(1 / 19.6)

    def test_everything_granted_has_nothing_to_wait_for(self) -> None:
        assert take(FULL, SIZES, 5, Lane.BULK, 0.0)[1].after == 0.0

    @given(st.integers(1, 2_000), st.sampled_from(Lane), st.floats(0, 700), st.floats(0, 60))
    def test_the_wait_it_names_is_long_enough_for_one_who_is_alone(
        self, writes: int, lane: Lane, app: float, tenant: float
    ) -> None:
        quota, taken = take(Quota(Bucket(app, 0.0), Bucket(tenant, 0.0)), SIZES, writes, lane, 0.0)
        rest = writes - taken.writes
        if rest:
            assert take(quota, SIZES, rest, lane, taken.after)[1].writes >= min(rest, SIZES.turn)

    @given(st.lists(st.tuples(st.integers(1, 200), st.sampled_from(Lane), st.floats(0, 5)), max_size=60))
    def test_no_sequence_of_takers_gets_more_than_savings_and_rate(self, calls: list[tuple[int, Lane, float]]) -> None:
        quota, now, total = FULL, 0.0, 0
        for writes, lane, pause in calls:
            now += pause
            quota, taken = take(quota, SIZES, writes, lane, now)
            total += taken.writes
            assert total <= SIZES.tenant.burst + SIZES.tenant.rate * now + 1e-3

    def test_savings_stop_at_the_burst_however_long_nobody_writes(self) -> None:
        assert take(FULL, SIZES, 500, Lane.ORDER, 1e6)[1].writes == 60

    def test_begins_empty_when_nobody_knows_what_was_written_before(self) -> None:
        assert take(Quota.empty(7.0), SIZES, 1, Lane.ORDER, 7.0)[1].writes == 0


class TestTakeInACrowd:
    CROWDED = Quota(Bucket(300.0, 0.0), FULL.tenant)

    def test_each_tenant_takes_one_turn_and_is_told_when_the_next_is(self) -> None:
        quota, taken = take(self.CROWDED, SIZES, 60, Lane.BULK, 0.0)
        assert taken.writes == SIZES.turn
        assert quota.turn_at == pytest.approx(20 / SIZES.app.rate)
        assert taken.after == pytest.approx(quota.turn_at)

    def test_who_comes_before_the_turn_gets_nothing_and_keeps_it(self) -> None:
        quota, _ = take(self.CROWDED, SIZES, 60, Lane.BULK, 0.0)
        again, taken = take(quota, SIZES, 40, Lane.BULK, quota.turn_at / 2)
        assert taken.writes == 0
        assert again.turn_at == quota.turn_at

    def test_the_next_tenant_stands_behind(self) -> None:
        quota, _ = take(self.CROWDED, SIZES, 60, Lane.BULK, 0.0)
        _, taken = take(Quota(quota.app, FULL.tenant, quota.line_at), SIZES, 20, Lane.BULK, 0.0)
        assert taken.writes == 0
        assert taken.after == pytest.approx(40 / SIZES.app.rate)

    @pytest.mark.parametrize(
        ("asked", "granted"),
        [pytest.param(3, 3, id="a few"), pytest.param(20, 20, id="a turn"), pytest.param(21, 0, id="more than a turn")],
    )
    def test_orders_do_not_stand_in_line_unless_they_are_a_crowd_themselves(self, asked: int, granted: int) -> None:
        quota, _ = take(self.CROWDED, SIZES, 60, Lane.BULK, 0.0)
        quota = Quota(quota.app, FULL.tenant, quota.line_at)
        assert take(quota, SIZES, asked, Lane.ORDER, 0.0)[1].writes == granted

    def test_a_line_that_dissolved_is_forgotten(self) -> None:
        ghosts = Quota(FULL.app, FULL.tenant, line_at=600.0)
        quota, taken = take(ghosts, SIZES, 20, Lane.BULK, 0.0)
        assert (quota.line_at, taken.writes) == (NEVER, 20)


class TestRefused:
    @pytest.mark.parametrize(
        ("scope", "bucket"),
        [
            pytest.param(TENANT_SCOPE, Scope.TENANT, id="app and tenant"),
            pytest.param("tenant_application/write/a/b", Scope.TENANT, id="any case"),
            pytest.param("Tenant/Write/a/b", Scope.TENANT, id="the tenant, all apps"),
            pytest.param("Tenant_Application/ReadWrite/a/b", Scope.TENANT, id="resource units"),
            pytest.param(APP_SCOPE, Scope.APP, id="the app in all tenants"),
            pytest.param("Tenant_Application/Read/a/b", None, id="a limit on reads closes no writes"),
            pytest.param(None, Scope.UNNAMED, id="not told"),
            pytest.param("", Scope.UNNAMED, id="empty"),
            pytest.param("something new", Scope.TENANT, id="not understood"),
        ],
    )
    def test_scope(self, scope: str | None, bucket: Scope | None) -> None:
        assert parse_scope(scope) is bucket

    def test_closes_the_tenant_until_the_time_has_passed(self) -> None:
        closed = refused(FULL, SIZES, TENANT_SCOPE, timedelta(seconds=9), 100.0)
        _, taken = take(closed, SIZES, 1, Lane.ORDER, 108.9)
        assert taken.writes == 0
        assert taken.after == pytest.approx(0.1 + 1 / 19.6)
        assert take(closed, SIZES, 19, Lane.ORDER, 110.0)[1].writes == 19

    def test_a_tenants_refusal_leaves_the_apps_bucket_alone(self) -> None:
        assert refused(FULL, SIZES, TENANT_SCOPE, timedelta(seconds=9), 0.0).app == FULL.app

    def test_an_apps_refusal_closes_it_for_every_tenant(self) -> None:
        closed = refused(FULL, SIZES, APP_SCOPE, timedelta(seconds=9), 0.0)
        assert closed.tenant == FULL.tenant
        assert take(closed, SIZES, 1, Lane.ORDER, 8.0)[1].writes == 0

    def test_without_retry_after_it_waits_a_while(self) -> None:
        assert refused(FULL, SIZES, TENANT_SCOPE, None, 0.0).tenant.at == CLOSED_UNTOLD.total_seconds()

    def test_a_later_and_shorter_refusal_does_not_open_it(self) -> None:
        closed = refused(
            refused(FULL, SIZES, TENANT_SCOPE, timedelta(seconds=60), 0.0), SIZES, None, timedelta(seconds=1), 1.0
        )
        assert closed.tenant.at == 60.0

    def test_no_answer_closes_a_bucket_for_days(self) -> None:
        assert refused(FULL, SIZES, None, timedelta(days=3), 0.0).tenant.at == LONGEST_CLOSING.total_seconds()

    def test_a_clock_that_jumps_back_closes_a_bucket_for_minutes_not_hours(self) -> None:
        quota = Quota(FULL.app, Bucket(0.0, 36_000.0))
        _, taken = take(quota, SIZES, 1, Lane.ORDER, 0.0)
        assert taken.after <= LONGEST_CLOSING.total_seconds() + 1

    @pytest.mark.parametrize(("seconds", "saved"), [(1.0, 40.0 + 19.6), (10.0, 60.0)])
    def test_a_refusal_that_names_no_limit_says_nothing_of_the_bucket(self, seconds: float, saved: float) -> None:
        """Microsoft was busy: the tenant is left alone so long, and has then what it would have had."""
        quota = Quota(FULL.app, Bucket(40.0, 0.0))
        paused = refused(quota, SIZES, None, timedelta(seconds=seconds), 0.0)
        assert take(paused, SIZES, 1, Lane.ORDER, seconds - 0.1)[1].writes == 0
        assert paused.tenant.refilled(SIZES.tenant, seconds).level == pytest.approx(saved)

    def test_counts_what_was_refused(self) -> None:
        quota = refused(refused(FULL, SIZES, APP_SCOPE, None, 0.0, 3), SIZES, None, None, 0.0, 4)
        assert (quota.refused, quota.watch.refused) == (7, 7)

    def test_a_limit_on_reads_refuses_no_write(self) -> None:
        assert refused(FULL, SIZES, "Tenant_Application/Read/a/b", None, 0.0) is FULL


class TestWatch:
    EMPTY = Quota(FULL.app, Bucket(0.0, 0.0))

    def _busy(self, seconds: int, lost: int = 0) -> Quota:
        """A tenant alone that takes every batch as it comes; `lost` of each are refused, without a limit's name."""
        quota, now = self.EMPTY, 0.0
        while now < seconds:
            quota, taken = take(quota, SIZES, 1_000, Lane.BULK, now)
            if lost and taken.writes:
                quota = refused(quota, SIZES, None, timedelta(seconds=0.001), now, lost)
            now += max(taken.after, 0.01)
        return quota

    def test_until_there_is_evidence_no_pace_is_told(self) -> None:
        assert self._busy(8).watch.pace is None
        assert self._busy(13).watch.pace is not None

    @pytest.mark.parametrize("seconds", [30, 150, 900])
    def test_who_is_alone_gets_the_tenants_rate(self, seconds: int) -> None:
        assert self._busy(seconds).watch.pace == pytest.approx(19.6, rel=0.03)

    def test_refused_writes_are_no_progress(self) -> None:
        assert self._busy(300, lost=5).watch.pace == pytest.approx(0.75 * 19.6, rel=0.03)

    def test_it_remembers_no_more_than_a_window(self) -> None:
        assert self._busy(2_000).watch.seconds == pytest.approx(150, abs=0.01)

    def test_what_is_granted_at_once_tells_nothing(self) -> None:
        quota, now = FULL, 0.0
        for _ in range(100):
            quota, _ = take(quota, SIZES, 2, Lane.ORDER, now)
            now += 60.0
        assert quota.watch.pace is None

    def test_waiting_for_a_turn_is_no_fault_of_the_tenant(self) -> None:
        crowded = Quota(Bucket(300.0, 0.0), FULL.tenant)
        quota, taken = take(crowded, SIZES, 60, Lane.BULK, 0.0)
        others = msgspec.structs.replace(quota.app, level=200.0, at=40.0)
        waiting = msgspec.structs.replace(quota, app=others, turn_at=40.0)
        quota, taken = take(waiting, SIZES, 40, Lane.BULK, 40.2)
        assert (taken.writes, quota.watch.seconds) == (20, pytest.approx(0.2))

    def test_a_tenant_that_gets_nothing_goes_on_slowly_not_never(self) -> None:
        watch = Watch(since=0.0, seconds=100.0, granted=20.0, refused=40.0)
        assert watch.pace == 0.01


class TestPressed:
    EMPTY = Quota(FULL.app, Bucket(0.0, 0.0))

    @pytest.mark.parametrize(("percentage", "rate"), [(0.98, 19.6), (1.0, 19.6), (1.01, 17.64), (1.8, 17.64)])
    def test_a_tenth_less_only_when_somebody_is_refused(self, percentage: float, rate: float) -> None:
        quota = pressed(self.EMPTY, percentage, SIZES, 0.0)
        assert quota.tenant.refilled(SIZES.tenant, 2.0).level == pytest.approx(2 * rate)

    def test_for_one_window(self) -> None:
        quota = pressed(self.EMPTY, 1.2, SIZES, 0.0)
        after_window = Bucket(0.0, 150.0, quota.tenant.slow_until)
        assert after_window.refilled(SIZES.tenant, 151.0).level == pytest.approx(19.6)

    def test_told_twice_is_no_slower_than_told_once(self) -> None:
        assert pressed(pressed(self.EMPTY, 1.2, SIZES, 0.0), 1.2, SIZES, 0.0) == pressed(self.EMPTY, 1.2, SIZES, 0.0)


class TestAgainstMicrosoft:
    """Whatever the shape of the window, and however calls bunch up on the way, almost nothing is refused."""

    @pytest.mark.parametrize("shape", [Window.BUCKET, Window.SLIDING, Window.FIXED])
    @given(
        tenants=st.integers(1, 12),
        ask=st.sampled_from([20, 60, 160]),
        is_drained=st.booleans(),
        started=st.floats(0, 150),
        seed=st.integers(0, 1_000),
    )
    @settings(max_examples=12, deadline=None)
    def test_at_most_one_in_a_thousand_is_refused(
        self, shape: Window, tenants: int, ask: int, is_drained: bool, started: float, seed: int
    ) -> None:
        world = Contention(SIZES, shape, Random(seed), is_drained=is_drained, started=started)
        world.run({TenantId(str(n)): 4_800 // tenants for n in range(tenants)}, ask)
        assert world.refused <= world.sent / 1_000

    @pytest.mark.parametrize(
        ("tenants", "writes", "bound"),
        [
            pytest.param(1, 10_000, 500, id="one large tenant"),
            pytest.param(25, 400, 86, id="a campaign over 25 tenants"),
            pytest.param(3_000, 20, 515, id="every school at once"),
        ],
    )
    def test_uses_almost_everything_it_is_allowed(self, tenants: int, writes: int, bound: float) -> None:
        world = Contention(SIZES, Window.SLIDING, Random(1), is_drained=True)
        world.run({TenantId(str(n)): writes for n in range(tenants)}, 20)
        assert world.ended <= 1.05 * bound

    def test_equal_tenants_end_together(self) -> None:
        world = Contention(SIZES, Window.SLIDING, Random(1), is_drained=True)
        world.run({TenantId(str(n)): 400 for n in range(25)}, 60)
        assert min(world.done.values()) >= 0.9 * world.ended

    def test_a_small_tenant_does_not_wait_for_large_ones(self) -> None:
        world = Contention(SIZES, Window.SLIDING, Random(1), is_drained=True)
        small = TenantId("small")
        world.run({**{TenantId(str(n)): 2_000 for n in range(15)}, small: 40}, 60)
        assert world.done[small] < 15
