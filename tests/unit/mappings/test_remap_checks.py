"""Each check finds what it is for; a table without errors has one answer for each board and day, and no circle."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.checks import Severity, check_mappings
from mappings.remap_checks import CHECKS
from provisioning.domain.catalogue import Mappings, Remap
from provisioning.domain.ids import SkuId
from provisioning.planning.remapping import remap_for
from tests.factories.remaps import BEGIN, OURS, mappings_with, remap, sku

TODAY = date(2026, 9, 1)
END = date(2027, 12, 31)
NEXT = END + timedelta(days=1)
NOBODYS = SkuId("99999999-9999-4999-8999-999999999999")
A1_PLUS, A1, A3, A5 = (
    sku(part)
    for part in ("STANDARDWOFFPACK_IW_FACULTY", "STANDARDWOFFPACK_FACULTY", "M365EDU_A3_FACULTY", "M365EDU_A5_FACULTY")
)
EMS, A3_PUPIL, A3_BENEFIT = sku("EMS_EDU_FACULTY"), sku("M365EDU_A3_STUDENT"), sku("M365EDU_A3_STUUSEBNFT")


def told(severity: Severity, mappings: Mappings) -> list[str]:
    found = sorted({finding for check in CHECKS for finding in check(mappings, TODAY)})
    return [f"{finding.place} | {finding.sentence}" for finding in found if finding.severity is severity]


def errors(*remaps: Remap) -> list[str]:
    return told(Severity.ERROR, mappings_with(*remaps))


def remarks(*remaps: Remap) -> list[str]:
    return told(Severity.REMARK, mappings_with(*remaps))


class TestErrors:
    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            pytest.param(remap(A1, NOBODYS), "skus.csv lacks", id="an unknown target"),
            pytest.param(remap(NOBODYS, A1), "skus.csv lacks", id="an unknown product"),
            pytest.param(remap(A1, A1_PLUS), "retired", id="a retired target"),
            pytest.param(remap(A1, A3, until=BEGIN - timedelta(days=1)), "ends before it begins", id="reversed"),
            pytest.param(remap(A1, A3, exceptions=["1234"]), "'1234', which is no code", id="lost its zero"),
            pytest.param(remap(A1, A3, boards=["41234=x"]), "no code", id="a board that is none"),
            pytest.param(remap(A1, A3, boards=["41234"], exceptions=["42345"]), "empty exceptions", id="both"),
            pytest.param(remap(A1, A1), "leads back to itself", id="from itself to itself"),
            pytest.param(remap(EMS, EMS, beside=A1), "no row of its own", id="beside a suite that stays"),
            pytest.param(remap(EMS, EMS, beside=EMS), "beside itself", id="beside itself"),
        ],
    )
    def test_a_wrong_row_is_named_and_cured(self, row: Remap, sentence: str) -> None:
        assert any(f"remaps.csv: {row.name}" in one and sentence in one for one in errors(row))

    def test_ours_have_none(self) -> None:
        assert told(Severity.ERROR, OURS) == []
        assert {finding.place for finding in check_mappings(OURS, TODAY)} >= {f"remaps.csv: {OURS.remaps[0].name}"}

    @pytest.mark.parametrize("code", ["01234", "01AB", "01AB00"])
    def test_a_board_a_school_and_a_location_have_codes(self, code: str) -> None:
        assert errors(remap(A1, A3, exceptions=[code])) == []

    def test_a_retired_target_of_a_row_that_is_over_is_the_past(self) -> None:
        assert errors(remap(A1, A1_PLUS, begin=date(2020, 1, 1), until=date(2021, 1, 1))) == []

    def test_an_add_on_may_stay_beside_a_suite_that_goes(self) -> None:
        assert errors(remap(A1, A3), remap(EMS, EMS, beside=A1)) == []


class TestOverlaps:
    @pytest.mark.parametrize(
        ("one", "other", "is_error"),
        [
            pytest.param(remap(A1, A3), remap(A1, A5), True, id="two general rows"),
            pytest.param(remap(A1, A3, until=END), remap(A1, A5, begin=END), True, id="one day"),
            pytest.param(remap(A1, A3, until=END), remap(A1, A5, begin=NEXT), False, id="day on day"),
            pytest.param(remap(A1, A3), remap(A1, A5, boards=["41234"]), False, id="general and a board's"),
            pytest.param(remap(A1, A3, boards=["41234"]), remap(A1, A5, boards=["42345"]), False, id="two boards"),
            pytest.param(
                remap(A1, A3, boards=["41234", "42345"]), remap(A1, A5, boards=["42345"]), True, id="a board in both"
            ),
        ],
    )
    def test_two_rows_of_one_rank_do_not_meet(self, one: Remap, other: Remap, is_error: bool) -> None:
        assert any("both hold" in sentence for sentence in errors(one, other)) is is_error

    def test_the_same_add_on_may_go_along_with_two_suites(self) -> None:
        rows = (remap(A1, A3), remap(A5, A3), remap(EMS, EMS, beside=A1), remap(EMS, EMS, beside=A5))
        assert errors(*rows) == []


class TestChains:
    def test_a_circle_is_an_error_of_each_of_its_rows(self) -> None:
        found = errors(remap(A1, A3), remap(A3, A1))
        assert {one.split()[1] for one in found} == {A1, A3}
        assert all("leads back to itself on 2027-08-01" in sentence for sentence in found)

    def test_a_circle_over_periods_that_never_meet_is_none(self) -> None:
        assert errors(remap(A1, A3, until=END), remap(A3, A1, begin=NEXT)) == []

    def test_a_circle_that_closes_later_is_found_on_its_day(self) -> None:
        (one, _) = errors(remap(A1, A3), remap(A3, A1, begin=NEXT))
        assert f"on {NEXT}" in one

    def test_a_chain_names_the_last_product(self) -> None:
        (found,) = errors(remap(A1, A3), remap(A3, A5))
        assert f"on 2027-08-01 becomes {A5}; name the last one" in found

    def test_a_chain_of_one_board_is_named_with_it(self) -> None:
        (found,) = errors(remap(A1, A3), remap(A3, A5, boards=["41234"]))
        assert "for 41234 becomes" in found

    def test_a_chain_that_an_exception_breaks_for_everybody_concerned_is_none(self) -> None:
        assert errors(remap(A1, A3, exceptions=["41234"]), remap(A3, A5, boards=["41234"])) == []

    def test_a_chain_begins_when_a_board_s_own_row_ends(self) -> None:
        rows = (
            remap(A1, A3),
            remap(A3, A5, boards=["41234"]),
            remap(A1, A5, boards=["41234"], until=END),
        )
        (found,) = errors(*rows)
        assert f"on {NEXT} for 41234" in found


class TestRemarks:
    def test_days_without_a_successor(self) -> None:
        later = remap(A1, A5, begin=NEXT + timedelta(days=2))
        (found,) = [one for one in remarks(remap(A1, A3, until=END), later) if "successor" in one]
        assert "from 2028-01-01 to 2028-01-02" in found

    def test_staff_that_become_pupils(self) -> None:
        assert any("from faculty to student" in one for one in remarks(remap(A1, A3_PUPIL)))

    def test_a_paid_licence_that_becomes_a_benefit_names_what_is_lost(self) -> None:
        found = remarks(remap(A3_PUPIL, A3_BENEFIT))
        assert any("student use benefit" in one for one in found)
        lost = {plan.family for plan in OURS.skus[A3_PUPIL].plans} - {
            plan.family for plan in OURS.skus[A3_BENEFIT].plans
        }
        (takes,) = [one for one in found if "takes away" in one] if lost - {"platform"} else ("",)
        assert all(family in takes for family in lost - {"platform"})

    def test_an_upgrade_loses_nothing(self) -> None:
        assert not any("takes away" in one for one in remarks(remap(A3, A5)))

    def test_a_downgrade_names_the_services(self) -> None:
        (found,) = [one for one in remarks(remap(A5, A1)) if "takes away" in one]
        assert "people lose these services" in found


# ── any table that passes is a function, one step long ──────────────────────────────────────────────────────────

PRODUCTS = (A1, A3, A5, EMS)
BOARDS = ("41234", "42345", "43456")
DAYS = tuple(BEGIN + timedelta(days=number) for number in range(8))
SOME_BOARDS = st.sets(st.sampled_from(BOARDS), max_size=2)


@st.composite
def rows(draw: st.DrawFn) -> Remap:
    begin = draw(st.sampled_from(DAYS))
    boards = draw(SOME_BOARDS)
    return remap(
        draw(st.sampled_from(PRODUCTS)),
        draw(st.sampled_from(PRODUCTS)),
        begin=begin,
        until=draw(st.none() | st.sampled_from([day for day in DAYS if day >= begin])),
        boards=boards,
        exceptions=() if boards else draw(SOME_BOARDS),
        beside=draw(st.sampled_from((None, None, None, A1))),
    )


EACH = ((), *((board,) for board in BOARDS))


def rivals(table: Mappings, product: SkuId, whose: tuple[str, ...], day: date) -> int:
    """How many rows of the highest rank speak of it."""
    holding = [
        row
        for row in table.remaps
        if row.from_sku == product and row.beside is None and row.is_valid_on(day) and row.holds_for(whose)
    ]
    return len([row for row in holding if row.boards] or holding)


class TestEveryTable:
    @given(st.lists(rows(), max_size=6))
    def test_without_errors_has_one_answer_and_one_step(self, remaps: list[Remap]) -> None:
        table = mappings_with(*remaps)
        if told(Severity.ERROR, table):
            return
        for day in (*DAYS, DAYS[-1] + timedelta(days=1)):
            for whose in EACH:
                for product in PRODUCTS:
                    assert rivals(table, product, whose, day) <= 1
                    found = remap_for(table, product, whose, day)
                    assert found is None or remap_for(table, found.to_sku, whose, day) is None

    @given(st.lists(rows(), max_size=5))
    def test_an_error_of_chain_or_overlap_is_true_on_some_day(self, remaps: list[Remap]) -> None:
        """The checks refuse nothing that would be well."""
        table = mappings_with(*remaps)
        if not any("leads" in one or "both hold" in one for one in told(Severity.ERROR, table)):
            return
        days = (*DAYS, DAYS[-1] + timedelta(days=1))
        every = [(product, whose, day) for product in PRODUCTS for whose in EACH for day in days]
        rival = any(rivals(table, *one) > 1 for one in every) or any(row.beside for row in remaps)
        chained = any(
            (found := remap_for(table, product, whose, day)) and remap_for(table, found.to_sku, whose, day)
            for product, whose, day in every
        )
        assert rival or chained
