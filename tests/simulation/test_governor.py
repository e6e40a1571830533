"""The write quota in virtual time, against each shape that Microsoft's window may have."""

from random import Random
from typing import Any

import pytest

from config.limits import default_limits
from provisioning.domain.ids import TenantId
from provisioning.domain.operation import Lane
from provisioning.planning.quota import Sizes
from tests.simulation.governor import APP_SCOPE, OUR_NAME, TENANT_SCOPE, Governed
from tests.unit.planning.contention import Window

SIZES = Sizes.of(default_limits())
APP_RATE, TENANT_RATE = 35_000 / 300, 20.0
EVERY_SHAPE = pytest.mark.parametrize("shape", Window, ids=lambda shape: shape.name.lower())


def schools(number: int, writes: int) -> dict[TenantId, int]:
    return {TenantId(f"school-{n:02}"): writes for n in range(number)}


def ran(shape: Window, work: dict[TenantId, int], seed: int = 1, **story: Any) -> Governed:
    return Governed(SIZES, shape, Random(seed), work, **story).run()


def most_in_a_window(moments: list[float], window: float) -> int:
    """The largest number within any stretch of that length: our own count, by nobody's bucket."""
    first = most = 0
    for place, moment in enumerate(moments):
        while moments[first] <= moment - window:
            first += 1
        most = max(most, place - first + 1)
    return most


@EVERY_SHAPE
class TestAlone:
    def test_one_tenant_uses_what_it_is_allowed_and_is_never_refused(self, shape: Window) -> None:
        story = ran(shape, schools(1, 6_000))
        assert story.refused.total() == 0
        assert max(story.done.values()) <= 1.05 * 6_000 / TENANT_RATE

    def test_many_tenants_use_the_applications_quota_and_are_never_refused(self, shape: Window) -> None:
        story = ran(shape, schools(12, 800))
        assert story.refused.total() == 0
        assert max(story.done.values()) <= 1.05 * 12 * 800 / APP_RATE

    def test_no_stretch_of_time_holds_more_than_the_limit(self, shape: Window) -> None:
        """Also when the store is lost on the way, twice: an empty bucket never gives what was given before."""
        story = ran(shape, schools(9, 900), seed=3, lost_at=(20.0, 47.0))
        assert most_in_a_window([at for at, _ in story.sent], 300) <= 35_000
        for tenant in story.work:
            assert most_in_a_window([at for at, whose in story.sent if whose == tenant], 150) <= 3_000
        assert story.refused.total() == 0


@EVERY_SHAPE
class TestFairness:
    @pytest.mark.parametrize("lane", Lane)
    def test_equal_tenants_end_together(self, shape: Window, lane: Lane) -> None:
        """Also when all of them ordered for their whole staff on one day."""
        story = ran(shape, schools(12, 600), lane=lane)
        assert min(story.done.values()) >= 0.85 * max(story.done.values())

    def test_a_small_school_does_not_wait_for_large_ones(self, shape: Window) -> None:
        small = TenantId("small")
        story = ran(shape, schools(11, 900) | {small: 40})
        assert story.done[small] < 15

    @pytest.mark.parametrize("lane", Lane)
    def test_orders_pass_whatever_is_migrated_or_ordered(self, shape: Window, lane: Lane) -> None:
        """Forty single seats, also in tenants in the midst of other work."""
        dice = Random(7)
        work = schools(12, 600)
        orders = sorted((dice.uniform(5, 55), dice.choice(list(work))) for _ in range(40))
        story = ran(shape, work, orders=orders, lane=lane)
        assert len(story.order_waits) == 40
        assert max(story.order_waits) <= 1.0

    def test_bad_luck_of_one_does_not_make_others_wait(self, shape: Window) -> None:
        """Others fill one tenant to its limit: it takes longer, and the rest as long as ever."""
        work = schools(7, 500)
        unlucky = next(iter(work))
        story = ran(shape, work, foreign={unlucky: 14.0})
        assert story.done[unlucky] > 1.2 * max(at for tenant, at in story.done.items() if tenant != unlucky)
        others = max(at for tenant, at in story.done.items() if tenant != unlucky)
        assert others <= 1.15 * 7 * 500 / APP_RATE


@EVERY_SHAPE
class TestRefusals:
    def test_everybody_is_served_whatever_is_refused(self, shape: Window) -> None:
        work = schools(6, 400)
        story = ran(shape, work, moody=0.1, foreign=dict.fromkeys(work, 4.0), lost_at=(11.0,))
        assert story.accepted == work
        assert story.refused[None] > 100

    def test_one_call_in_ten_refused_costs_that_tenth_and_little_more(self, shape: Window) -> None:
        story = ran(shape, schools(1, 3_000), moody=0.1)
        calls = 3_000 + story.refused.total()
        assert max(story.done.values()) <= 1.05 * calls / TENANT_RATE

    def test_a_closed_tenant_is_left_alone_until_it_is_open(self, shape: Window) -> None:
        busy = TenantId("school-00")
        story = ran(shape, schools(3, 800), foreign={busy: 12.0})
        closed = [(since, until) for since, until, scope, _ in story.closed if scope == TENANT_SCOPE]
        assert closed
        for since, until in closed:
            assert not [at for at, whose in story.granted if whose == busy and since < at < until]


class TestForecast:
    @EVERY_SHAPE
    def test_at_the_beginning_it_is_right_when_nobody_else_writes(self, shape: Window) -> None:
        story = ran(shape, schools(10, 500), asked_at=0.5)
        assert max(story.foretold.values()) == pytest.approx(max(story.done.values()), rel=0.1)

    @pytest.mark.parametrize("hidden", [5.0, 9.0, 12.0])
    def test_a_window_later_it_knows_what_unseen_writers_leave(self, hidden: float) -> None:
        """It asks nobody: within a fifth of what is left, by what gets through."""
        (alone,) = work = schools(1, 4_000)
        story = ran(Window.BUCKET, work, foreign={alone: hidden}, asked_at=150.0)
        assert story.foretold[alone] - 150 == pytest.approx(story.done[alone] - 150, rel=0.2)

    def test_a_window_in_which_nothing_got_through_says_little_of_the_next(self) -> None:
        """Others used up a fixed window: hours are foretold, not weeks."""
        (alone,) = work = schools(1, 4_000)
        story = ran(Window.FIXED, work, foreign={alone: 9.0}, asked_at=149.0)
        assert story.done[alone] < story.foretold[alone] <= 150 + 20 * 4_000 / SIZES.tenant.rate


class TestTheApplicationIsRefused:
    def test_nobody_writes_until_it_is_open_and_then_all_go_on(self) -> None:
        """Another installation under our name uses the application's quota up."""
        story = ran(Window.BUCKET, schools(8, 300), foreign={OUR_NAME: 60.0})
        closed = [(since, until) for since, until, scope, _ in story.closed if scope == APP_SCOPE]
        assert closed
        for since, until in closed:
            assert not [at for at, _ in story.granted if since < at < until]
        assert story.accepted == story.work


class TestTheSameSeed:
    def test_tells_the_same_story(self) -> None:
        stories = [ran(Window.SLIDING, schools(4, 200), seed=5, moody=0.1, lost_at=(6.0,)) for _ in range(2)]
        assert stories[0].sent == stories[1].sent
