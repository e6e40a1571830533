from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.execution.backoff import after_refusal, growing, spread
from tests.unit.execution.steps import LIMITS, NOW, seconds

DAY = timedelta(days=1)


class TestGrowing:
    @pytest.mark.parametrize(
        ("tried", "expected"),
        [(0, 2), (1, 5), (2, 15), (3, 60), (4, 300), (5, 300), (1_000_000, 300)],
        ids=["first", "second", "third", "fourth", "fifth", "the last one repeats", "for ever"],
    )
    def test_the_waits_of_verification(self, tried: int, expected: int) -> None:
        assert growing(LIMITS.verify_waits, tried) == seconds(expected)


class TestAfterRefusal:
    @pytest.mark.parametrize(
        ("attempts", "told", "expected"),
        [
            pytest.param(1, None, 2, id="two seconds at first"),
            pytest.param(0, None, 2, id="never less"),
            pytest.param(2, None, 4, id="then doubled"),
            pytest.param(8, None, 256, id="and doubled"),
            pytest.param(9, None, 300, id="but five minutes at most"),
            pytest.param(100_000, None, 300, id="however often"),
            pytest.param(1, 75.5, 75.5, id="as long as Microsoft says"),
            pytest.param(100_000, 1, 1, id="and no longer"),
            pytest.param(3, 0, 8, id="no time at all is no word"),
            pytest.param(3, -5, 8, id="a time in the past is no word"),
            pytest.param(1, 10**12, DAY.total_seconds(), id="a header gone wrong parks nobody for years"),
        ],
    )
    def test_how_long(self, attempts: int, told: float | None, expected: float) -> None:
        wait = after_refusal(attempts, None if told is None else seconds(told))
        assert wait == seconds(expected)

    @given(st.integers(0, 10**9), st.none() | st.timedeltas(max_value=DAY))
    def test_there_is_always_a_wait_and_it_ends(self, attempts: int, told: timedelta | None) -> None:
        assert timedelta(0) < after_refusal(attempts, told) <= DAY


class TestSpread:
    def test_a_crowd_does_not_come_back_at_once(self) -> None:
        keys = [str(UUID(int=number * 2654435761 << 60, version=4)) for number in range(1_000)]
        tenths = Counter(int((spread(NOW, key, seconds(100)) - NOW) / seconds(10)) for key in keys)
        assert set(tenths) == set(range(10))
        assert max(tenths.values()) < 200

    @given(st.text())
    def test_the_same_person_comes_at_the_same_moment_within_the_span(self, key: str) -> None:
        moment = spread(NOW, key, seconds(100))
        assert NOW <= moment < NOW + seconds(100)
        assert moment == spread(NOW, key, seconds(100))
