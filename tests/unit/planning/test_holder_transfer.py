"""What one organisation holds becomes another's, to the seat and to the day (S29)."""

from collections import Counter
from datetime import date, timedelta
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.planning.holder_transfer import transfer
from tests.factories.trade import BOARD, OTHER_TENANT, PUPILS, SCHOOL, SISTER, TENANT, YEAR_END, entry, sku_of

DAY = date(2026, 9, 1)
LATER = date(2028, 7, 31)


def on(day: date, entries: list[LedgerEntry], holder: OrganisationId, **where: object) -> int:
    return sum(
        one.delta
        for one in entries
        if one.holder_id == holder
        and one.effective_on <= day
        and (one.ends_on is None or day <= one.ends_on)
        and all(getattr(one, name) == value for name, value in where.items())
    )


class TestTransfer:
    def test_both_sides_are_written_together(self) -> None:
        made = transfer([entry(delta=40)], BOARD, DAY, "ticket desk/1")
        assert [(one.holder_id, one.delta) for one in made] == [(SCHOOL, -40), (BOARD, 40)]
        assert {(one.effective_on, one.ends_on, one.cause, one.cause_ref) for one in made} == {
            (DAY, YEAR_END, LedgerCause.REMAP, "ticket desk/1")
        }

    def test_a_term_that_ends_later_stays_as_long_as_it_was_paid(self) -> None:
        held = [entry(delta=40), entry(delta=5, ends_on=LATER), entry(delta=2, ends_on=None)]
        after = [*held, *transfer(held, BOARD, DAY, "t")]
        assert [on(day, after, BOARD) for day in (DAY, YEAR_END, YEAR_END + timedelta(days=1), date(2030, 1, 1))] == [
            *(47, 47, 7, 2)
        ]
        assert on(DAY - timedelta(days=1), after, SCHOOL) == 47
        assert on(DAY, after, SCHOOL) == 0

    def test_what_begins_later_goes_when_it_begins(self) -> None:
        begins = DAY + timedelta(days=30)
        made = transfer([entry(delta=10, effective_on=begins)], BOARD, DAY, "t")
        assert {one.effective_on for one in made} == {begins}

    def test_what_ended_stays_where_it_was(self) -> None:
        assert transfer([entry(ends_on=DAY - timedelta(days=1))], BOARD, DAY, "t") == []

    def test_of_one_product_the_others_stay(self) -> None:
        pupils = entry(PUPILS, delta=300)
        made = transfer([entry(delta=40), pupils], BOARD, DAY, "t", sku_of(PUPILS))
        assert {(one.sku_id, abs(one.delta)) for one in made} == {(pupils.sku_id, 300)}

    def test_a_second_time_there_is_nothing_left(self) -> None:
        held = [entry(delta=40), entry(delta=5, ends_on=LATER)]
        first = transfer(held, BOARD, DAY, "t")
        left = [*held, *(one for one in first if one.holder_id == SCHOOL)]
        assert transfer(left, BOARD, DAY, "again") == []

    def test_what_the_new_holder_has_itself_is_not_moved_to_itself(self) -> None:
        assert transfer([entry(holder_id=BOARD)], BOARD, DAY, "t") == []

    def test_a_right_that_the_cloud_does_not_know_goes_along(self) -> None:
        made = transfer([entry(delta=1, tenant_id=None, sku_id=None, ends_on=None)], BOARD, DAY, "t")
        assert [(one.holder_id, one.delta, one.tenant_id) for one in made] == [(SCHOOL, -1, None), (BOARD, 1, None)]


_HOLDERS = [SCHOOL, SISTER, BOARD]
_DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@st.composite
def _entries(draw: st.DrawFn) -> LedgerEntry:
    begin, end = sorted([draw(_DAYS), draw(_DAYS)])
    return entry(
        draw(st.sampled_from(["MS-BP-A3-MED", PUPILS])),
        delta=draw(st.integers(1, 50)),
        holder_id=draw(st.sampled_from(_HOLDERS)),
        tenant_id=draw(st.sampled_from([TENANT, OTHER_TENANT])),
        effective_on=begin,
        ends_on=draw(st.sampled_from([end, None])),
    )


_REMAPS = st.tuples(
    st.sets(st.sampled_from(_HOLDERS), min_size=1),
    st.sampled_from(_HOLDERS),
    _DAYS,
    st.sampled_from([None, sku_of(PUPILS)]),
)


class TestAnySequence:
    @given(st.lists(_entries(), max_size=6), st.lists(_REMAPS, max_size=5))
    def test_leaves_the_sum_of_every_tenant_and_product_as_it_was_on_every_day(
        self,
        bought: list[LedgerEntry],
        remaps: list[tuple[set[OrganisationId], OrganisationId, date, SkuId | None]],
    ) -> None:
        ledger = list(bought)
        for holders, to_holder, day, sku in remaps:
            held = [one for one in ledger if one.holder_id in holders]
            ledger += transfer(held, to_holder, day, "t", sku)
        days = {edge for one in ledger for edge in (one.effective_on, one.ends_on or date(2028, 1, 1))}
        days |= {day + timedelta(days=1) for day in days}
        for day in days:
            assert _totals(ledger, day) == _totals(bought, day)

    @given(st.lists(_entries(), max_size=6), st.lists(_REMAPS, max_size=5))
    def test_leaves_nobody_with_less_than_nothing_once_all_days_have_passed(
        self,
        bought: list[LedgerEntry],
        remaps: list[tuple[set[OrganisationId], OrganisationId, date, SkuId | None]],
    ) -> None:
        ledger = list(bought)
        for holders, to_holder, day, sku in sorted(remaps, key=lambda one: one[2]):
            held = [one for one in ledger if one.holder_id in holders]
            ledger += transfer(held, to_holder, day, "t", sku)
        last = max(chain((one.effective_on for one in ledger), [DAY]))
        assert all(on(last, ledger, holder) >= 0 for holder in _HOLDERS)


def _totals(entries: list[LedgerEntry], day: date) -> Counter[tuple[TenantId | None, SkuId | None]]:
    sums: Counter[tuple[TenantId | None, SkuId | None]] = Counter()
    for one in entries:
        if one.effective_on <= day and (one.ends_on is None or day <= one.ends_on):
            sums[one.tenant_id, one.sku_id] += one.delta
    return Counter({place: seats for place, seats in sums.items() if seats})
