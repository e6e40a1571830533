"""What verifying a whole log and verifying one organisation's events have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec

from provisioning.audit.checkpoint import Checkpoint, TreeHead
from provisioning.audit.errors import AuditFormatError
from provisioning.audit.export import EndLine, HeaderLine, Line
from provisioning.audit.note import SignatureState, VerifierKey
from provisioning.audit.verdict import Doubt, Findings, Signer, Tampering, Verdict


class Yardstick(msgspec.Struct, frozen=True):
    """What an export is held against: the log's public keys and, if the reader has one, a checkpoint from outside."""

    keys: tuple[VerifierKey, ...]
    outside: TreeHead | None


class Inspection(ABC):
    """Reads the lines behind the header, one by one, and concludes."""

    def __init__(self, header: HeaderLine, yardstick: Yardstick, found: Findings) -> None:
        self._header = header
        self._yardstick = yardstick
        self._found = found
        self._events = 0
        self._proven = 0
        self._signers: dict[str, Signer] = {}
        self._newest: Checkpoint | None = None
        self._end: EndLine | None = None
        self._outside_compared = False

    @abstractmethod
    def read(self, number: int, line: Line) -> None:
        """Take in one line; kinds that have no place in this export are findings."""

    @abstractmethod
    def conclude(self) -> Verdict:
        """The verdict, once all lines were read."""

    def _read_end(self, number: int, line: Line) -> None:
        if self._end is not None:
            self._found.add(Tampering.MALFORMED, "A line behind the end of the export.", number)
        elif isinstance(line, EndLine):
            self._end = line
        else:
            self._found.add(Tampering.MALFORMED, "A line of this kind has no place in this export.", number)

    def _read_checkpoint(self, number: int, note: str) -> Checkpoint | None:
        """The checkpoint when a key of the log signed it in its time, else None and a finding."""
        try:
            checkpoint = Checkpoint.parse(note)
        except AuditFormatError as error:
            self._found.add(Tampering.MALFORMED, f"The checkpoint is malformed: {error}", number)
            return None
        if problem := problem_of_checkpoint(checkpoint, self._header.origin, self._yardstick.keys):
            self._found.add(*problem, number)
            return None
        if not self._counts(number, checkpoint):
            return None
        if self._newest is None or checkpoint.head.size > self._newest.head.size:
            self._newest = checkpoint
        return checkpoint

    def _counts(self, number: int, checkpoint: Checkpoint) -> bool:
        """Whether the key that signed it was not replaced before: a key that was given up may be in wrong hands."""
        key, size = _signer_of(checkpoint, self._yardstick.keys), checkpoint.head.size
        if key in list(self._signers)[:-1]:
            after = list(self._signers)[-1]
            sentence = f"The checkpoint of {size} events is signed by {key}, from which {after} had taken over."
            self._found.add(Tampering.KEY_RETURNED, sentence, number)
            return False
        known = self._signers.get(key)
        self._signers[key] = known.signed_also(size) if known else Signer(key, 1, size, size)
        return True

    @property
    def _checkpoints(self) -> int:
        return sum(signer.checkpoints for signer in self._signers.values())

    def _check_end(self) -> None:
        if self._end is None:
            self._found.add(Tampering.TAIL_CUT, f"The export breaks off after {self._events} events.")
        elif self._end.events != self._events:
            kind = Tampering.DELETED if self._end.events > self._events else Tampering.INSERTED
            self._found.add(kind, f"The export promises {self._end.events} events and holds {self._events}.")
        outside, newest = self._yardstick.outside, self._newest
        if outside and (newest is None or newest.head.size < outside.size):
            size = newest.head.size if newest else 0
            sentence = f"The outside checkpoint covers {outside.size} events, this export only {size}."
            self._found.add(Tampering.TAIL_CUT, sentence)

    def _note_comparison(self, outside: TreeHead, *, agrees: bool) -> None:
        self._outside_compared = True
        if not agrees:
            size = outside.size
            sentence = f"This log did not grow from the outside checkpoint of {size} events, or the proof is false."
            self._found.add(Tampering.REWRITTEN, sentence, sequences=(0, size - 1))

    def _verdict(self, *doubts: Doubt) -> Verdict:
        return Verdict(
            origin=self._header.origin,
            organisation=self._header.organisation,
            events=self._events,
            proven=self._proven,
            checkpoints=self._checkpoints,
            signers=tuple(self._signers.values()),
            newest=self._newest,
            findings=tuple(self._found.listed),
            unlisted_findings=self._found.unlisted,
            doubts=(Doubt.LATER_EVENTS, *self._doubts_about_the_key_holder(), *doubts),
        )

    def _doubts_about_the_key_holder(self) -> tuple[Doubt, ...]:
        outside, newest = self._yardstick.outside, self._newest
        if outside is None:
            return (Doubt.KEY_HOLDER,)
        if not self._outside_compared:
            return (Doubt.KEY_HOLDER, Doubt.OUTSIDE_NOT_COMPARED)
        is_newest = newest is not None and newest.head.size == outside.size
        return () if is_newest else (Doubt.KEY_HOLDER_SINCE,)


def problem_of_checkpoint(
    checkpoint: Checkpoint, origin: str, keys: Sequence[VerifierKey]
) -> tuple[Tampering, str] | None:
    """Why this checkpoint counts for nothing, or None when it is the log's own."""
    head = checkpoint.head
    if head.origin != origin:
        return Tampering.CHECKPOINT_UNKNOWN, f"The checkpoint of {head.size} events is of another log."
    states = {key.label: checkpoint.state_of(key) for key in keys}
    for key, state in states.items():
        if state is SignatureState.INVALID:
            sentence = f"The signature under the checkpoint of {head.size} events is false: {key} did not sign this."
            return Tampering.CHECKPOINT_FORGED, sentence
    if SignatureState.VALID not in states.values():
        signers = " and ".join(signature.label for signature in checkpoint.signatures)
        sentence = f"The checkpoint of {head.size} events is signed by {signers}, and no such key was given."
        return Tampering.CHECKPOINT_UNKNOWN, sentence
    return None


def _signer_of(checkpoint: Checkpoint, keys: Sequence[VerifierKey]) -> str:
    return next(key.label for key in keys if checkpoint.state_of(key) is SignatureState.VALID)
