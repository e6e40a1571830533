"""Verifying an export of the whole log in one pass, interval by interval."""

from collections.abc import Sequence

from provisioning.audit.checkpoint import TreeHead
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.export import CheckpointLine, EventLine, HeaderLine, Line
from provisioning.audit.inspection import Inspection, Yardstick
from provisioning.audit.intervals import Entry, Examination, Interval, examine, settle
from provisioning.audit.tree import EMPTY_ROOT, Frontier, leaf_hash
from provisioning.audit.verdict import Doubt, Findings, Tampering, Verdict


class LogInspection(Inspection):
    """Holds the events since the last authentic checkpoint, and the frontier up to there, proven or lost."""

    def __init__(self, header: HeaderLine, yardstick: Yardstick, found: Findings) -> None:
        super().__init__(header, yardstick, found)
        self._frontier: Frontier | None = Frontier()
        self._start = 0
        self._entries: list[Entry] = []
        self._roots = {0: EMPTY_ROOT}
        self._missing: list[int] = []
        self._strays: list[Entry] = []

    def read(self, number: int, line: Line) -> None:
        """Take in one line."""
        if self._end is None and type(line) is EventLine:
            computed = leaf_hash(line.event.encode())
            self._entries.append(Entry(number, line.sequence, line.leaf, computed))
            self._events += 1
        elif self._end is None and isinstance(line, CheckpointLine):
            self._close_interval(number, line)
        else:
            self._read_end(number, line)

    def conclude(self) -> Verdict:
        """The verdict, once all lines were read."""
        if self._entries:
            self._report_uncovered(self._entries)
        for finding in settle(self._missing, self._strays, self._start):
            self._found.add(finding.kind, finding.sentence, finding.line, finding.sequences)
        if self._newest is None and not self._entries:
            self._found.add(Tampering.UNCOVERED, "The export holds no authentic checkpoint.")
        self._check_end()
        unused = len(self._yardstick.keys) > len(self._signers) > 0
        return self._verdict(*((Doubt.KEY_UNUSED,) if unused else ()))

    def _close_interval(self, number: int, line: CheckpointLine) -> None:
        checkpoint = self._read_checkpoint(number, line.note)
        if checkpoint is None:
            return
        head = checkpoint.head
        if head.size <= self._start:
            self._read_repeated(number, head)
            return
        interval = Interval(self._start, head, self._frontier, self._entries)
        examination = examine(interval)
        self._take_over(examination)
        if examination.leaves is not None:
            self._compare_within(interval, examination.leaves)
        self._step(number, interval, examination, line.edge)

    def _read_repeated(self, number: int, head: TreeHead) -> None:
        known = self._roots.get(head.size)
        if known is not None and known != head.root:
            sentence = f"There are two signed roots for {head.size} events: the log was forked."
            self._found.add(Tampering.FORKED, sentence, number)
        elif head.size or self._checkpoints > 1:
            sentence = f"The checkpoint of {head.size} events stands behind one that covers as much or more."
            self._found.add(Tampering.CHECKPOINT_MISPLACED, sentence, number)

    def _take_over(self, examination: Examination) -> None:
        for finding in examination.findings:
            self._found.add(finding.kind, finding.sentence, finding.line, finding.sequences)
        self._proven += examination.proven
        self._missing += examination.missing
        self._strays += examination.strays

    def _compare_within(self, interval: Interval, leaves: Sequence[bytes]) -> None:
        outside = self._yardstick.outside
        if outside and interval.frontier and interval.start < outside.size <= interval.head.size:
            then = interval.frontier.extend(leaves[: outside.size - interval.start])
            self._note_comparison(outside, agrees=then.root == outside.root)

    def _step(self, number: int, interval: Interval, examination: Examination, edge: tuple[bytes, ...]) -> None:
        told = _frontier_of(interval.head, edge)
        if told is None:
            sentence = f"The tree's edge beside the checkpoint of {interval.head.size} events is not that of its root."
            self._found.add(Tampering.EDGE_ALTERED, sentence, number)
        self._frontier = examination.frontier or told
        self._start = interval.head.size
        self._roots[interval.head.size] = interval.head.root
        self._entries = []

    def _report_uncovered(self, entries: Sequence[Entry]) -> None:
        place = (min(entries, key=_by_sequence).sequence, max(entries, key=_by_sequence).sequence)
        sentence = f"No authentic checkpoint covers the last {len(entries)} events."
        self._found.add(Tampering.UNCOVERED, sentence, entries[0].line, place)


def _by_sequence(entry: Entry) -> int:
    return entry.sequence


def _frontier_of(head: TreeHead, edge: tuple[bytes, ...]) -> Frontier | None:
    try:
        told = Frontier(head.size, edge)
    except AuditFormatError:
        return None
    return told if told.root == head.root else None
