"""Where a process can die: at each commit and each call, at each answer, and before a message is acknowledged."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Crash(BaseException):  # not an error of the service: the process is gone
    """The worker was killed here."""


class Where(StrEnum):
    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"
    READING = "reading"  # a question is on its way to Graph, or its answer back
    BEFORE_SEND = "before send"
    HALF_SENT = "half sent"  # some calls of a chunk arrived, the others never left
    BEFORE_RECEIVE = "before receive"  # all arrived, nobody heard the answers
    BEFORE_ACKNOWLEDGE = "before acknowledge"  # the message was worked off, and may come again


class Boundary(NamedTuple):
    """`doing`: what the process that dies is about; the phase of a migration's part, or the deed of a person."""

    doing: str
    where: Where


@dataclass
class CrashPoint:
    """Counts boundaries, by what is being done; the process dies at the chosen ones, or by chance."""

    at: frozenset[int] = frozenset()
    chance: float = 0.0
    dice: random.Random = field(default_factory=random.Random)
    armed: bool = False
    doing: str = ""
    left_behind: Callable[[], object] = lambda: None
    reached: list[Boundary] = field(default_factory=list)
    left: list[object] = field(default_factory=list)  # what a process that dies leaves behind, at each boundary
    struck: list[Boundary] = field(default_factory=list)
    forgotten: int = 0

    @property
    def passed(self) -> int:
        return len(self.reached) - self.forgotten

    @property
    def places(self) -> list[list[int]]:
        """The numbers of the boundaries, together where whoever dies leaves the same behind: no crash tells them apart.

        What a process knew is gone with it; only what it committed and sent is left.
        """
        places: list[list[int]] = []
        for number, left in enumerate(self.left, start=1):
            if number > 1 and left == self.left[number - 2]:
                places[-1].append(number)
            else:
                places.append([number])
        return places

    def forget(self) -> None:
        """Count anew from here."""
        self.forgotten = len(self.reached)

    def __call__(self, where: Where) -> None:
        if not self.armed:
            return
        self.reached.append(Boundary(self.doing, where))
        if not self.at:  # those who look for places to die at have not chosen any yet
            self.left.append(self.left_behind())
        if self.passed in self.at or self.dice.random() < self.chance:
            self.struck.append(self.reached[-1])
            raise Crash(where)
