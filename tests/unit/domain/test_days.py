from datetime import UTC, date, datetime

import pytest

from provisioning.domain.days import day_of


class TestDayOf:
    @pytest.mark.parametrize(
        ("moment", "day"),
        [
            pytest.param(datetime(2026, 7, 31, 21, 59, tzinfo=UTC), date(2026, 7, 31), id="a minute to midnight"),
            pytest.param(datetime(2026, 7, 31, 22, 0, tzinfo=UTC), date(2026, 8, 1), id="midnight in summer"),
            pytest.param(datetime(2026, 12, 31, 22, 59, tzinfo=UTC), date(2026, 12, 31), id="late in winter"),
            pytest.param(datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1), id="midnight in winter"),
        ],
    )
    def test_a_day_begins_at_midnight_in_amsterdam(self, moment: datetime, day: date) -> None:
        assert day_of(moment) == day
