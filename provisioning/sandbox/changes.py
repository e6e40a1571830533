"""What happened to the objects of one collection, in order: what delta queries tell.

An entry only points at states that the ledger keeps anyway, so that it costs about a hundred bytes.
"""

import uuid
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

RECYCLED_SECONDS = 30 * 86_400  # learn.microsoft.com: a deleted user can be restored for 30 days


class Change(msgspec.Struct, frozen=True, gc=False):
    """One write: the state before and after. None on both sides: the object left the recycle bin for ever."""

    at: float
    key: str
    before: Any
    after: Any


class Changes:
    def __init__(self) -> None:
        self.id = uuid.uuid4().hex[:12]  # a token of another log is a token of nothing
        self._entries: list[Change] = []
        self._recycled: deque[tuple[float, str]] = deque()
        self._purged: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def record(self, now: float, key: str, before: Any, after: Any) -> None:
        self._entries.append(Change(now, key, before, after))
        if after is None:
            self._recycled.append((now + RECYCLED_SECONDS, key))
        elif before is None:
            self._purged.pop(key, None)

    def purge(self, now: float, key: str) -> None:
        """A deleted object is gone for ever."""
        self._purged[key] = len(self._entries)
        self._entries.append(Change(now, key, None, None))

    def empty_bin(self, now: float, states: Mapping[str, Any]) -> None:
        """What was deleted 30 days ago, and not made again, is gone for ever."""
        while self._recycled and self._recycled[0][0] <= now:
            _, key = self._recycled.popleft()
            if states.get(key) is None and key not in self._purged:
                self.purge(now, key)

    def reached(self, moment: float) -> int:
        """How many entries there were at a moment."""
        return bisect_right(self._entries, moment, key=lambda entry: entry.at)

    def between(self, start: int, end: int) -> Iterable[Change]:
        return (self._entries[position] for position in range(start, end))

    def states_before(self, position: int) -> dict[str, Any]:
        """What the objects of later entries were at `position`; all others are what they are now."""
        return {entry.key: entry.before for entry in reversed(self._entries[position:])}

    def is_purged(self, key: str, position: int) -> bool:
        return self._purged.get(key, position) < position
