"""The arithmetic that a campaign's night is judged by."""

import pytest

from tests.benchmarks.campaign_bound import APP_RATE, Span, Write, bound_of, unaccounted, up_to_last

OLD, NEW = "a1", "a3"


def writes(number: int, tenant: str = "t1", at: float = 1.0) -> list[Write]:
    return [Write(at, tenant)] * number


class TestBound:
    def test_of_one_tenant_is_its_own_quota(self) -> None:
        assert bound_of([Span(0, 10)], writes(60)) == 3.0

    def test_of_many_is_the_application_s(self) -> None:
        many = [one for number in range(100) for one in writes(35, f"t{number}")]
        assert bound_of([Span(0, 10)], many) == pytest.approx(3_500 / APP_RATE) == pytest.approx(30.0)

    def test_of_several_spans_is_that_of_each(self) -> None:
        """What two tenants write in different spans was never side by side."""
        some = [*writes(40, "t1", at=1), *writes(40, "t2", at=21)]
        assert bound_of([Span(0, 10)], some[:40]) == 2.0
        assert bound_of([Span(0, 10), Span(20, 30)], some) == 4.0

    def test_does_not_count_what_left_while_the_campaign_stood_still(self) -> None:
        assert bound_of([Span(0, 10), Span(20, 30)], writes(20, at=15)) == 0.0

    @pytest.mark.parametrize(("at", "counts"), [(0, True), (10, True), (10.1, False)])
    def test_both_ends_of_a_span_belong_to_it(self, at: float, counts: bool) -> None:
        assert bool(bound_of([Span(0, 10)], writes(1, at=at))) is counts


class TestTheLastSpan:
    def test_ends_with_its_last_write(self) -> None:
        spans = up_to_last([Span(0, 5), Span(10, 99)], [*writes(1, at=4), *writes(1, at=50), *writes(1, at=100)])
        assert spans == [Span(0, 5), Span(10, 50)]
        assert sum(span.length for span in spans) == 45

    def test_in_which_nothing_was_written_has_no_length(self) -> None:
        assert up_to_last([Span(10, 99)], writes(1, at=4))[-1].length == 0


class TestTheList:
    @pytest.mark.parametrize(
        ("state", "held", "agrees"),
        [
            pytest.param("verified", {NEW}, True, id="served"),
            pytest.param("already_right", {NEW, "phone"}, True, id="served, with more"),
            pytest.param("verified", {OLD}, False, id="called served and is not"),
            pytest.param("verified", {OLD, NEW}, False, id="has one too many"),
            pytest.param("waiting", {OLD}, True, id="waits with the old one"),
            pytest.param("failed", {OLD}, True, id="failed, and kept the old one"),
            pytest.param("waiting", {NEW}, False, id="called waiting and is served"),
            pytest.param("failed", set(), False, id="has nothing at all"),
            pytest.param("planned", {NEW}, False, id="nobody read it back"),
        ],
    )
    def test_is_held_against_what_the_witness_saw(self, state: str, held: set[str], agrees: bool) -> None:
        found = unaccounted(["ann"], {"ann": state}, {"ann": frozenset(held)}, OLD, NEW)
        assert found == (set() if agrees else {"ann"})

    def test_without_somebody_is_not_complete(self) -> None:
        assert unaccounted(["ann", "bob"], {"ann": "verified"}, {"ann": frozenset({NEW})}, OLD, NEW) == {"bob"}
