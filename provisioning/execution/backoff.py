"""When a step or an operation is looked at again: decided here and nowhere else (minutes to hours)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from provisioning.domain.ids import SubjectId

_FIRST = timedelta(seconds=2)
_LONGEST = timedelta(minutes=5)


def growing(waits: Sequence[timedelta], tried: int) -> timedelta:
    """The wait after `tried` looks in vain; the last one repeats."""
    return waits[min(tried, len(waits) - 1)]


def after_refusal(attempts: int, told: timedelta | None) -> timedelta:
    """Never earlier than Microsoft said; without a word, doubling from two seconds to five minutes."""
    doubled: timedelta = min(_FIRST * 2 ** max(0, attempts - 1), _LONGEST)
    return max(told, timedelta(0)) if told is not None else doubled


def spread(moment: datetime, key: SubjectId | str, over: timedelta) -> datetime:
    """Shift by a share of `over` that depends on the key alone, so that a crowd does not come back at once."""
    share = (sum(key.encode()) % 997) / 997
    return moment + over * share
