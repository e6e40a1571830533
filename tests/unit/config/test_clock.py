from datetime import UTC, datetime, timedelta

from config.clock import FastClock, WorldClock, clock_from
from config.settings import Settings


class HourLater(FastClock):
    def wall(self) -> datetime:
        return datetime(2026, 9, 1, 13, tzinfo=UTC)


class TestFastClock:
    def test_now_is_the_origin_plus_the_multiple_of_what_elapsed(self) -> None:
        clock = HourLater(datetime(2026, 9, 1, 12, tzinfo=UTC), 24.0)
        assert clock.now() == datetime(2026, 9, 2, 12, tzinfo=UTC)

    def test_wall_time_stays_real(self) -> None:
        clock = FastClock(datetime(2020, 1, 1, tzinfo=UTC), 60.0)
        assert abs(clock.wall() - datetime.now(UTC)) < timedelta(seconds=5)


class TestClockFrom:
    def test_is_the_worlds_unless_a_sandbox_says_otherwise(self) -> None:
        assert isinstance(clock_from(Settings.model_construct()), WorldClock)

    def test_is_fast_from_the_origin_on(self) -> None:
        settings = Settings.model_construct(clock_origin=datetime(2026, 9, 1, tzinfo=UTC), clock_factor=60.0)
        assert isinstance(clock_from(settings), FastClock)


class TestWorldClock:
    def test_both_times_are_aware_and_alike(self) -> None:
        clock = WorldClock()
        assert abs(clock.now() - clock.wall()) < timedelta(seconds=5)
        assert clock.now().tzinfo is UTC
