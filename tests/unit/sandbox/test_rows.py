from typing import Any

import pytest

from provisioning.sandbox.errors import GraphError
from provisioning.sandbox.rows import RowParser, select_row

ROW: dict[str, Any] = {
    "name": "De Akker",
    "seats": 5,
    "ends": "2027-07-31T00:00:00Z",
    "partner": None,
    "isTrial": False,
}
NAMES = frozenset(ROW)


class TestRowParser:
    @pytest.mark.parametrize(
        ("text", "matches"),
        [
            ("name eq 'de akker'", True),
            ("name ne 'De Akker'", False),
            ("seats gt 4 and seats lt 6", True),
            ("seats ge 6 or seats le 4", False),
            ("ends gt 2027-01-01T00:00:00Z", True),
            ("ends le 2027-07-31T00:00:00Z", True),
            ("partner eq null", True),
            ("partner gt 'a'", False),
            ("name gt 3", False),
            ("isTrial eq false", True),
            ("name in ('De Berk', 'De Akker')", True),
            ("startsWith(name,'de')", True),
            ("not(seats eq 5)", False),
        ],
    )
    def test_decides(self, text: str, matches: bool) -> None:
        assert RowParser(text, NAMES).whole()(ROW) is matches

    @pytest.mark.parametrize(
        "text", ["colour eq 'red'", "name has 'x'", "name eq 'a' b", "assignedLicenses/$count eq 0", "name eq"]
    )
    def test_refuses_what_it_cannot_read(self, text: str) -> None:
        with pytest.raises(GraphError) as refused:
            RowParser(text, NAMES).whole()
        assert refused.value.status == 400


class TestSelectRow:
    def test_gives_what_is_asked_for_in_that_order(self) -> None:
        assert list(select_row(ROW, "seats, name")) == ["seats", "name"]

    def test_hides_by_default_and_not_on_request(self) -> None:
        hidden = frozenset({"partner"})
        assert "partner" not in select_row(ROW, None, hidden)
        assert select_row(ROW, "partner", hidden) == {"partner": None}

    def test_refuses_what_does_not_exist(self) -> None:
        with pytest.raises(GraphError, match="Could not find a property named 'colour'"):
            select_row(ROW, "colour")
