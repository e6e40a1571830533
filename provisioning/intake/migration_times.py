"""Waves and window of a migration file: moments and hours as the clock in the Netherlands shows them."""

import re
from datetime import UTC, datetime
from itertools import pairwise

from provisioning.domain.calendar import AMSTERDAM, REGIONS
from provisioning.domain.catalogue import Mappings
from provisioning.domain.migration import WaveDefinition, Window
from provisioning.intake.branches import Branch, nearest, shown
from provisioning.intake.migration_fields import fields_of

_MOST_PEOPLE = 1_000_000
_HOUR = re.compile(r"([0-9]{1,2})(?::00)?")
_MIDNIGHT = 24


def waves_of(root: Branch, people: str) -> tuple[WaveDefinition, ...]:
    """In the order of the file, numbered from 1. A wave without a selector takes who is left of `people`."""
    if root.value("waves") in (None, []):
        root.wrong("waves", "is empty; write at least one wave, the first is the pilot")
    waves = [
        _wave(number, branch, people) for number, branch in enumerate(root.branches("waves", fields_of("waves")), 1)
    ]
    for earlier, wave in pairwise(waves):
        path = f"waves[{wave.number}]"
        if wave.name and wave.name in {other.name for other in waves[: wave.number - 1]}:
            root.wrong(f"{path}.name", f"{shown(wave.name)} is an earlier wave's name too; give each its own")
        if earlier.not_before and wave.not_before and wave.not_before < earlier.not_before:
            root.wrong(f"{path}.not_before", "is before the wave before it; exchange them or correct one")
    return tuple(waves)


def window_of(root: Branch, mappings: Mappings) -> Window:
    window = root.branch("window", fields_of("window"))
    begin, end = _hour(window, "from", 0), _hour(window, "until", _MIDNIGHT)
    if begin == _MIDNIGHT:
        window.wrong("from", "24 is the end of a day; write 0")
    elif begin == end:
        window.wrong("until", f"is the hour it begins, {begin}; leave both out for the whole day")
    return Window(region=_region(window, mappings), from_hour=begin, until_hour=end)


def _wave(number: int, branch: Branch, people: str) -> WaveDefinition:
    return WaveDefinition(
        number=number,
        name=branch.text("name"),
        selector=branch.selector("people") if "people" in branch else people,
        limit=branch.whole("at_most", 1, _MOST_PEOPLE),
        not_before=moment_of(branch, "not_before"),
    )


def moment_of(branch: Branch, name: str) -> datetime | None:
    """Dutch time unless it has an offset; an hour that the clock skips or shows twice is asked about."""
    text = branch.optional_text(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        branch.wrong(name, f"{shown(text)} is no moment; write it as 2027-07-19 08:00, Dutch time")
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    first, second = (moment.replace(tzinfo=AMSTERDAM, fold=fold).astimezone(UTC) for fold in (0, 1))
    if second > first:
        branch.wrong(name, f"{shown(text)} comes twice, the clock goes back; add +02:00 or +01:00")
    elif second < first:
        branch.wrong(name, f"{shown(text)} does not exist, the clock goes forward; write an hour later")
    return first


def _hour(window: Branch, name: str, default: int) -> int:
    value = window.value(name)
    if value is None:
        return default
    found = _HOUR.fullmatch(str(value).strip()) if isinstance(value, str | int) else None
    if isinstance(value, bool) or found is None or int(found[1]) > _MIDNIGHT:
        window.wrong(name, f"{shown(value)} is no whole hour; write 0 to 24, such as 18")
        return default
    return int(found[1])


def _region(window: Branch, mappings: Mappings) -> str | None:
    text = window.optional_text("region")
    if text is None:
        return None
    if text.lower() not in REGIONS:
        window.wrong("region", f"{shown(text)} is no region of school holidays; {nearest(text, REGIONS)}")
    elif text.lower() not in {holiday.region for holiday in mappings.school_holidays}:
        window.wrong("region", f"school_holidays.csv has no holidays of {text.lower()}; add them first")
    return text.lower()
