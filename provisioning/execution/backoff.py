"""When a step or an operation is looked at again: decided here and nowhere else (minutes to hours)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zlib import crc32

from provisioning.domain.ids import SubjectId

_FIRST = timedelta(seconds=2)
_LONGEST = timedelta(minutes=5)
_DOUBLINGS = 8  # reach the longest; without an end the product overflows
_NEVER_LATER = timedelta(days=1)  # a header gone wrong must not park a person for years


def growing(waits: Sequence[timedelta], tried: int) -> timedelta:
    """The wait after `tried` looks in vain; the last one repeats."""
    return waits[min(tried, len(waits) - 1)]


def after_refusal(attempts: int, told: timedelta | None) -> timedelta:
    """As long as Microsoft said; without a word, or with none that means anything, doubling from 2 s to 5 min."""
    if told is not None and told > timedelta(0):
        return min(told, _NEVER_LATER)
    doublings = min(max(0, attempts - 1), _DOUBLINGS)
    doubled: timedelta = _FIRST * 2**doublings
    return min(doubled, _LONGEST)


def spread(moment: datetime, key: SubjectId | str, over: timedelta) -> datetime:
    """Shift by a share of `over` that depends on the key alone, so that a crowd does not come back at once."""
    return moment + over * (crc32(key.encode()) / 2**32)
