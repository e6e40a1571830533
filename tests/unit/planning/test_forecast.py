import math
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.limits import default_limits
from provisioning.domain.ids import OperationId, TenantId
from provisioning.domain.operation import StepKind
from provisioning.planning.forecast import Work, forecast, foretell, writes_in
from provisioning.planning.quota import Sizes
from tests.unit.planning.contention import Contention, Window

SIZES = Sizes.of(default_limits())
SMALL, LARGE = TenantId("small"), TenantId("large")


def seconds(of: float) -> timedelta:
    return timedelta(seconds=of)


class TestWritesIn:
    @pytest.mark.parametrize(
        ("counts", "writes"),
        [
            pytest.param({StepKind.SWAP: 7, StepKind.SET_USAGE_LOCATION: 3}, 10, id="one each"),
            pytest.param({StepKind.ADD_MEMBERS: 1_000}, 50, id="people join twenty at a time"),
            pytest.param({StepKind.ADD_MEMBERS: 21}, 2, id="the last call is not full"),
            pytest.param({StepKind.CREATE_GROUP: 1, StepKind.LICENSE_GROUP: 1, StepKind.ADD_MEMBERS: 20}, 3, id="all"),
            pytest.param({StepKind.NO_OP: 500}, 0, id="nothing to do"),
            pytest.param({}, 0, id="no steps"),
        ],
    )
    def test_counts_calls_not_people(self, counts: dict[str, int], writes: int) -> None:
        assert writes_in(counts) == writes


class TestForecast:
    @pytest.mark.parametrize(
        ("tenants", "writes"), [pytest.param(1, 10_000, id="one"), pytest.param(6, 2_000, id="six"), (25, 400)]
    )
    def test_meets_what_the_simulation_needs_within_a_tenth(self, tenants: int, writes: int) -> None:
        pending = {TenantId(str(n)): writes for n in range(tenants)}
        world = Contention(SIZES, Window.SLIDING, Random(2), is_drained=True)
        world.run(pending, 20)
        foretold = max(forecast(pending, SIZES).values()).total_seconds()
        assert math.isclose(foretold, world.ended, rel_tol=0.1)

    def test_who_has_less_is_done_earlier_and_the_last_has_the_road_alone(self) -> None:
        assert forecast({LARGE: 1_960, SMALL: 196}, SIZES) == {SMALL: seconds(10), LARGE: seconds(100)}

    def test_a_measured_pace_counts_where_it_is_slower(self) -> None:
        assert forecast({SMALL: 100}, SIZES, {SMALL: 5.0})[SMALL] == seconds(20)

    def test_a_pace_of_almost_nothing_does_not_last_for_ever(self) -> None:
        assert forecast({SMALL: 196}, SIZES, {SMALL: 0.001})[SMALL] == seconds(200)

    def test_a_measured_pace_above_the_rate_is_chance(self) -> None:
        assert forecast({SMALL: 196}, SIZES, {SMALL: 25.0})[SMALL] == seconds(10)

    def test_what_a_slow_tenant_leaves_goes_to_the_others(self) -> None:
        """Ten tenants share 114 a second; one gets 1 by itself, so nine have 12.6 each instead of 11.4."""
        pending = {TenantId(str(n)): 1_000 for n in range(9)} | {LARGE: 1_000}
        done = forecast(pending, SIZES, {LARGE: 1.0})
        assert done[LARGE] == seconds(1_000)
        others = 9 * 1_000 / (SIZES.app.rate - 1.0)
        assert done[TenantId("0")].total_seconds() == pytest.approx(others)

    def test_who_was_held_up_by_the_crowd_has_the_road_when_it_is_gone(self) -> None:
        pending = {TenantId(str(n)): 114 for n in range(20)} | {LARGE: 1_000}
        done = forecast(pending, SIZES, dict.fromkeys(pending, 15.0))
        crowd = 21 * 114 / SIZES.app.rate
        assert done[LARGE].total_seconds() == pytest.approx(crowd + (1_000 - 114) / 15.0)

    def test_nothing_pending_is_nothing_to_tell(self) -> None:
        assert forecast({}, SIZES) == {}

    def test_nothing_left_is_done_now(self) -> None:
        assert forecast({SMALL: 0}, SIZES) == {SMALL: seconds(0)}

    @given(
        pending=st.dictionaries(st.integers(0, 60), st.integers(0, 5_000), max_size=60),
        pace=st.dictionaries(st.integers(0, 60), st.floats(0.01, 30.0), max_size=60),
    )
    def test_nobody_is_foretold_more_than_the_buckets_give(
        self, pending: dict[int, int], pace: dict[int, float]
    ) -> None:
        names = {number: TenantId(str(number)) for number in range(61)}
        done = forecast({names[n]: w for n, w in pending.items()}, SIZES, {names[n]: p for n, p in pace.items()})
        assert set(done) == {names[number] for number in pending}
        for number, writes in pending.items():
            own = min(SIZES.tenant.rate, max(SIZES.tenant.rate / 20, pace.get(number, math.inf)))
            assert done[names[number]].total_seconds() >= writes / own - 1e-3
        total, last = sum(pending.values()), max(done.values(), default=timedelta(0)).total_seconds()
        assert last >= total / SIZES.app.rate - 1e-3

    def test_three_thousand_tenants_are_no_work(self) -> None:
        pending = {TenantId(str(n)): 20 + n % 7 for n in range(3_000)}
        assert len(forecast(pending, SIZES, {TenantId(str(n)): 0.01 * (n % 11 + 1) for n in range(900)})) == 3_000


class TestForetell:
    def test_each_operation_gets_the_moment_of_its_own_last_write(self) -> None:
        first, second = OperationId("first"), OperationId("second")
        work = [Work(first, SMALL, 196), Work(second, LARGE, 392)]
        assert foretell(work, SIZES) == {first: seconds(10), second: seconds(20)}

    def test_two_in_one_tenant_take_turns(self) -> None:
        """While the small one sends its 98 the large one sends as many."""
        few, many = OperationId("few"), OperationId("many")
        work = [Work(few, SMALL, 98), Work(many, SMALL, 294)]
        assert foretell(work, SIZES) == {few: seconds(10), many: seconds(20)}

    def test_whoever_has_nothing_left_is_done(self) -> None:
        idle = OperationId("idle")
        assert foretell([Work(idle, SMALL, 0)], SIZES) == {idle: seconds(0)}
