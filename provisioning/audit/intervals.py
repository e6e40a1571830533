"""The events between two checkpoints: whether they are what the second one sealed, and if not, what was done."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from provisioning.audit.checkpoint import TreeHead
from provisioning.audit.tree import Frontier
from provisioning.audit.verdict import Finding, Tampering


class Entry(NamedTuple):
    """One event of an export: its line, the number and leaf hash it claims, and the hash its text has."""

    line: int
    sequence: int
    claimed: bytes
    computed: bytes


class Interval(msgspec.Struct, frozen=True):
    """The entries an export holds for the events `start` up to the size of `head`, in the order of the file.

    `frontier` is the proven edge of the tree at `start`, or None when that is lost.
    """

    start: int
    head: TreeHead
    frontier: Frontier | None
    entries: Sequence[Entry]

    @property
    def span(self) -> tuple[int, int]:
        """The first and last sequence that belong here."""
        return self.start, self.head.size - 1

    @property
    def due(self) -> range:
        """The sequences that belong here."""
        return range(self.start, self.head.size)

    def grown(self, leaves: Sequence[bytes]) -> Frontier | None:
        """The frontier at the end, if these leaves are what the checkpoint sealed."""
        if self.frontier is None or len(leaves) != len(self.due):
            return None
        grown = self.frontier.extend(leaves)
        return grown if grown.root == self.head.root else None


class Examination(msgspec.Struct, frozen=True):
    """What an interval proved: its leaves in their order and the frontier behind them, or None.

    `missing` are sequences with no event, `strays` events that belong elsewhere: the end of the export tells
    whether these are the same.
    """

    leaves: tuple[bytes, ...] | None
    frontier: Frontier | None
    proven: int
    findings: tuple[Finding, ...] = ()
    missing: tuple[int, ...] = ()
    strays: tuple[Entry, ...] = ()


def examine(interval: Interval) -> Examination:
    """Prove the interval, or name what was done to it."""
    claimed = tuple(entry.claimed for entry in interval.entries)
    if _is_untouched(interval) and (frontier := interval.grown(claimed)):
        return Examination(claimed, frontier, len(claimed))
    for arranged in _arrangements(interval):
        for by_claim in (True, False):
            leaves = tuple(entry.claimed if by_claim else entry.computed for entry in arranged)
            if frontier := interval.grown(leaves):
                return _examine_proven(interval, arranged, leaves, frontier)
    return _examine_unproven(interval)


def _is_untouched(interval: Interval) -> bool:
    if [entry.sequence for entry in interval.entries] != list(interval.due):
        return False
    return all(entry.computed == entry.claimed for entry in interval.entries)


def _arrangements(interval: Interval) -> Iterator[list[Entry]]:
    """The orders in which the entries may once have been sealed: as they stand, and as they are numbered."""
    yield list(interval.entries)
    for entries in (reversed(interval.entries), interval.entries):  # of a sequence twice: the first, then the last
        numbered = {entry.sequence: entry for entry in entries}
        if all(due in numbered for due in interval.due):
            yield [numbered[due] for due in interval.due]


def _examine_proven(
    interval: Interval, arranged: list[Entry], leaves: tuple[bytes, ...], frontier: Frontier
) -> Examination:
    sealed = dict(zip(arranged, leaves, strict=True))
    edited = [entry for entry in arranged if entry.computed != sealed[entry]]
    findings = [_edited(entry) for entry in edited]
    findings += [_leaf_altered(entry) for entry in arranged if entry.claimed != sealed[entry]]
    if [entry.sequence for entry in arranged] != list(interval.due):
        findings.append(_renumbered(interval, arranged))
        strays: list[Entry] = []
    else:
        findings += _order_findings(arranged)
        surplus = [entry for entry in interval.entries if entry not in sealed]
        strays = [entry for entry in surplus if entry.sequence not in interval.due]
        of_sequence = dict(zip(interval.due, leaves, strict=True))
        findings += [_surplus(entry, of_sequence[entry.sequence]) for entry in surplus if entry.sequence in of_sequence]
    proven = len(arranged) - len(edited)
    return Examination(leaves, frontier, proven, tuple(findings), strays=tuple(strays))


def _examine_unproven(interval: Interval) -> Examination:
    held = {entry.sequence for entry in interval.entries}
    missing = tuple(due for due in interval.due if due not in held)
    strays = tuple(entry for entry in interval.entries if entry.sequence not in interval.due)
    findings = [_edited(entry) for entry in interval.entries if entry.computed != entry.claimed]
    findings += _repetitions(interval.entries)
    if not missing:
        findings.append(_not_what_was_sealed(interval))
        # With every number present the stranger among them hides behind another's number: nothing to match up.
        strays = ()
    return Examination(None, None, 0, tuple(findings), missing, strays)


def _order_findings(arranged: list[Entry]) -> Iterator[Finding]:
    standing = sorted(arranged)  # by line
    moved = [(was, is_now) for was, is_now in zip(arranged, standing, strict=True) if was != is_now]
    if moved:
        first, last = moved[0][0].sequence, moved[-1][0].sequence
        sentence = f"The events {first} to {last} do not stand in their order."
        yield Finding(Tampering.REORDERED, sentence, moved[0][1].line, (first, last))


def _repetitions(entries: Iterable[Entry]) -> Iterator[Finding]:
    seen: set[int] = set()
    for entry in entries:
        if entry.sequence in seen:
            sentence = f"There is more than one event {entry.sequence}."
            yield Finding(Tampering.DUPLICATED, sentence, entry.line, (entry.sequence, entry.sequence))
        seen.add(entry.sequence)


def _edited(entry: Entry) -> Finding:
    sentence = f"The text of event {entry.sequence} was edited: it does not have the hash beside it."
    return Finding(Tampering.EDITED, sentence, entry.line, (entry.sequence, entry.sequence))


def _leaf_altered(entry: Entry) -> Finding:
    sentence = f"The hash beside event {entry.sequence} was altered; the event itself is genuine."
    return Finding(Tampering.LEAF_ALTERED, sentence, entry.line, (entry.sequence, entry.sequence))


def _surplus(entry: Entry, genuine: bytes) -> Finding:
    place = (entry.sequence, entry.sequence)
    if entry.computed == genuine:
        return Finding(Tampering.DUPLICATED, f"Event {entry.sequence} stands here again.", entry.line, place)
    sentence = f"A foreign event was inserted under the number {entry.sequence}."
    return Finding(Tampering.INSERTED, sentence, entry.line, place)


def _renumbered(interval: Interval, arranged: list[Entry]) -> Finding:
    wrong = next(entry for entry, due in zip(arranged, interval.due, strict=True) if entry.sequence != due)
    first, last = interval.span
    sentence = f"The events {first} to {last} are genuine and in their order, but bear other numbers."
    return Finding(Tampering.RENUMBERED, sentence, wrong.line, interval.span)


def _not_what_was_sealed(interval: Interval) -> Finding:
    first, last = interval.span
    line = interval.entries[0].line
    surplus = len(interval.entries) - len(interval.due)
    if surplus:
        sentence = f"Among the events {first} to {last} are {surplus} more than were sealed; which, cannot be said."
        return Finding(Tampering.INSERTED, sentence, line, interval.span)
    if interval.frontier is None:
        sentence = f"The events {first} to {last} cannot be proven: the edge of the tree before them is lost."
        return Finding(Tampering.UNCOVERED, sentence, line, interval.span)
    sentence = (
        f"The events {first} to {last} do not lead to the root of their checkpoint: at least one was altered "
        "together with its hash; which, cannot be said more closely."
    )
    return Finding(Tampering.CONTENT_ALTERED, sentence, line, interval.span)


def settle(missing: Iterable[int], strays: Iterable[Entry], size: int) -> Iterator[Finding]:
    """Say of each event that is gone and each that stands elsewhere whether it was deleted, moved or added."""
    gone = set(missing)
    for entry in strays:
        place = (entry.sequence, entry.sequence)
        if entry.sequence in gone:
            gone.discard(entry.sequence)
            sentence = f"Event {entry.sequence} does not stand in its place."
            yield Finding(Tampering.REORDERED, sentence, entry.line, place)
        elif entry.sequence < size:
            sentence = f"Event {entry.sequence} stands here again, far from its place."
            yield Finding(Tampering.DUPLICATED, sentence, entry.line, place)
        else:
            sentence = f"An event {entry.sequence} was inserted; the log has {size}."
            yield Finding(Tampering.INSERTED, sentence, entry.line, place)
    for first, last in _runs(sorted(gone)):
        sentence = f"The events {first} to {last} are missing; without them their neighbours are not proven."
        yield Finding(Tampering.DELETED, sentence, sequences=(first, last))


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for number in numbers:
        if last is not None and first is not None and number != last + 1:
            yield first, last
            first = number
        first, last = number if first is None else first, number
    if first is not None and last is not None:
        yield first, last
