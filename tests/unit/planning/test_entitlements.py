"""Sums over the ledger, on every day and in every order."""

from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import ArticleCode
from provisioning.domain.order import LedgerEntry
from provisioning.planning.entitlements import balance, first_day, last_day, licence_codes
from tests.factories.trade import MAPPINGS, STAFF, STAFF_AGAIN, STAFF_MORE, STEP_UP, entry

CODES = licence_codes(ArticleCode(STAFF), MAPPINGS)
DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))


@st.composite
def entries(draw: st.DrawFn) -> LedgerEntry:
    start = draw(DAYS)
    ends_on = draw(st.none() | st.integers(0, 800).map(lambda days: start + timedelta(days=days)))
    return entry(
        draw(st.sampled_from([STAFF, STAFF_MORE, STEP_UP])),
        draw(st.integers(-20, 100)),
        effective_on=start,
        ends_on=ends_on,
    )


LEDGERS = st.lists(entries(), max_size=8)


class TestLicenceCodes:
    def test_are_the_base_its_extensions_and_renewals_and_no_step_up(self) -> None:
        assert {STAFF, STAFF_MORE, STAFF_AGAIN} == CODES


class TestBalance:
    @given(LEDGERS, DAYS, st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order_of_entries(
        self, ledger: list[LedgerEntry], day: date, random: object
    ) -> None:
        shuffled = list(ledger)
        random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random
        assert balance(ledger, CODES, day) == balance(shuffled, CODES, day)

    @given(LEDGERS, LEDGERS, DAYS)
    def test_two_ledgers_together_are_the_sum_of_both(
        self, one: list[LedgerEntry], other: list[LedgerEntry], day: date
    ) -> None:
        assert balance([*one, *other], CODES, day) == balance(one, CODES, day) + balance(other, CODES, day)

    def test_the_first_and_the_last_day_count(self) -> None:
        ledger = [entry(delta=5, effective_on=date(2026, 1, 1), ends_on=date(2026, 1, 31))]
        on = [balance(ledger, CODES, day) for day in _days(date(2025, 12, 31), date(2026, 1, 1))]
        off = [balance(ledger, CODES, day) for day in _days(date(2026, 1, 31), date(2026, 2, 1))]
        assert (on, off) == ([0, 5], [5, 0])


class TestFirstDay:
    @given(LEDGERS, DAYS)
    def test_is_never_before_the_wanted_day_and_something_is_in_force_then(
        self, ledger: list[LedgerEntry], wanted: date
    ) -> None:
        day = first_day(ledger, CODES, wanted)
        if day is None:
            assert balance(ledger, CODES, wanted) <= 0
        else:
            assert day >= wanted
            assert balance(ledger, CODES, day) > 0


class TestLastDay:
    def test_is_the_latest_end_of_what_is_in_force(self) -> None:
        ledger = [entry(ends_on=date(2026, 6, 30)), entry(STAFF_MORE, 1, ends_on=date(2026, 12, 31))]
        assert last_day(ledger, CODES, date(2026, 2, 1)) == date(2026, 12, 31)

    def test_there_is_none_when_something_has_no_end(self) -> None:
        assert last_day([entry(), entry(ends_on=None)], CODES, date(2026, 2, 1)) is None


def _days(*days: date) -> Sequence[date]:
    return days
