import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.sandbox.subscriptions import STATUSES, Change, PrepaidUnits, Subscription, prepaid_units


def subscription(total: int = 10, status: str = "Enabled", **more: object) -> Subscription:
    required = {"id": "s", "commerceSubscriptionId": "c", "skuId": "k", "createdDateTime": "2025-01-01T00:00:00Z"}
    return Subscription(totalLicenses=total, status=status, **required, **more)  # type: ignore[arg-type]


class TestLife:
    def test_changes_happen_in_order_of_time(self) -> None:
        held = subscription()
        held.schedule(Change(at=20, status="Suspended"))
        held.schedule(Change(at=10, status="Warning", totalLicenses=4))
        held.advance(10)
        assert (held.status, held.totalLicenses) == ("Warning", 4)
        held.advance(25)
        assert (held.status, held.totalLicenses) == ("Suspended", 4)

    def test_it_is_there_from_its_moment_until_deleted(self) -> None:
        held = subscription(appears_at=5)
        assert (held.is_visible(4), held.is_visible(5)) == (False, True)
        held.status = "Deleted"
        assert not held.is_visible(5)


class TestPrepaidUnits:
    def test_sums_by_state(self) -> None:
        held = [subscription(3), subscription(4), subscription(5, "Warning"), subscription(6, "LockedOut")]
        assert prepaid_units(held) == PrepaidUnits(enabled=7, warning=5, lockedOut=6)

    @pytest.mark.parametrize(
        ("units", "status"),
        [
            (PrepaidUnits(enabled=1, suspended=999), "Enabled"),
            (PrepaidUnits(warning=1, suspended=1), "Warning"),
            (PrepaidUnits(suspended=1), "Suspended"),
            (PrepaidUnits(lockedOut=1), "LockedOut"),
        ],
    )
    def test_capability_is_the_best_state(self, units: PrepaidUnits, status: str) -> None:
        assert units.capabilityStatus == status


DAYS = 86_400.0
END = "2027-07-31T00:00:00Z"
ENDS = 1_816_992_000.0


class TestG81CourseOfLife:
    @pytest.mark.parametrize(
        ("more", "course"),
        [
            pytest.param({}, [(0, "Warning"), (30, "Suspended"), (120, "Deleted")], id="most offers"),
            pytest.param({"term": "multiYear"}, [(0, "Warning"), (90, "Suspended"), (180, "Deleted")], id="multi-year"),
            pytest.param({"term": "volume"}, [(0, "Warning"), (90, "Suspended"), (150, "Deleted")], id="volume"),
            pytest.param({"term": "openValue"}, [(0, "Warning"), (30, "Suspended"), (120, "Deleted")], id="open value"),
            pytest.param({"term": "trial"}, [(0, "Warning"), (30, "Deleted")], id="a trial is never suspended"),
            pytest.param({"graceDays": 7}, [(0, "Warning"), (7, "Suspended"), (97, "Deleted")], id="own grace"),
            pytest.param({"graceDays": 0}, [(0, "Suspended"), (90, "Deleted")], id="no grace at all"),
            pytest.param({"graceDays": 0, "suspendedDays": 0}, [(0, "Deleted")], id="gone at once"),
        ],
    )
    def test_g8_1_goes_by_itself(self, more: dict[str, object], course: list[tuple[int, str]]) -> None:
        held = subscription(nextLifecycleDateTime=END, **more)
        held.advance(ENDS + 1_000 * DAYS)
        assert [(round((at - ENDS) / DAYS), status) for at, status in held.history[1:]] == course
        assert (held.status, held.nextLifecycleDateTime) == ("Deleted", None)

    def test_g8_1_the_next_moment_moves_along(self) -> None:
        held = subscription(nextLifecycleDateTime=END)
        held.advance(ENDS - 1)
        assert (held.status, held.nextLifecycleDateTime) == ("Enabled", END)
        held.advance(ENDS)
        assert (held.status, held.nextLifecycleDateTime) == ("Warning", "2027-08-30T00:00:00Z")

    def test_g8_1_without_an_end_it_stays(self) -> None:
        held = subscription()
        held.advance(ENDS * 10)
        assert held.status == "Enabled"

    def test_g8_1_a_plan_comes_before_the_course(self) -> None:
        held = subscription(nextLifecycleDateTime=END)
        held.schedule(Change(at=ENDS - 1, status="LockedOut"))
        held.advance(ENDS)
        assert (held.status, held.nextLifecycleDateTime) == ("LockedOut", "2027-10-28T23:59:59Z")

    def test_g8_1_a_reactivated_one_has_another_year(self) -> None:
        held = subscription(nextLifecycleDateTime=END)
        held.schedule(Change(at=ENDS + 10 * DAYS, status="Enabled"))
        held.advance(ENDS + 100 * DAYS)
        assert (held.status, held.nextLifecycleDateTime) == ("Enabled", "2028-08-09T00:00:00Z")

    def test_g8_1_fewer_seats_change_nothing_else(self) -> None:
        held = subscription(nextLifecycleDateTime=END)
        held.schedule(Change(at=5, totalLicenses=3))
        held.advance(10)
        assert (held.totalLicenses, held.status, held.nextLifecycleDateTime) == (3, "Enabled", END)


MOMENTS = st.floats(0, 400).map(lambda days: ENDS + days * DAYS)


class TestLooking:
    @given(
        plan=st.lists(st.tuples(MOMENTS, st.sampled_from(STATUSES)), max_size=4),
        looks=st.lists(MOMENTS, max_size=6),
        grace=st.sampled_from([None, 0.0, 7.0]),
    )
    def test_changes_nothing_however_often_one_looks(
        self, plan: list[tuple[float, str]], looks: list[float], grace: float | None
    ) -> None:
        watched, alone = (subscription(nextLifecycleDateTime=END, graceDays=grace) for _ in range(2))
        for at, status in plan:
            watched.schedule(Change(at=at, status=status))
            alone.schedule(Change(at=at, status=status))
        for moment in [*sorted(looks), ENDS + 1_000 * DAYS]:
            watched.advance(moment)
        alone.advance(ENDS + 1_000 * DAYS)
        assert watched == alone

    @given(plan=st.lists(st.tuples(MOMENTS, st.sampled_from(STATUSES)), max_size=4))
    def test_the_past_is_told_as_it_was_seen(self, plan: list[tuple[float, str]]) -> None:
        held = subscription(nextLifecycleDateTime=END)
        for at, status in plan:
            held.schedule(Change(at=at, status=status))
        seen = {}
        for day in range(0, 500, 7):
            held.advance(ENDS + day * DAYS + 0.5)
            seen[day] = held.status
        assert {day: held.status_at(ENDS + day * DAYS + 0.5) for day in seen} == seen


class TestStatusAt:
    def test_answers_for_every_moment_of_the_past(self) -> None:
        held = subscription(appears_at=5)
        held.schedule(Change(at=10, status="Warning"))
        held.schedule(Change(at=20, status="Enabled"))
        held.advance(30)
        assert [held.status_at(moment) for moment in (4, 5, 10, 19, 20, 30)] == [
            *(None, "Enabled", "Warning", "Warning", "Enabled", "Enabled")
        ]
