"""Checkpoints (c2sp.org/tlog-checkpoint): signed notes that say how long the log is and what its root is."""

import base64
from typing import Self

import msgspec

from provisioning.audit.errors import AuditFormatError
from provisioning.audit.note import Note, Signature, SignatureState, SignerKey, VerifierKey, decode_base64
from provisioning.audit.tree import HASH_BYTES, Frontier

_MIN_LINES = 3
_MAX_DIGITS = 19  # sizes fit in 63 bits


class TreeHead(msgspec.Struct, frozen=True):
    """What a checkpoint states: of which log, how many events, under which root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if not all(lines) or any(char < " " for line in lines for char in line):
            raise AuditFormatError("An origin and each extension of a checkpoint is one line, and not empty.")
        if self.size < 0 or len(self.root) != HASH_BYTES:
            raise AuditFormatError(f"A checkpoint has a size of 0 or more and a root of {HASH_BYTES} bytes.")

    @property
    def text(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.extensions))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The head that this text states; raises AuditFormatError with the line that breaks the format."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < _MIN_LINES or not text.endswith("\n"):
            raise AuditFormatError("A checkpoint has three lines: origin, size and root.")
        if "" in lines:
            raise AuditFormatError("A checkpoint has no empty lines.", lines.index("") + 1)
        origin, size, root, *extensions = lines
        return cls(origin, _parse_size(size), _parse_root(root), tuple(extensions))


class Checkpoint(msgspec.Struct, frozen=True):
    """A tree head and who signed it: the log, and perhaps witnesses, whose lines are kept as they came."""

    head: TreeHead
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return str(self.note)

    @classmethod
    def sign(cls, origin: str, frontier: Frontier, signer: SignerKey) -> Self:
        """The checkpoint of the log that has grown to this frontier."""
        head = TreeHead(origin, frontier.size, frontier.root)
        return cls(head, (signer.sign(head.text),))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint that `text` spells, unverified; raises AuditFormatError with the line."""
        note = Note.parse(text)
        return cls(TreeHead.parse(note.text), note.signatures)

    @property
    def note(self) -> Note:
        """The checkpoint as the note that it is."""
        return Note(self.head.text, self.signatures)

    def state_of(self, key: VerifierKey) -> SignatureState:
        """Whether this key signed the checkpoint."""
        return self.note.state_of(key)

    def with_signatures(self, *more: Signature) -> Self:
        """The same checkpoint with the lines of witnesses added."""
        return type(self)(self.head, self.note.with_signatures(more).signatures)


def _parse_size(text: str) -> int:
    is_decimal = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    if not is_decimal or str(int(text)) != text:
        raise AuditFormatError("The size of the log is a decimal number without leading zeroes.", 2)
    return int(text)


def _parse_root(text: str) -> bytes:
    root = decode_base64(text, 3)
    if len(root) != HASH_BYTES:
        raise AuditFormatError(f"The root of the log has {HASH_BYTES} bytes.", 3)
    return root
