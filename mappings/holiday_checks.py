"""What is wrong or doubtful in school_holidays.csv. A window that opens on the wrong day writes while school is on."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations, pairwise

from mappings.findings import Finding, Severity
from provisioning.domain.calendar import REGIONS, SchoolHoliday
from provisioning.domain.catalogue import Mappings

_SCHOOL_YEAR = re.compile(r"([0-9]{4})-([0-9]{4})")
_WARNED_BEFORE = timedelta(days=183)  # the ministry publishes three years at a time: half a year is enough to add them


def unknown_regions(mappings: Mappings, _: date) -> Iterator[Finding]:
    for holiday in mappings.school_holidays:
        if holiday.region not in REGIONS:
            yield _error(holiday, f"lies in no region of the ministry; write one of {', '.join(REGIONS)}")


def reversed_holidays(mappings: Mappings, _: date) -> Iterator[Finding]:
    for holiday in mappings.school_holidays:
        if holiday.last_day < holiday.first_day:
            yield _error(holiday, f"ends on {holiday.last_day}, before it begins; correct first_day or last_day")


def outside_school_year(mappings: Mappings, _: date) -> Iterator[Finding]:
    for holiday in mappings.school_holidays:
        first = _first_year(holiday.school_year)
        if first is None:
            yield _error(holiday, "has a school_year that is none; write it as 2026-2027")
        elif not date(first, 8, 1) <= holiday.first_day < date(first + 1, 8, 1):
            yield _error(holiday, f"begins on {holiday.first_day}, which is no day of its school year; correct one")


def overlapping_holidays(mappings: Mappings, _: date) -> Iterator[Finding]:
    for region in REGIONS:
        of_region = [holiday for holiday in mappings.school_holidays if holiday.region == region]
        for one, other in combinations(of_region, 2):
            if one.first_day <= other.last_day and other.first_day <= one.last_day:
                yield _error(one, f"overlaps {other.name} of {other.school_year}; correct the dates of one")


def gaps(mappings: Mappings, _: date) -> Iterator[Finding]:
    """A holiday that one region has and another lacks, and a school year between two others that is missing."""
    regions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for holiday in mappings.school_holidays:
        regions[holiday.school_year, holiday.name].add(holiday.region)
    for (school_year, name), present in sorted(regions.items()):
        for region in sorted(set(REGIONS) - present):
            place = f"school_holidays.csv: {region} {school_year} {name}"
            yield Finding(Severity.ERROR, place, "This region lacks the holiday that others have; add it.")
    known = sorted({year for school_year, _name in regions if (year := _first_year(school_year))})
    for year in (year for one, other in pairwise(known) for year in range(one + 1, other)):
        place = f"school_holidays.csv: {year}-{year + 1}"
        yield Finding(Severity.ERROR, place, "This school year is missing between two others; add it.")


def last_known_holiday(mappings: Mappings, today: date) -> Iterator[Finding]:
    last = max((holiday.last_day for holiday in mappings.school_holidays), default=None)
    if last is None or last < today + _WARNED_BEFORE:
        sentence = f"No holiday is known after {last or today}: windows by region will not open; add the next year."
        yield Finding(Severity.REMARK, "school_holidays.csv", sentence)


def _first_year(school_year: str) -> int | None:
    found = _SCHOOL_YEAR.fullmatch(school_year)
    return int(found[1]) if found and int(found[2]) == int(found[1]) + 1 else None


def _error(holiday: SchoolHoliday, complaint: str) -> Finding:
    place = f"school_holidays.csv: {holiday.region} {holiday.school_year} {holiday.name}"
    return Finding(Severity.ERROR, place, f"The holiday {complaint}.")


CHECKS = (unknown_regions, reversed_holidays, outside_school_year, overlapping_holidays, gaps, last_known_holiday)
