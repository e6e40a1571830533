from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.calendar import SchoolHoliday, dutch_day, start_of


class TestDutchDay:
    @pytest.mark.parametrize(
        ("moment", "day"),
        [
            pytest.param(datetime(2026, 7, 31, 21, 59, 59, tzinfo=UTC), date(2026, 7, 31), id="just before, summer"),
            pytest.param(datetime(2026, 7, 31, 22, tzinfo=UTC), date(2026, 8, 1), id="midnight in summer"),
            pytest.param(datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), date(2026, 12, 31), id="just before"),
            pytest.param(datetime(2026, 12, 31, 23, tzinfo=UTC), date(2027, 1, 1), id="midnight in winter"),
        ],
    )
    def test_a_moment_belongs_to_a_day_in_amsterdam(self, moment: datetime, day: date) -> None:
        assert dutch_day(moment) == day


class TestStartOf:
    @pytest.mark.parametrize(
        ("day", "moment"),
        [
            pytest.param(date(2026, 8, 1), datetime(2026, 7, 31, 22, tzinfo=UTC), id="in summer"),
            pytest.param(date(2027, 1, 1), datetime(2026, 12, 31, 23, tzinfo=UTC), id="in winter"),
            pytest.param(date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), id="the day of 23 hours"),
            pytest.param(date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), id="the day of 25 hours"),
        ],
    )
    def test_a_day_begins_at_midnight_in_amsterdam(self, day: date, moment: datetime) -> None:
        assert start_of(day) == moment

    @given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
    def test_it_is_the_first_moment_of_that_day(self, day: date) -> None:
        first = start_of(day)
        assert dutch_day(first) == day
        assert dutch_day(first - timedelta(microseconds=1)) == day - timedelta(days=1)


class TestSchoolHoliday:
    AUTUMN = SchoolHoliday(
        name="Herfstvakantie",
        region="zuid",
        school_year="2027-2028",
        first_day=date(2027, 10, 23),
        last_day=date(2027, 10, 31),
    )

    def test_lasts_from_the_first_midnight_to_the_one_after_its_last_day(self) -> None:
        assert self.AUTUMN.starts_at == datetime(2027, 10, 22, 22, tzinfo=UTC)
        assert self.AUTUMN.ends_at == datetime(2027, 10, 31, 23, tzinfo=UTC)  # the clock went back in it

    @pytest.mark.parametrize(("day", "included"), [(22, False), (23, True), (31, True)])
    def test_includes_its_first_and_last_day(self, day: int, included: bool) -> None:
        assert self.AUTUMN.includes(date(2027, 10, day)) is included
