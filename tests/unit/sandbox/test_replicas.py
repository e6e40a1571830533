import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provisioning.sandbox.replicas import CURRENT, Replicas


def replicas(lag: float, seed: int = 1) -> Replicas:
    return Replicas(random.Random(seed), lag)


def seen(copies: Replicas, key: str, current: Any, now: float, reads: int = 60) -> set[Any]:
    return {copies.read(now).see(key, current) for _ in range(reads)}


class TestReplicas:
    def test_without_lag_every_read_is_current(self) -> None:
        copies = replicas(0)
        copies.write("key", "old", "new", 0)
        assert copies.read(0) is CURRENT

    def test_just_after_a_write_every_copy_is_old(self) -> None:
        copies = replicas(100)
        copies.write("key", "old", "new", 0)
        assert seen(copies, "key", "new", 0) == {"old"}

    def test_in_between_the_copies_disagree(self) -> None:
        copies = replicas(100)
        copies.write("key", "old", "new", 0)
        assert set().union(*(seen(copies, "key", "new", now) for now in range(0, 100, 5))) == {"old", "new"}

    def test_after_the_lag_every_copy_is_current(self) -> None:
        copies = replicas(100)
        copies.write("key", "old", "new", 0)
        assert seen(copies, "key", "new", 100) == {"new"}

    def test_something_new_is_not_there_yet(self) -> None:
        copies = replicas(100)
        copies.write("key", None, "new", 0)
        assert seen(copies, "key", "new", 0) == {None}

    def test_lag_that_is_taken_away_still_holds_for_earlier_writes(self) -> None:
        copies = replicas(100)
        copies.write("key", "old", "new", 0)
        copies.lag = 0
        copies.write("key", "new", "newest", 1)
        assert seen(copies, "key", "newest", 100) == {"newest"}

    def test_a_write_after_all_has_settled_starts_afresh(self) -> None:
        copies = replicas(10)
        copies.write("key", 1, 2, 0)
        copies.lag = 0
        copies.write("key", 2, 3, 50)
        copies.lag = 10
        copies.write("key", 3, 4, 60)
        assert seen(copies, "key", 4, 60) == {3}

    @given(st.integers(0, 1_000), st.lists(st.floats(0.1, 30), min_size=1, max_size=15))
    def test_no_copy_ever_goes_back_in_time(self, seed: int, pauses: list[float]) -> None:
        copies, now, value = replicas(40, seed), 0.0, 0
        latest: dict[int, int] = {}
        for pause in pauses:
            copies.write("key", value, value + 1, now)
            now, value = now + pause, value + 1
            for _ in range(10):
                copy = copies.read(now)
                read = copy.see("key", value)
                assert latest.get(id(copy), 0) <= read <= value
                latest[id(copy)] = read if copy is not CURRENT else 0
        assert seen(copies, "key", value, now + 41) == {value}


class TestFollow:
    def index(self, lag: float, behind: float) -> Replicas:
        index = Replicas(random.Random(2))
        index.follow(replicas(lag), behind)
        index.write("key", "old", "new", 0)
        return index

    def test_stays_behind_the_others_at_least_as_told(self) -> None:
        index = self.index(lag=20, behind=60)
        assert seen(index, "key", "new", 59) == {"old"}
        assert seen(index, "key", "new", 80) == {"new"}

    def test_behind_nothing_it_keeps_no_copies(self) -> None:
        index = self.index(lag=20, behind=0)
        assert index.is_settled(0)
        assert index.read(0) is CURRENT

    def test_is_unsettled_until_the_last_copy_knows(self) -> None:
        index = self.index(lag=20, behind=60)
        assert (index.is_settled(79), index.is_settled(80)) == (False, True)


class TestTogether:
    def test_a_copy_has_all_of_a_write_or_nothing(self) -> None:
        replicas = Replicas(random.Random(1), lag=10.0)
        replicas.write_together(["a", "b"], False, True, now=0.0)
        seen = set()
        for tenth in range(100):
            copy = replicas.read(tenth / 10)
            seen.add((copy.see("a", True), copy.see("b", True)))
        assert seen == {(False, False), (True, True)}

    def test_each_key_keeps_its_order_of_writes(self) -> None:
        replicas = Replicas(random.Random(2), lag=10.0)
        replicas.write("a", 0, 1, now=0.0)
        replicas.write_together(["a", "b"], 1, 2, now=0.1)
        seen = [replicas.read(tenth / 10).see("a", 2) for tenth in range(120)]
        assert set(seen) == {0, 1, 2}
        assert seen[-1] == 2
