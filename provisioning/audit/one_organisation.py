"""Verifying an export of one organisation's events: each by its own path to the checkpoint's root."""

from itertools import pairwise

import msgspec

from provisioning.audit.checkpoint import TreeHead
from provisioning.audit.export import CheckpointLine, ConsistencyLine, HeaderLine, Line, ProvenEventLine
from provisioning.audit.inspection import Inspection, Yardstick
from provisioning.audit.proofs import is_consistent, is_included
from provisioning.audit.tree import leaf_hash
from provisioning.audit.verdict import Doubt, Findings, Tampering, Verdict


class _Owner(msgspec.Struct, frozen=True):
    organisation: str | None = None


_OWNER_DECODER = msgspec.json.Decoder(_Owner)


class OrganisationInspection(Inspection):
    """Proves each event for itself; what is missing shows only in the numbering."""

    def __init__(self, header: HeaderLine, yardstick: Yardstick, found: Findings) -> None:
        super().__init__(header, yardstick, found)
        self._head: TreeHead | None = None
        self._sequences: dict[int, int] = {}  # by number in this export
        self._seen: set[int] = set()
        self._highest = -1

    def read(self, number: int, line: Line) -> None:
        """Take in one line."""
        if self._end is not None:
            self._read_end(number, line)
        elif isinstance(line, ProvenEventLine):
            self._read_event(number, line)
        elif isinstance(line, CheckpointLine):
            self._read_head(number, line)
        elif isinstance(line, ConsistencyLine):
            self._read_consistency(line)
        else:
            self._read_end(number, line)

    def conclude(self) -> Verdict:
        """The verdict, once all lines were read."""
        self._report_gaps()
        if self._head is None:
            self._found.add(Tampering.UNCOVERED, "The export holds no authentic checkpoint: nothing in it is proven.")
        self._check_end()
        return self._verdict(Doubt.OMISSION)

    def _read_head(self, number: int, line: CheckpointLine) -> None:
        checkpoint = self._read_checkpoint(number, line.note)
        if checkpoint is None:
            return
        if self._head is not None or self._events:
            self._found.add(Tampering.CHECKPOINT_MISPLACED, "The one checkpoint stands before the events.", number)
            return
        self._head = checkpoint.head
        outside = self._yardstick.outside
        if outside and outside.size == checkpoint.head.size:
            self._note_comparison(outside, agrees=outside.root == checkpoint.head.root)

    def _read_consistency(self, line: ConsistencyLine) -> None:
        outside, head = self._yardstick.outside, self._head
        if outside is None or head is None or line.size != outside.size:
            return
        older, newer = (outside.size, outside.root), (head.size, head.root)
        self._note_comparison(outside, agrees=is_consistent(older, newer, line.path))

    def _read_event(self, number: int, line: ProvenEventLine) -> None:
        self._events += 1
        self._check_place(number, line)
        if self._head is not None:
            self._check_proof(number, line, self._head)
        if _owner_of(line.event) != self._header.organisation:
            sentence = f"Event {line.sequence} is not of the organisation that this export is for."
            self._found.add(Tampering.FOREIGN, sentence, number, (line.sequence, line.sequence))

    def _check_place(self, number: int, line: ProvenEventLine) -> None:
        place = (line.sequence, line.sequence)
        if line.sequence in self._seen:
            self._found.add(Tampering.DUPLICATED, f"Event {line.sequence} stands here again.", number, place)
        elif line.sequence < self._highest:
            sentence = f"Event {line.sequence} does not stand in its place."
            self._found.add(Tampering.REORDERED, sentence, number, place)
        elif line.number in self._sequences:
            sentence = f"Event {line.sequence} bears the number {line.number}, which another has."
            self._found.add(Tampering.RENUMBERED, sentence, number, place)
        self._seen.add(line.sequence)
        self._sequences.setdefault(line.number, line.sequence)
        self._highest = max(self._highest, line.sequence)

    def _check_proof(self, number: int, line: ProvenEventLine, head: TreeHead) -> None:
        computed = leaf_hash(line.event.encode())
        proves_text = is_included(computed, line.sequence, head.size, line.path, head.root)
        self._proven += proves_text
        if proves_text and line.leaf == computed:
            return
        kind, sentence = _name_event_fault(line, head, proves_text=proves_text)
        self._found.add(kind, sentence, number, (line.sequence, line.sequence))

    def _report_gaps(self) -> None:
        numbers = [(0, -1), *sorted(self._sequences.items())]
        for (number, before), (following, behind) in pairwise(numbers):
            if following > number + 1:
                sentence = f"The events with the numbers {number + 1} to {following - 1} in this export are missing."
                self._found.add(Tampering.DELETED, sentence, sequences=(before + 1, max(before + 1, behind - 1)))


def _name_event_fault(line: ProvenEventLine, head: TreeHead, *, proves_text: bool) -> tuple[Tampering, str]:
    if proves_text:
        return (
            Tampering.LEAF_ALTERED,
            f"The hash beside event {line.sequence} was altered; the event itself is genuine.",
        )
    if is_included(line.leaf, line.sequence, head.size, line.path, head.root):
        return (
            Tampering.EDITED,
            f"The text of event {line.sequence} was edited: it does not have the hash that was sealed.",
        )
    return (
        Tampering.NOT_IN_LOG,
        f"No proof leads from event {line.sequence} to the checkpoint: it or its proof was altered, or it was added.",
    )


def _owner_of(text: str) -> str | None:
    try:
        return _OWNER_DECODER.decode(text).organisation
    except msgspec.DecodeError:
        return None
