"""Signed notes (c2sp.org/signed-note): a text, an empty line, and lines that sign the text with Ed25519."""

import base64
import binascii
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from provisioning.audit.errors import AuditFormatError

MAX_SIGNATURES = 100

_ED25519 = b"\x01"
_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_DASH = "\u2014 "
_PRIVATE = "PRIVATE+KEY+"


class SignatureState(StrEnum):
    """What a note says about one key."""

    VALID = "valid"
    ABSENT = "absent"  # no line of this key: an unknown or another signer
    INVALID = "invalid"  # a line of this key that does not sign this text


class VerifierKey(msgspec.Struct, frozen=True):
    """An Ed25519 public key and the name it signs under; as text `name+hash+base64`."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != _KEY_BYTES:
            raise AuditFormatError(f"An Ed25519 public key has {_KEY_BYTES} bytes, this one {len(self.public)}.")

    def __str__(self) -> str:
        return _key_text(self.name, self.key_id, self.public)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `text` spells; raises AuditFormatError when it is none or its hash is another's."""
        name, key_id, public = _parse_key(text)
        key = cls(name, public)
        _check_key_id(key, key_id)
        return key

    @property
    def label(self) -> str:
        """Which key this is, in short: how its text begins."""
        return key_label(self.name, self.key_id)

    @property
    def key_id(self) -> bytes:
        """The four bytes that point from a signature line to its key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    def has_signed(self, text: str, signature: bytes) -> bool:
        """Whether these bytes are this key's signature of the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class SignerKey:
    """An Ed25519 private key and the name it signs under; never printed."""

    def __init__(self, name: str, seed: bytes) -> None:
        if len(seed) != _KEY_BYTES:
            raise AuditFormatError(f"An Ed25519 private key has {_KEY_BYTES} bytes, this one {len(seed)}.")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SignerKey({str(self.verifier)!r})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key spelled `PRIVATE+KEY+name+hash+base64`; raises AuditFormatError, never showing it."""
        if not text.startswith(_PRIVATE):
            raise AuditFormatError(f"A signing key begins with {_PRIVATE}.")
        name, key_id, seed = _parse_key(text.removeprefix(_PRIVATE))
        key = cls(name, seed)
        _check_key_id(key.verifier, key_id)
        return key

    def reveal(self) -> str:
        """The private key as text, for writing into the one file that holds it."""
        return _PRIVATE + _key_text(self.verifier.name, self.verifier.key_id, self._private.private_bytes_raw())

    def sign(self, text: str) -> "Signature":
        """The line that signs this text."""
        return Signature(self.verifier.name, self.verifier.key_id, self._private.sign(text.encode()))


class Signature(msgspec.Struct, frozen=True):
    """One signature line; the signature may be of a kind that we cannot check, such as a witness's."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def label(self) -> str:
        """Which key this line claims to be of, in short: how that key's text begins."""
        return key_label(self.name, self.key_id)

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}"

    @classmethod
    def parse(cls, line: str, number: int | None = None) -> Self:
        """The signature on one line; raises AuditFormatError with the line's number."""
        name, gap, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not gap:
            raise AuditFormatError("A signature line is a dash (U+2014), a name and base64 text.", number)
        _check_name(name, number)
        signed = decode_base64(encoded, number)
        if len(signed) <= _KEY_ID_BYTES:
            raise AuditFormatError("A signature line without a signature.", number)
        return cls(name, signed[:_KEY_ID_BYTES], signed[_KEY_ID_BYTES:])


class Note(msgspec.Struct, frozen=True):
    """A text that ends in a newline, and the lines that sign it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(f"{signature}\n" for signature in self.signatures)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The note that `text` spells; raises AuditFormatError with the line that breaks the format."""
        _check_characters(text)
        body, gap, signed = text.rpartition("\n\n")
        if not gap or not body or not signed.endswith("\n"):
            raise AuditFormatError("A note is a text, an empty line and signature lines, each ended by a newline.")
        lines = signed.removesuffix("\n").split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise AuditFormatError(f"A note with more than {MAX_SIGNATURES} signatures is refused.")
        first = body.count("\n") + 3
        return cls(body + "\n", tuple(Signature.parse(line, first + place) for place, line in enumerate(lines)))

    def state_of(self, key: VerifierKey) -> SignatureState:
        """What this note says about the key; one false line of it condemns the note."""
        own = [line for line in self.signatures if (line.name, line.key_id) == (key.name, key.key_id)]
        if not own:
            return SignatureState.ABSENT
        valid = all(key.has_signed(self.text, line.signature) for line in own)
        return SignatureState.VALID if valid else SignatureState.INVALID

    def with_signatures(self, more: Sequence[Signature]) -> Self:
        """The same note with these lines behind those it has; lines it has already are not repeated."""
        return type(self)(self.text, tuple(dict.fromkeys((*self.signatures, *more))))


def decode_base64(encoded: str, line: int | None = None) -> bytes:
    """The bytes of canonical standard base64; raises AuditFormatError for every other spelling."""
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise AuditFormatError("This is not base64.", line) from None
    if base64.b64encode(decoded).decode() != encoded:
        raise AuditFormatError("This base64 has stray bits at its end.", line)
    return decoded


def _check_name(name: str, line: int | None = None) -> None:
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise AuditFormatError("A key's name is not empty and holds no blanks, control characters or plus signs.", line)


def _check_characters(text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if any(char < " " or "\ud800" <= char <= "\udfff" for char in line):
            raise AuditFormatError("A note holds no control characters.", number)


def key_label(name: str, key_id: bytes) -> str:
    """Which key this is, in short; the rest of its text is the key itself."""
    return f"{name}+{key_id.hex()}"


def _key_text(name: str, key_id: bytes, key: bytes) -> str:
    return f"{key_label(name, key_id)}+{base64.b64encode(_ED25519 + key).decode()}"


def _parse_key(text: str) -> tuple[str, str, bytes]:
    # The base64 part may hold plus signs of its own, names and hashes never.
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004  name, hash and key: the format itself
        raise AuditFormatError("A key is written as name+hash+base64.")
    name, key_id, encoded = parts
    key = decode_base64(encoded)
    if key[:1] != _ED25519:
        raise AuditFormatError("Only Ed25519 keys (type 1) are known here.")
    return name, key_id, key[1:]


def _check_key_id(key: VerifierKey, key_id: str) -> None:
    if key_id != key.key_id.hex():
        raise AuditFormatError(f"The hash in the key's text is not that of the key: {key.key_id.hex()}.")
