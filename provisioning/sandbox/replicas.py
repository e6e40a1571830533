"""Replica lag: every read lands on a random copy, and every write reaches each copy after a delay of its own.

learn.microsoft.com: "Designing for eventual consistency for Microsoft Entra". Copies are kept as differences from the
current state, so that a tenant without fresh writes costs nothing.
"""

import heapq
import random
from collections.abc import Hashable, Sequence
from itertools import count
from typing import Any


class _Lagging:
    """What one copy still believes about one key, and when the last change to it arrives."""

    __slots__ = ("last", "pending", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.pending = 0
        self.last = 0.0


class Replica:
    def __init__(self) -> None:
        self._lagging: dict[Hashable, _Lagging] = {}
        self._arrivals: list[tuple[float, int, Sequence[Hashable], Any]] = []
        self._sequence = count()

    def expect(self, keys: Sequence[Hashable], before: Any, after: Any, arrives_at: float) -> None:
        """One write: what it says of several keys arrives together, and after what was written to them before."""
        written = [self._lagging.setdefault(key, _Lagging(before)) for key in keys]
        arrives_at = max(arrives_at, *(lagging.last for lagging in written))
        for lagging in written:
            lagging.pending += 1
            lagging.last = arrives_at
        heapq.heappush(self._arrivals, (arrives_at, next(self._sequence), keys, after))

    def catch_up(self, now: float) -> None:
        while self._arrivals and self._arrivals[0][0] <= now:
            _, _, keys, after = heapq.heappop(self._arrivals)
            for key in keys:
                self._arrive(key, after)

    def _arrive(self, key: Hashable, after: Any) -> None:
        lagging = self._lagging[key]
        lagging.value, lagging.pending = after, lagging.pending - 1
        if not lagging.pending:
            del self._lagging[key]

    @property
    def is_current(self) -> bool:
        return not self._lagging

    def see(self, key: Hashable, current: Any) -> Any:
        """The value of `key` on this copy; None where it is not there."""
        lagging = self._lagging.get(key)
        return current if lagging is None else lagging.value


CURRENT = Replica()


class Replicas:
    """The copies of one tenant; `lag` is the longest delay in sandbox seconds."""

    def __init__(self, rng: random.Random, lag: float = 0.0, copies: int = 5) -> None:
        self._rng = rng
        self.lag = lag
        self._least = 0.0
        self._copies = [Replica() for _ in range(copies)]
        self._settled_at = 0.0

    def write(self, key: Hashable, before: Any, after: Any, now: float) -> None:
        self.write_together((key,), before, after, now)

    def write_together(self, keys: Sequence[Hashable], before: Any, after: Any, now: float) -> None:
        """One write that changes several keys in the same way: each copy has all of it or nothing."""
        if self._settled_at <= now:
            self._settle()
            if not self.lag and not self._least:
                return
        self._settled_at = max(self._settled_at, now + self._least + self.lag)
        for copy in self._copies:
            copy.expect(keys, before, after, now + self._least + self._rng.uniform(0, self.lag))

    def follow(self, others: "Replicas", behind: float) -> None:
        """From the next write on, lag as `others` do and `behind` seconds more."""
        self.lag, self._least = others.lag if behind else 0.0, behind

    def is_settled(self, now: float) -> bool:
        """Whether all copies agree."""
        return self._settled_at <= now

    def read(self, now: float) -> Replica:
        """A copy chosen at random, as it is now."""
        if self._settled_at <= now:
            return CURRENT
        copy = self._rng.choice(self._copies)
        copy.catch_up(now)
        return copy

    def _settle(self) -> None:
        self._copies = [copy if copy.is_current else Replica() for copy in self._copies]
