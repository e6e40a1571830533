from datetime import date, timedelta

import pytest

from provisioning.planning.remapping import add_ons_beside, remap_for, remaps_on
from tests.factories.remaps import BEGIN, mappings_with, remap, sku

A1, A3, A5 = sku("STANDARDWOFFPACK_FACULTY"), sku("M365EDU_A3_FACULTY"), sku("M365EDU_A5_FACULTY")
EMS, PHONE = sku("EMS_EDU_FACULTY"), sku("AAD_PREMIUM_FACULTY")
A_DAY = timedelta(days=1)
END = date(2027, 12, 31)


class TestRemapFor:
    @pytest.mark.parametrize(
        ("day", "holds"), [(BEGIN - A_DAY, False), (BEGIN, True), (END, True), (END + A_DAY, False)]
    )
    def test_holds_from_its_first_day_to_its_last(self, day: date, holds: bool) -> None:
        row = remap(A1, A3, until=END)
        assert remap_for(mappings_with(row), A1, ("41234",), day) == (row if holds else None)
        assert remaps_on(mappings_with(row), day) == ((row,) if holds else ())

    def test_what_no_row_speaks_of_stays(self) -> None:
        assert remap_for(mappings_with(remap(A1, A3)), A5, (), BEGIN) is None

    def test_a_board_may_be_left_out(self) -> None:
        mappings = mappings_with(remap(A1, A3, exceptions=["41234"]))
        assert remap_for(mappings, A1, ("41234",), BEGIN) is None
        assert remap_for(mappings, A1, ("42345",), BEGIN) is not None

    @pytest.mark.parametrize("exceptions", [[], ["41234"]])
    def test_a_row_that_names_the_board_wins(self, exceptions: list[str]) -> None:
        general, own = remap(A1, A3, exceptions=exceptions), remap(A1, A5, boards=["41234"])
        for rows in ((general, own), (own, general)):
            assert remap_for(mappings_with(*rows), A1, ("41234",), BEGIN) == own
            assert remap_for(mappings_with(*rows), A1, ("42345",), BEGIN) == general

    def test_after_a_board_s_own_row_the_general_one_holds(self) -> None:
        general, own = remap(A1, A3), remap(A1, A5, boards=["41234"], until=END)
        assert remap_for(mappings_with(general, own), A1, ("41234",), END + A_DAY) == general

    def test_it_is_one_step(self) -> None:
        first, later = remap(A1, A3, until=END), remap(A3, A5, begin=END + A_DAY)
        mappings = mappings_with(first, later)
        assert remap_for(mappings, A1, (), END) == first
        assert remap_for(mappings, A3, (), END) is None

    def test_what_goes_along_with_a_suite_is_no_remap_of_its_own(self) -> None:
        assert remap_for(mappings_with(remap(EMS, EMS, beside=A1)), EMS, (), BEGIN) is None


class TestAlongFor:
    ROW = remap(A1, A3)

    def test_names_what_each_add_on_beside_the_suite_becomes(self) -> None:
        mappings = mappings_with(self.ROW, remap(EMS, PHONE, beside=A1), remap(PHONE, PHONE, beside=A1))
        assert add_ons_beside(mappings, self.ROW.from_sku, (), BEGIN) == {EMS: PHONE, PHONE: PHONE}

    def test_beside_another_suite_it_says_nothing(self) -> None:
        mappings = mappings_with(self.ROW, remap(A5, A3), remap(EMS, PHONE, beside=A5))
        assert add_ons_beside(mappings, self.ROW.from_sku, (), BEGIN) == {}

    def test_a_board_has_its_own(self) -> None:
        mappings = mappings_with(self.ROW, remap(EMS, PHONE, beside=A1), remap(EMS, EMS, beside=A1, boards=["41234"]))
        assert add_ons_beside(mappings, self.ROW.from_sku, ("41234",), BEGIN) == {EMS: EMS}
        assert add_ons_beside(mappings, self.ROW.from_sku, ("42345",), BEGIN) == {EMS: PHONE}

    def test_only_on_its_days(self) -> None:
        mappings = mappings_with(self.ROW, remap(EMS, PHONE, beside=A1, until=END))
        assert add_ons_beside(mappings, self.ROW.from_sku, (), END + A_DAY) == {}


class TestWhose:
    """A table may name the school that holds the right, or its board: the nearer wins."""

    WHOSE = ("00AB", "41234")

    def test_a_row_for_the_school_wins_over_one_for_its_board(self) -> None:
        of_board, of_school = remap(A1, A3, boards=["41234"]), remap(A1, A5, boards=["00AB"])
        for rows in ((of_board, of_school), (of_school, of_board)):
            assert remap_for(mappings_with(*rows), A1, self.WHOSE, BEGIN) == of_school
            assert remap_for(mappings_with(*rows), A1, ("00CD", "41234"), BEGIN) == of_board

    @pytest.mark.parametrize("named", WHOSE)
    def test_an_exception_for_either_holds(self, named: str) -> None:
        mappings = mappings_with(remap(A1, A3, exceptions=[named]))
        assert remap_for(mappings, A1, self.WHOSE, BEGIN) is None
        assert remap_for(mappings, A1, ("00CD", "42345"), BEGIN) is not None

    def test_a_boards_exception_for_an_add_on_is_its_schools_too(self) -> None:
        general = remap(EMS, PHONE, beside=A1)
        stays = remap(EMS, EMS, beside=A1, boards=["41234"])
        mappings = mappings_with(general, stays)
        assert add_ons_beside(mappings, A1, self.WHOSE, BEGIN) == {EMS: EMS}
        assert add_ons_beside(mappings, A1, ("00CD", "42345"), BEGIN) == {EMS: PHONE}
