from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.audit.errors import AuditFormatError
from provisioning.audit.tree import EMPTY_ROOT, Frontier, leaf_hash, node_hash
from tests.unit.audit.published import ENTRIES, LEAVES, ROOTS

leaves = st.lists(st.binary(min_size=32, max_size=32), max_size=70)


def root_from_above(hashes: list[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word for word: split at the largest power of two below the size."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(root_from_above(hashes[:split]), root_from_above(hashes[split:]))


class TestLeafHash:
    @pytest.mark.parametrize(("entry", "leaf"), list(zip(ENTRIES, LEAVES, strict=True)), ids=range(8))
    def test_published_entries_have_their_published_hashes(self, entry: bytes, leaf: bytes) -> None:
        assert leaf_hash(entry) == leaf

    def test_a_leaf_cannot_pass_for_a_node(self) -> None:
        assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


class TestRoot:
    @pytest.mark.parametrize("size", range(9))
    def test_published_trees_have_their_published_roots(self, size: int) -> None:
        assert Frontier().extend(LEAVES[:size]).root == ROOTS[size]

    def test_the_empty_log_has_the_hash_of_nothing(self) -> None:
        assert Frontier().root == EMPTY_ROOT == ROOTS[0]

    @given(leaves)
    def test_it_is_the_root_that_the_definition_gives(self, hashes: list[bytes]) -> None:
        assert Frontier().extend(hashes).root == root_from_above(hashes)


class TestExtend:
    @given(leaves, leaves)
    def test_two_chunks_give_what_one_gives(self, first: list[bytes], second: list[bytes]) -> None:
        assert Frontier().extend(first).extend(second) == Frontier().extend(first + second)

    @given(leaves)
    def test_appending_one_by_one_gives_what_a_chunk_gives(self, hashes: list[bytes]) -> None:
        frontier = Frontier()
        for leaf in hashes:
            frontier = frontier.append(leaf)
        assert frontier == Frontier().extend(hashes)

    def test_the_older_frontier_stays_as_it_was(self) -> None:
        older = Frontier().extend(LEAVES[:5])
        older.extend(LEAVES[5:])
        assert older.root == ROOTS[5]

    def test_a_million_leaves_would_need_seven_hashes(self) -> None:
        assert len(Frontier(1_000_000, (LEAVES[0],) * 7).edge) == 7

    def test_a_hash_of_another_length_is_refused(self) -> None:
        with pytest.raises(AuditFormatError, match="32 bytes"):
            Frontier().append(b"short")


class TestStoring:
    @given(leaves)
    def test_what_was_stored_comes_back(self, hashes: list[bytes]) -> None:
        frontier = Frontier().extend(hashes)
        assert Frontier.from_bytes(frontier.to_bytes()) == frontier

    @pytest.mark.parametrize(
        "stored",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"\x00" * 7, id="half a size"),
            pytest.param((3).to_bytes(8, "big") + bytes(32), id="three leaves need two hashes"),
            pytest.param((1).to_bytes(8, "big") + bytes(64), id="one leaf needs one hash"),
            pytest.param((1).to_bytes(8, "big") + bytes(31), id="a short hash"),
            pytest.param((0).to_bytes(8, "big") + b"\x00", id="a byte too many"),
        ],
    )
    def test_anything_else_is_refused(self, stored: bytes) -> None:
        with pytest.raises(AuditFormatError):
            Frontier.from_bytes(stored)
