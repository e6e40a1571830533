"""Sealing: the step that gives stored events their place in the tree and says which checkpoints are due."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Self

import msgspec

from provisioning.audit.tree import Frontier, leaf_hash


class CheckpointRule(msgspec.Struct, frozen=True):
    """How much of the log may be without a checkpoint: at most so many events, for at most so long."""

    events: int
    interval: timedelta


class SealedLog(msgspec.Struct, frozen=True):
    """How far the log is sealed, and how far checkpointed; `checkpointed_at` is None before the first."""

    frontier: Frontier = Frontier()
    checkpointed: int = 0
    checkpointed_at: datetime | None = None

    @property
    def size(self) -> int:
        """How many events are sealed; also the sequence number of the next one."""
        return self.frontier.size

    @property
    def uncovered(self) -> int:
        """How many sealed events no checkpoint covers yet."""
        return self.size - self.checkpointed

    def needs_checkpoint(self, now: datetime, rule: CheckpointRule) -> bool:
        """Whether a checkpoint is due; never without a new event, at once for the first events of a log."""
        is_late = self.checkpointed_at is None or now - self.checkpointed_at >= rule.interval
        return self.uncovered >= rule.events or (self.uncovered > 0 and is_late)

    def grow(self, leaves: Iterable[bytes]) -> Self:
        """The log after these leaf hashes."""
        return type(self)(self.frontier.extend(leaves), self.checkpointed, self.checkpointed_at)

    def mark_checkpoint(self, now: datetime) -> Self:
        """The log once a checkpoint covers all of it."""
        return type(self)(self.frontier, self.size, now)


class Sealing(msgspec.Struct, frozen=True):
    """What one step of sealing made; the caller stores all of it in one transaction.

    Each frontier in `due` is to be signed as a checkpoint, in this order; `log` counts them as made.
    """

    first: int
    leaves: tuple[bytes, ...]
    log: SealedLog
    due: tuple[Frontier, ...]

    @property
    def sequences(self) -> range:
        """The sequence numbers given, in the order of the events: the first event of a log is 0."""
        return range(self.first, self.first + len(self.leaves))


def seal(log: SealedLog, texts: Iterable[bytes], now: datetime, rule: CheckpointRule) -> Sealing:
    """Append these event texts to the log; without any, see whether time alone makes a checkpoint due."""
    leaves = tuple(map(leaf_hash, texts))
    grown, due = log, list[Frontier]()
    for part in _parts(leaves, max(0, rule.events - log.uncovered), rule.events):
        grown = grown.grow(part)
        if grown.needs_checkpoint(now, rule):
            due.append(grown.frontier)
            grown = grown.mark_checkpoint(now)
    return Sealing(log.size, leaves, grown, tuple(due))


def _parts(leaves: tuple[bytes, ...], room: int, width: int) -> Iterator[tuple[bytes, ...]]:
    # Cut where checkpoints fall, so that none covers more than `width` events however long the chunk is.
    yield leaves[:room]
    for start in range(room, len(leaves), width):
        yield leaves[start : start + width]
