"""Effective dates are Dutch dates; moments are UTC."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def dutch_day(moment: datetime) -> date:
    return moment.astimezone(AMSTERDAM).date()


def start_of(day: date) -> datetime:
    """The first moment of a Dutch day, in UTC."""
    return datetime.combine(day, time(), AMSTERDAM).astimezone(UTC)
