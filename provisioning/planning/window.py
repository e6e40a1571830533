"""When writes of a migration may leave: at certain hours of the Dutch day, and in school holidays of a region only.

Hours are those on the clock in Amsterdam: a day in March has 23 of them and one in October 25. A window over midnight
(22–6) is open on every night between; with a region, each of its hours counts for the calendar day that it lies in, so
that the last night ends at midnight and no write meets a school that begins that morning.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from provisioning.domain.calendar import AMSTERDAM, SchoolHoliday
from provisioning.domain.migration import Window

_HOUR = timedelta(hours=1)
_TWO_DAYS = timedelta(hours=50)  # an hour that the clock skips today comes tomorrow, whatever the day's length


def is_open(window: Window, holidays: Iterable[SchoolHoliday], moment: datetime) -> bool:
    """Whether a write may leave at the moment (aware). Holidays that nobody wrote down are school days."""
    local = moment.astimezone(AMSTERDAM)
    if not _has_hour(window, local.hour):
        return False
    return window.region is None or any(holiday.includes(local.date()) for holiday in _of(window, holidays))


def next_opening(window: Window, holidays: Iterable[SchoolHoliday], moment: datetime) -> datetime | None:
    """The first moment from the given one on, in UTC, at which the window is open; the moment itself if it is.

    None when no holiday that is known lies ahead; `why_never` says it in words.
    """
    known = tuple(holidays)
    return next((at for at in _candidates(window, known, moment) if is_open(window, known, at)), None)


def end_of(window: Window, holidays: Iterable[SchoolHoliday], start: datetime, work: timedelta) -> datetime | None:
    """When so much work is done that begins at `start` and goes on while the window is open; None: nobody knows."""
    if window.region is None and (window.from_hour, window.until_hour) == (0, 24):
        return start + work
    known, left, at = tuple(holidays), work, next_opening(window, holidays, start)
    while at is not None:
        full_hour = at.replace(minute=0, second=0, microsecond=0) + _HOUR
        if left <= full_hour - at:
            return at + left
        left -= full_hour - at
        at = next_opening(window, known, full_hour)
    return None


def why_never(window: Window, holidays: Iterable[SchoolHoliday], moment: datetime) -> str | None:
    """Why `next_opening` is None, and what to do; None when it is not."""
    known = tuple(holidays)
    if next_opening(window, known, moment) is not None:
        return None
    last = max((holiday.last_day for holiday in _of(window, known)), default=None)
    told = f"after {last}" if last else "at all"
    return (
        f"school_holidays.csv knows no holiday of region {window.region} {told}; "
        "add the next school year and have the mappings approved."
    )


def _has_hour(window: Window, hour: int) -> bool:
    if window.from_hour < window.until_hour:
        return window.from_hour <= hour < window.until_hour
    return hour >= window.from_hour or hour < window.until_hour


def _of(window: Window, holidays: Iterable[SchoolHoliday]) -> Iterator[SchoolHoliday]:
    return (holiday for holiday in holidays if holiday.region == window.region)


def _candidates(window: Window, holidays: Iterable[SchoolHoliday], moment: datetime) -> Iterator[datetime]:
    """In order of time: without a region the next two days, with one the holidays that have not ended."""
    start = moment.astimezone(UTC)
    if window.region is None:
        yield from _from_hour_to_hour(start, start + _TWO_DAYS)
        return
    for holiday in sorted(_of(window, holidays), key=lambda one: one.first_day):
        yield from _from_hour_to_hour(max(start, holiday.starts_at), holiday.ends_at)


def _from_hour_to_hour(start: datetime, end: datetime) -> Iterator[datetime]:
    """The start and each full hour after it: Amsterdam differs from UTC by whole hours, so no opening lies between."""
    at = start
    while at < end:
        yield at
        at = at.replace(minute=0, second=0, microsecond=0) + _HOUR
