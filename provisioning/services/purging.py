"""What has expired goes, some at a time: each in a transaction of its own."""

from collections.abc import Callable, Sequence
from typing import TypeVar

_Expired = TypeVar("_Expired")


def purge_all(find: Callable[[], Sequence[_Expired]], purge: Callable[[_Expired], None]) -> int:
    """How many went. `find`: the next of them, none when all are gone."""
    purged = 0
    while expired := find():
        for one in expired:
            purge(one)
        purged += len(expired)
    return purged
