"""Windows in Dutch time: holidays by region, nights over midnight, and days of 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.loader import load_mappings
from provisioning.domain.calendar import AMSTERDAM, REGIONS, SchoolHoliday
from provisioning.domain.migration import Window
from provisioning.planning.window import end_of, is_open, next_opening, why_never


def holiday(first: date, last: date, region: str = "noord") -> SchoolHoliday:
    return SchoolHoliday(name="Vakantie", region=region, school_year="2026-2027", first_day=first, last_day=last)


def dutch(year: int, month: int, day: int, hour: int = 0, minute: int = 0, *, second_time: bool = False) -> datetime:
    """As the clock in Amsterdam shows it; an hour that comes twice is the first one."""
    return datetime(year, month, day, hour, minute, tzinfo=AMSTERDAM, fold=int(second_time))


ALWAYS = Window()
NIGHTS = Window(from_hour=22, until_hour=6)
DAYTIME = Window(from_hour=8, until_hour=18)
SUMMER = holiday(date(2027, 7, 10), date(2027, 8, 22))
CHRISTMAS = holiday(date(2026, 12, 19), date(2027, 1, 3))
IN_NOORD = Window(region="noord")


class TestHours:
    @pytest.mark.parametrize(
        ("window", "hour", "minute", "expected"),
        [
            pytest.param(ALWAYS, 0, 0, True, id="no hours named: midnight"),
            pytest.param(ALWAYS, 23, 59, True, id="no hours named: before midnight"),
            pytest.param(DAYTIME, 7, 59, False, id="a minute early"),
            pytest.param(DAYTIME, 8, 0, True, id="the first moment"),
            pytest.param(DAYTIME, 17, 59, True, id="the last minute"),
            pytest.param(DAYTIME, 18, 0, False, id="the end is closed"),
            pytest.param(NIGHTS, 21, 59, False, id="before the night"),
            pytest.param(NIGHTS, 22, 0, True, id="the night begins"),
            pytest.param(NIGHTS, 0, 0, True, id="over midnight"),
            pytest.param(NIGHTS, 5, 59, True, id="early in the morning"),
            pytest.param(NIGHTS, 6, 0, False, id="the night is over"),
            pytest.param(Window(from_hour=9, until_hour=9), 3, 0, True, id="from nine to nine is a whole day"),
        ],
    )
    def test_are_those_of_the_dutch_clock(self, window: Window, hour: int, minute: int, expected: bool) -> None:
        for month in (1, 7):  # winter and summer time
            assert is_open(window, (), dutch(2027, month, 15, hour, minute)) is expected

    def test_a_moment_in_utc_is_turned_into_dutch_time(self) -> None:
        assert is_open(DAYTIME, (), datetime(2027, 7, 15, 6, tzinfo=UTC))
        assert not is_open(DAYTIME, (), datetime(2027, 1, 15, 6, tzinfo=UTC))


class TestHolidays:
    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            pytest.param(dutch(2027, 7, 9, 23, 59), False, id="the evening before"),
            pytest.param(dutch(2027, 7, 10), True, id="its first moment"),
            pytest.param(dutch(2027, 8, 22, 23, 59), True, id="its last minute"),
            pytest.param(dutch(2027, 8, 23), False, id="the first school day"),
        ],
    )
    def test_open_from_the_first_day_to_the_end_of_the_last(self, moment: datetime, expected: bool) -> None:
        assert is_open(IN_NOORD, (SUMMER,), moment) is expected

    def test_of_another_region_do_not_count(self) -> None:
        assert not is_open(Window(region="zuid"), (SUMMER,), dutch(2027, 7, 20))

    def test_do_not_matter_when_no_region_is_named(self) -> None:
        assert is_open(ALWAYS, (SUMMER,), dutch(2027, 6, 1))

    def test_the_last_night_ends_at_midnight_before_the_first_school_day(self) -> None:
        nights = Window(region="noord", from_hour=22, until_hour=6)
        assert is_open(nights, (SUMMER,), dutch(2027, 8, 22, 23))
        assert not is_open(nights, (SUMMER,), dutch(2027, 8, 23, 1))

    def test_the_first_night_begins_at_midnight(self) -> None:
        nights = Window(region="noord", from_hour=22, until_hour=6)
        assert not is_open(nights, (SUMMER,), dutch(2027, 7, 9, 23))
        assert is_open(nights, (SUMMER,), dutch(2027, 7, 10, 1))

    def test_that_touch_are_one(self) -> None:
        weeks = (holiday(date(2027, 4, 24), date(2027, 5, 2)), holiday(date(2027, 5, 3), date(2027, 5, 9)))
        assert next_opening(IN_NOORD, weeks, dutch(2027, 5, 3)) == dutch(2027, 5, 3)


class TestClockChanges:
    def test_an_hour_that_comes_twice_is_open_twice(self) -> None:
        two = Window(from_hour=2, until_hour=3)
        first, second = dutch(2027, 10, 31, 2, 30), dutch(2027, 10, 31, 2, 30, second_time=True)
        assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=1)
        assert is_open(two, (), first)
        assert is_open(two, (), second)
        assert not is_open(two, (), second + timedelta(minutes=30))

    def test_an_hour_that_the_clock_skips_opens_a_day_later(self) -> None:
        two = Window(from_hour=2, until_hour=3)
        assert next_opening(two, (), dutch(2027, 3, 28, 1, 30)) == dutch(2027, 3, 29, 2)

    def test_a_one_day_holiday_without_that_hour_never_opens(self) -> None:
        two = Window(region="noord", from_hour=2, until_hour=3)
        short = (holiday(date(2027, 3, 28), date(2027, 3, 28)),)
        assert next_opening(two, short, dutch(2027, 3, 1)) is None

    def test_nights_are_an_hour_longer_in_autumn_and_shorter_in_spring(self) -> None:
        lengths = {}
        for month, day in ((10, 30), (3, 27), (7, 1)):
            begin = dutch(2027, month, day, 22).astimezone(UTC)
            hours = (begin + timedelta(hours=n) for n in range(12))
            lengths[month] = sum(is_open(NIGHTS, (), hour) for hour in hours)
        assert lengths == {10: 9, 3: 7, 7: 8}


class TestNextOpening:
    @pytest.mark.parametrize(
        ("window", "holidays", "moment", "opening"),
        [
            pytest.param(ALWAYS, (), dutch(2027, 1, 1, 3, 7), dutch(2027, 1, 1, 3, 7), id="open now is now"),
            pytest.param(DAYTIME, (), dutch(2027, 1, 1, 3, 7), dutch(2027, 1, 1, 8), id="later today"),
            pytest.param(DAYTIME, (), dutch(2027, 1, 1, 18), dutch(2027, 1, 2, 8), id="tomorrow"),
            pytest.param(NIGHTS, (), dutch(2027, 1, 1, 12), dutch(2027, 1, 1, 22), id="tonight"),
            pytest.param(IN_NOORD, (SUMMER,), dutch(2027, 2, 1), dutch(2027, 7, 10), id="the next holiday"),
            pytest.param(IN_NOORD, (SUMMER, CHRISTMAS), dutch(2026, 9, 1), dutch(2026, 12, 19), id="the first of two"),
            pytest.param(
                IN_NOORD, (SUMMER, CHRISTMAS), dutch(2027, 1, 4), dutch(2027, 7, 10), id="the one after the last"
            ),
        ],
    )
    def test_is_the_first_moment_that_is_open(
        self, window: Window, holidays: tuple[SchoolHoliday, ...], moment: datetime, opening: datetime
    ) -> None:
        assert next_opening(window, holidays, moment) == opening

    def test_is_in_utc(self) -> None:
        opening = next_opening(DAYTIME, (), dutch(2027, 1, 1))
        assert opening is not None
        assert opening.tzinfo is UTC

    def test_is_none_beyond_the_last_known_holiday_and_says_why(self) -> None:
        moment = dutch(2027, 8, 23)
        assert next_opening(IN_NOORD, (SUMMER,), moment) is None
        assert "no holiday of region noord after 2027-08-22; add the next school year" in str(
            why_never(IN_NOORD, (SUMMER,), moment)
        )

    def test_a_region_without_any_holiday_says_so(self) -> None:
        assert "no holiday of region zuid at all" in str(why_never(Window(region="zuid"), (SUMMER,), dutch(2027, 7, 1)))

    def test_there_is_no_reason_while_it_opens_some_day(self) -> None:
        assert why_never(IN_NOORD, (SUMMER,), dutch(2027, 1, 1)) is None

    @pytest.mark.parametrize("region", REGIONS)
    def test_the_holidays_that_we_ship_open_in_every_region(self, region: str) -> None:
        holidays = load_mappings().school_holidays
        opening = next_opening(Window(region=region, from_hour=18, until_hour=7), holidays, dutch(2027, 6, 1))
        assert opening is not None
        assert opening.astimezone(AMSTERDAM).month == 7


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
HOURS = st.integers(0, 23)
NEAR_CLOCK_CHANGES = st.sampled_from([dutch(2027, 3, 28), dutch(2027, 10, 31), dutch(2026, 3, 29)]).flatmap(
    lambda day: st.integers(-2_000, 3_000).map(lambda minutes: day.astimezone(UTC) + timedelta(minutes=minutes))
)
HOLIDAYS = st.lists(
    st.tuples(st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.integers(0, 45), st.sampled_from(REGIONS)).map(
        lambda drawn: holiday(drawn[0], drawn[0] + timedelta(days=drawn[1]), drawn[2])
    ),
    max_size=6,
)
WINDOWS = st.builds(
    Window, region=st.sampled_from([None, *REGIONS]), from_hour=HOURS, until_hour=st.one_of(HOURS, st.just(24))
)


class TestProperties:
    @settings(deadline=None)
    @given(WINDOWS, HOLIDAYS, st.one_of(MOMENTS, NEAR_CLOCK_CHANGES), st.data())
    def test_the_next_opening_is_open_and_nothing_between_is(
        self, window: Window, holidays: list[SchoolHoliday], moment: datetime, draw: st.DataObject
    ) -> None:
        opening = next_opening(window, holidays, moment)
        if opening is None:
            later = moment + timedelta(minutes=draw.draw(st.integers(0, 60 * 24 * 1_200)))
            assert not is_open(window, holidays, later)
            return
        assert opening >= moment
        assert is_open(window, holidays, opening)
        if opening > moment:
            between = draw.draw(st.integers(0, int((opening - moment).total_seconds()) - 1))
            assert not is_open(window, holidays, moment + timedelta(seconds=between))
            assert not is_open(window, holidays, opening - timedelta(microseconds=1))

    @given(WINDOWS, MOMENTS)
    def test_without_a_region_it_opens_within_two_days(self, window: Window, moment: datetime) -> None:
        opening = next_opening(Window(from_hour=window.from_hour, until_hour=window.until_hour), (), moment)
        assert opening is not None
        assert opening - moment <= timedelta(hours=49)


HOUR = timedelta(hours=1)


class TestWhenWorkIsDone:
    @pytest.mark.parametrize(
        ("window", "start", "work", "end"),
        [
            pytest.param(ALWAYS, dutch(2027, 3, 1, 4), 90 * HOUR, dutch(2027, 3, 4, 22), id="any hour"),
            pytest.param(DAYTIME, dutch(2027, 3, 1, 9), 2 * HOUR, dutch(2027, 3, 1, 11), id="within a day"),
            pytest.param(DAYTIME, dutch(2027, 3, 1, 9), 9 * HOUR, dutch(2027, 3, 1, 18), id="to its last moment"),
            pytest.param(DAYTIME, dutch(2027, 3, 1, 9, 30), 9 * HOUR, dutch(2027, 3, 2, 8, 30), id="the next day"),
            pytest.param(DAYTIME, dutch(2027, 3, 1, 4), 0 * HOUR, dutch(2027, 3, 1, 8), id="not before it opens"),
            pytest.param(NIGHTS, dutch(2027, 3, 1, 23), 10 * HOUR, dutch(2027, 3, 3, 1), id="two nights"),
        ],
    )
    def test_it_goes_on_while_the_window_is_open(
        self, window: Window, start: datetime, work: timedelta, end: datetime
    ) -> None:
        assert end_of(window, [], start, work) == end

    def test_it_waits_for_the_next_holiday(self) -> None:
        days = (CHRISTMAS, SUMMER)
        left = timedelta(hours=3)
        assert end_of(IN_NOORD, days, dutch(2027, 1, 3, 23), left) == dutch(2027, 7, 10, 2)

    def test_nobody_knows_beyond_the_last_one(self) -> None:
        assert end_of(IN_NOORD, [CHRISTMAS], dutch(2027, 1, 3, 23), 2 * HOUR) is None
