"""Effective dates are Dutch dates; moments are UTC. School holidays are days of the Dutch calendar, by region."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
REGIONS = ("noord", "midden", "zuid")  # the three into which the ministry divides the country for school holidays


def dutch_day(moment: datetime) -> date:
    return moment.astimezone(AMSTERDAM).date()


def start_of(day: date) -> datetime:
    """The first moment of a Dutch day, in UTC."""
    return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)


class SchoolHoliday(msgspec.Struct, frozen=True, kw_only=True):
    """One row of school_holidays.csv. Where the ministry only advises, a school may differ: `is_binding` is false."""

    name: str
    region: str  # one of REGIONS
    school_year: str  # 2026-2027
    first_day: date
    last_day: date  # included
    is_binding: bool = True

    @property
    def starts_at(self) -> datetime:
        return start_of(self.first_day)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it, in UTC."""
        return start_of(self.last_day + timedelta(days=1))

    def includes(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day
