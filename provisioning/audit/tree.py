"""The Merkle tree of RFC 9162, section 2.1: how it is hashed, and the right edge of a growing one."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Self

import msgspec

from provisioning.audit.errors import AuditFormatError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

_SIZE_BYTES = 8


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry (RFC 9162, 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 9162, 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier(msgspec.Struct, frozen=True):
    """The right edge of a tree: all that is needed to append to it and to know its root.

    `edge` holds the roots of the complete subtrees, widest first: one for each bit set in `size`.
    """

    size: int = 0
    edge: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.edge) != self.size.bit_count():
            raise AuditFormatError(f"A tree of {self.size} leaves cannot have an edge of {len(self.edge)} hashes.")
        if any(len(node) != HASH_BYTES for node in self.edge):
            raise AuditFormatError(f"An edge holds hashes of {HASH_BYTES} bytes, nothing else.")

    @property
    def root(self) -> bytes:
        """The root of the tree; the hash of nothing for a tree without leaves."""
        if not self.edge:
            return EMPTY_ROOT
        *wider, root = self.edge
        for left in reversed(wider):
            root = node_hash(left, root)
        return root

    def append(self, leaf: bytes) -> Self:
        """The frontier one leaf hash later."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> Self:
        """The frontier after these leaf hashes, in their order."""
        size, edge = self.size, list(self.edge)
        for leaf in leaves:
            node, carry = leaf, size
            while carry & 1:
                node = node_hash(edge.pop(), node)
                carry >>= 1
            edge.append(node)
            size += 1
        return type(self)(size, tuple(edge))

    def to_bytes(self) -> bytes:
        """The form to store: the size in 8 bytes, most significant first, and the edge."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.edge)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """The frontier that `to_bytes` stored; raises AuditFormatError when it is none."""
        if len(stored) < _SIZE_BYTES:
            raise AuditFormatError("A stored edge begins with the size of the tree in 8 bytes.")
        size = int.from_bytes(stored[:_SIZE_BYTES], "big")
        return cls(size, split_hashes(stored[_SIZE_BYTES:]))


def split_hashes(joined: bytes) -> tuple[bytes, ...]:
    """The hashes that lie end to end in `joined`; the last one is short when bytes are missing."""
    return tuple(joined[place : place + HASH_BYTES] for place in range(0, len(joined), HASH_BYTES))
