import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.audit.proofs import TreeLevels, is_consistent, is_included
from provisioning.audit.tree import EMPTY_ROOT, Frontier, leaf_hash
from tests.unit.audit.published import CONSISTENCY, INCLUSION, LEAVES, ROOTS, path_of

sizes = st.integers(min_value=1, max_value=70)


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(size)]


class TestTreeLevels:
    @pytest.mark.parametrize("size", range(9))
    def test_published_trees_have_their_published_roots(self, size: int) -> None:
        assert TreeLevels(LEAVES[:size]).root == ROOTS[size]

    @given(sizes)
    def test_it_agrees_with_the_frontier(self, size: int) -> None:
        tree = TreeLevels(leaves_of(size))
        assert (tree.size, tree.root) == (size, Frontier().extend(leaves_of(size)).root)

    def test_leaves_may_come_from_anywhere_once(self) -> None:
        assert TreeLevels(iter(LEAVES)).leaf(7) == LEAVES[7]


class TestInclusion:
    @pytest.mark.parametrize(("place", "path"), list(INCLUSION.items()), ids=str)
    def test_published_paths_are_given(self, place: tuple[int, int], path: tuple[str, ...]) -> None:
        index, size = place
        assert TreeLevels(LEAVES[:size]).inclusion_path(index) == path_of(path)

    @pytest.mark.parametrize(("place", "path"), list(INCLUSION.items()), ids=str)
    def test_published_paths_are_believed(self, place: tuple[int, int], path: tuple[str, ...]) -> None:
        index, size = place
        assert is_included(LEAVES[index], index, size, path_of(path), ROOTS[size])

    @given(sizes)
    def test_every_leaf_of_every_tree_is_proven(self, size: int) -> None:
        tree = TreeLevels(leaves_of(size))
        for index, leaf in enumerate(leaves_of(size)):
            assert is_included(leaf, index, size, tree.inclusion_path(index), tree.root)

    @given(st.data())
    def test_a_path_proves_no_other_leaf_and_no_other_place(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(min_value=2, max_value=70))
        index, other = data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))
        tree = TreeLevels(leaves_of(size))
        path = tree.inclusion_path(index)
        assert not is_included(tree.leaf(other), index, size, path, tree.root)
        assert not is_included(tree.leaf(index), other, size, path, tree.root)

    @given(st.data())
    def test_no_changed_path_is_believed(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(min_value=2, max_value=70))
        index = data.draw(st.integers(0, size - 1))
        tree = TreeLevels(leaves_of(size))
        path = list(tree.inclusion_path(index))
        place = data.draw(st.integers(0, len(path) - 1))
        altered = [*path[:place], leaf_hash(b"altered"), *path[place + 1 :]]
        for wrong in (altered, path[:-1], [*path, EMPTY_ROOT], path[1:]):
            assert not is_included(tree.leaf(index), index, size, wrong, tree.root)

    @pytest.mark.parametrize("index", [-1, 8])
    def test_nothing_is_proven_outside_the_tree(self, index: int) -> None:
        assert not is_included(LEAVES[0], index, 8, path_of(INCLUSION[0, 8]), ROOTS[8])
        with pytest.raises(IndexError):
            TreeLevels(LEAVES).inclusion_path(index)


class TestConsistency:
    @pytest.mark.parametrize(("growth", "path"), list(CONSISTENCY.items()), ids=str)
    def test_published_paths_are_given(self, growth: tuple[int, int], path: tuple[str, ...]) -> None:
        older, newer = growth
        assert TreeLevels(LEAVES[:newer]).consistency_path(older) == path_of(path)

    @pytest.mark.parametrize(("growth", "path"), list(CONSISTENCY.items()), ids=str)
    def test_published_paths_are_believed(self, growth: tuple[int, int], path: tuple[str, ...]) -> None:
        older, newer = growth
        assert is_consistent((older, ROOTS[older]), (newer, ROOTS[newer]), path_of(path))

    @given(sizes)
    def test_every_growth_is_proven(self, newer: int) -> None:
        tree = TreeLevels(leaves_of(newer))
        for older in range(newer + 1):
            before = (older, Frontier().extend(leaves_of(older)).root)
            assert is_consistent(before, (newer, tree.root), tree.consistency_path(older))

    @given(st.data())
    def test_a_rewritten_log_is_not_believed(self, data: st.DataObject) -> None:
        newer = data.draw(st.integers(min_value=2, max_value=70))
        older = data.draw(st.integers(1, newer))
        changed = data.draw(st.integers(0, older - 1))
        rewritten = leaves_of(newer)
        rewritten[changed] = leaf_hash(b"rewritten")
        tree = TreeLevels(rewritten)
        before = (older, Frontier().extend(leaves_of(older)).root)
        assert not is_consistent(before, (newer, tree.root), tree.consistency_path(older))

    @given(st.data())
    def test_no_changed_path_is_believed(self, data: st.DataObject) -> None:
        newer = data.draw(st.integers(min_value=3, max_value=70))
        older = data.draw(st.integers(1, newer - 1))
        tree = TreeLevels(leaves_of(newer))
        path = list(tree.consistency_path(older))
        place = data.draw(st.integers(0, len(path) - 1))
        altered = [*path[:place], leaf_hash(b"altered"), *path[place + 1 :]]
        before = (older, Frontier().extend(leaves_of(older)).root)
        for wrong in (altered, path[:-1], [*path, EMPTY_ROOT], []):
            assert not is_consistent(before, (newer, tree.root), wrong)

    def test_a_log_never_shrinks(self) -> None:
        assert not is_consistent((8, ROOTS[8]), (7, ROOTS[7]), ())
        with pytest.raises(IndexError):
            TreeLevels(LEAVES[:7]).consistency_path(8)

    def test_one_size_has_one_root(self) -> None:
        assert not is_consistent((7, ROOTS[8]), (7, ROOTS[7]), ())
        assert not is_consistent((0, ROOTS[1]), (7, ROOTS[7]), ())
