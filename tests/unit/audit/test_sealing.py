from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.audit.sealing import CheckpointRule, SealedLog, seal
from provisioning.audit.tree import Frontier, leaf_hash
from tests.unit.audit.published import ENTRIES, LEAVES, ROOTS

NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
RULE = CheckpointRule(events=1000, interval=timedelta(hours=1))
OPENED = SealedLog(checkpointed_at=NOON)


def texts(count: int) -> list[bytes]:
    return [b"event %d" % number for number in range(count)]


class TestPlaces:
    def test_events_get_the_next_numbers_from_zero(self) -> None:
        first = seal(OPENED, texts(3), NOON, RULE)
        second = seal(first.log, texts(2), NOON, RULE)
        assert (list(first.sequences), list(second.sequences)) == ([0, 1, 2], [3, 4])

    def test_the_leaves_are_the_hashes_of_the_texts_as_stored(self) -> None:
        assert seal(OPENED, ENTRIES, NOON, RULE).leaves == tuple(LEAVES)

    def test_the_log_grows_by_them(self) -> None:
        assert seal(OPENED, ENTRIES, NOON, RULE).log.frontier.root == ROOTS[8]

    @given(st.lists(st.integers(0, 40), max_size=12))
    def test_chunks_of_any_size_give_the_same_log(self, chunks: list[int]) -> None:
        rule = CheckpointRule(events=25, interval=timedelta(hours=1))
        log, due, written = OPENED, [], iter(texts(sum(chunks)))
        for count in chunks:
            sealing = seal(log, [next(written) for _ in range(count)], NOON, rule)
            log, due = sealing.log, due + list(sealing.due)
        whole = seal(OPENED, texts(sum(chunks)), NOON, rule)
        assert (log, tuple(due)) == (whole.log, whole.due)


class TestDue:
    @pytest.mark.parametrize(
        ("count", "sizes"), [(0, []), (999, []), (1000, [1000]), (1001, [1000]), (3500, [1000, 2000, 3000])]
    )
    def test_a_checkpoint_is_due_at_every_thousandth_event(self, count: int, sizes: list[int]) -> None:
        assert [frontier.size for frontier in seal(OPENED, texts(count), NOON, RULE).due] == sizes

    def test_each_due_frontier_is_the_log_at_that_size(self) -> None:
        written = texts(2100)
        for frontier in seal(OPENED, written, NOON, RULE).due:
            assert frontier == Frontier().extend(map(leaf_hash, written[: frontier.size]))

    def test_the_thousand_are_counted_from_the_newest_checkpoint(self) -> None:
        log = seal(SealedLog(), texts(1), NOON, RULE).log
        assert log.checkpointed == 1
        assert [frontier.size for frontier in seal(log, texts(1000), NOON, RULE).due] == [1001]

    @pytest.mark.parametrize(("waited", "sizes"), [(timedelta(minutes=59, seconds=59), []), (timedelta(hours=1), [5])])
    def test_after_an_hour_one_is_due_when_there_is_news(self, waited: timedelta, sizes: list[int]) -> None:
        log = seal(OPENED, texts(5), NOON, RULE).log
        assert [frontier.size for frontier in seal(log, [], NOON + waited, RULE).due] == sizes

    def test_without_news_none_is_due_however_long_it_takes(self) -> None:
        log = seal(OPENED, texts(1000), NOON, RULE).log
        assert seal(log, [], NOON + timedelta(days=30), RULE).due == ()

    def test_the_first_event_of_a_log_is_covered_at_once(self) -> None:
        assert [frontier.size for frontier in seal(SealedLog(), texts(1), NOON, RULE).due] == [1]

    def test_an_empty_log_needs_none(self) -> None:
        assert seal(SealedLog(), [], NOON, RULE).due == ()

    def test_the_hour_starts_again_with_each_checkpoint(self) -> None:
        late = NOON + timedelta(hours=2)
        log = seal(OPENED, texts(10), late, RULE).log
        assert (log.checkpointed, log.checkpointed_at, log.uncovered) == (10, late, 0)
        assert seal(log, texts(1), late + timedelta(minutes=59), RULE).due == ()

    def test_a_narrower_rule_takes_hold_at_the_next_step(self) -> None:
        log = seal(OPENED, texts(900), NOON, RULE).log
        narrow = CheckpointRule(events=100, interval=timedelta(hours=1))
        assert [frontier.size for frontier in seal(log, texts(150), NOON, narrow).due] == [900, 1000]
