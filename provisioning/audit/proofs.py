"""Proofs over the Merkle tree (RFC 9162, 2.1.3 and 2.1.4): that an entry is in it, that it only grew."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256

from provisioning.audit.tree import EMPTY_ROOT, HASH_BYTES, node_hash

# Neighbouring paths share their upper nodes: remembering these saves most of the hashing of an export.
_remembered_hash = lru_cache(maxsize=4096)(node_hash)


class TreeLevels:
    """Every node of one tree, level by level, for giving many proofs cheaply: 64 bytes a leaf."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._levels = [b"".join(leaves)]
        while len(self._levels[-1]) > HASH_BYTES:
            self._levels.append(_parents(self._levels[-1]))

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return len(self._levels[0]) // HASH_BYTES

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return self._levels[-1] or EMPTY_ROOT

    def leaf(self, index: int) -> bytes:
        """The leaf hash at `index`, counted from 0."""
        return self._node(0, index)

    def inclusion_path(self, index: int) -> tuple[bytes, ...]:
        """The audit path of the leaf at `index` (RFC 9162, 2.1.3.1); raises IndexError outside the tree."""
        if not 0 <= index < self.size:
            raise IndexError(f"There is no leaf {index} in a tree of {self.size} leaves.")
        return tuple(self._siblings(0, index))

    def consistency_path(self, older: int) -> tuple[bytes, ...]:
        """The proof that this tree grew from its first `older` leaves (RFC 9162, 2.1.4.1); raises IndexError."""
        if not 0 <= older <= self.size:
            raise IndexError(f"A tree of {self.size} leaves did not grow from one of {older}.")
        if older in (0, self.size):
            return ()
        level, index = _last_complete_subtree(older)
        siblings = tuple(self._siblings(level, index))
        return siblings if index == 0 else (self._node(level, index), *siblings)

    def _node(self, level: int, index: int) -> bytes:
        return self._levels[level][index * HASH_BYTES : (index + 1) * HASH_BYTES]

    def _siblings(self, level: int, index: int) -> Iterator[bytes]:
        for higher in range(level, len(self._levels) - 1):
            if sibling := self._node(higher, index ^ 1):
                yield sibling
            index >>= 1


def _parents(level: bytes) -> bytes:
    pair = 2 * HASH_BYTES
    whole = len(level) // pair * pair
    parents = [sha256(b"\x01" + level[place : place + pair]).digest() for place in range(0, whole, pair)]
    # A node without a sibling rises unchanged: this gives the very tree that RFC 9162 splits from above.
    return b"".join([*parents, level[whole:]])


def _last_complete_subtree(size: int) -> tuple[int, int]:
    level, index = 0, size - 1
    while index & 1:
        level, index = level + 1, index >> 1
    return level, index


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that this audit path leads to (RFC 9162, 2.1.3.2), or None when its length is wrong."""
    if not 0 <= index < size:
        return None
    # Up to where the leaf's way meets the right edge there is a sibling on each level; from there on only left ones.
    below_edge = (index ^ (size - 1)).bit_length()
    if len(path) != below_edge + (index >> below_edge).bit_count():
        return None
    node = leaf
    for sibling in path[:below_edge]:
        node = _remembered_hash(sibling, node) if index & 1 else _remembered_hash(node, sibling)
        index >>= 1
    for left in path[below_edge:]:
        node = _remembered_hash(left, node)
    return node


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that `leaf` stands at `index` in the tree of `size` leaves with this root."""
    return root_of_path(leaf, index, size, path) == root


def is_consistent(older: tuple[int, bytes], newer: tuple[int, bytes], path: Sequence[bytes]) -> bool:
    """Whether the path proves that the newer tree (size, root) grew from the older (RFC 9162, 2.1.4.2)."""
    (older_size, older_root), (newer_size, newer_root) = older, newer
    if older_size in (0, newer_size):
        known = EMPTY_ROOT if older_size == 0 else newer_root
        return not path and older_root == known
    if not 0 < older_size < newer_size or not path:
        return False
    level, index = _last_complete_subtree(older_size)
    start, *siblings = path if index else (older_root, *path)
    return _grow(start, siblings, index, (newer_size - 1) >> level) == (older_root, newer_root)


def _grow(start: bytes, siblings: Sequence[bytes], index: int, last: int) -> tuple[bytes, bytes] | None:
    older = newer = start
    for sibling in siblings:
        if last == 0:
            return None
        # On the right edge a node has no right sibling: it rises until it has a left one.
        while not index & 1 and index == last:
            index, last = index >> 1, last >> 1
        if index & 1:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
        else:
            newer = node_hash(newer, sibling)
        index, last = index >> 1, last >> 1
    return (older, newer) if last == 0 else None
