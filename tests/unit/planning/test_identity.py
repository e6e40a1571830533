"""The rows of an identity map, also of people whom a tenant did not know."""

from provisioning.domain.ids import SubjectId
from provisioning.planning.identity import Cell, Column, filled_in, open_cells

ANN, ANN2 = SubjectId("ann"), SubjectId("ann2")
HERE, THERE = Cell(4, Column.SOURCE), Cell(4, Column.TARGET)


class TestOpenCells:
    def test_are_those_with_a_line_where_a_person_should_be(self) -> None:
        later = Cell(12, Column.TARGET)
        identity = ((ANN, ANN2), (HERE.placeholder, THERE.placeholder), (ANN, later.placeholder))
        assert list(open_cells(identity)) == [HERE, THERE, later]

    def test_are_not_people_whose_id_only_looks_like_one(self) -> None:
        assert list(open_cells(((SubjectId("line"), SubjectId("line 4 and more")),))) == []


class TestFilledIn:
    def test_whoever_was_found_takes_the_place_in_their_own_column(self) -> None:
        identity = ((HERE.placeholder, THERE.placeholder), (ANN, Cell(5, Column.TARGET).placeholder))
        assert filled_in(identity, {THERE: ANN2}) == (("line 4", "ann2"), ("ann", "line 5"))

    def test_a_map_in_which_everybody_is_known_stays_as_it_is(self) -> None:
        assert filled_in(((ANN, ANN2),), {}) == ((ANN, ANN2),)
