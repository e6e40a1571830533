"""Order files: whole or not at all, and every problem at its place."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.errors import InputError
from provisioning.domain.ids import LineKey
from provisioning.domain.order import ShopLine
from provisioning.intake.order_cells import CELLS
from provisioning.intake.order_files import parse_orders, read_orders
from provisioning.intake.problems import FileRefusedError

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
HEADER = "order_number,line_number,organisation_code,article_code,quantity"
ROW = "1042,1,00XX00,MS-BP-A3-MED,25"


def parse(text: str | bytes) -> list[ShopLine]:
    return parse_orders("orders.csv", text if isinstance(text, bytes) else text.encode(), NOW)


def problems_of(text: str | bytes) -> list[str]:
    with pytest.raises(FileRefusedError) as refused:
        parse(text)
    return [str(problem) for problem in refused.value.problems]


def as_json(*lines: dict[str, Any], **order: Any) -> str:
    return msgspec.json.encode({"orders": [{"order_number": "1042", "lines": list(lines), **order}]}).decode()


LINE = {"line_number": "1", "organisation_code": "00XX00", "article_code": "MS-BP-A3-MED", "quantity": 25}


class TestCsv:
    def test_the_least_that_an_order_needs(self) -> None:
        (line,) = parse(f"{HEADER}\n{ROW}\n")
        assert line.key == LineKey("", "1042", "1")
        assert (line.organisation_code, line.article_code, line.quantity) == ("00XX00", "MS-BP-A3-MED", 25)
        assert (line.status, line.placed_at) == ("placed", NOW)

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("\ufeff" + HEADER + "\r\n" + ROW + "\r\n", id="with a byte order mark and CRLF"),
            pytest.param(HEADER.replace(",", ";") + "\n" + ROW.replace(",", ";"), id="with semicolons"),
            pytest.param(HEADER.replace(",", "\t") + "\n" + ROW.replace(",", "\t"), id="with tabs"),
            pytest.param(HEADER.upper() + "\n" + ROW, id="with a header in capitals"),
            pytest.param(HEADER.replace("_", " ") + " \n" + ROW.replace(",", " , ") + "\n\n\n", id="padded"),
        ],
    )
    def test_whatever_programme_wrote_it(self, text: str) -> None:
        assert parse(text) == parse(f"{HEADER}\n{ROW}")

    def test_every_column_is_read(self) -> None:
        columns = {
            "order_number": "7", "line_number": "2", "status": "cancelled", "placed_at": "2026-08-01T10:00:00+02:00",
            "changed_at": "2026-08-02", "organisation_code": "40001", "actor": "40001", "article_code": "A",
            "quantity": "-3", "quantity_is_total": "ja", "unit_price_cents": "0", "starts_on": "2026-10-01",
            "ends_on": "2026-10-01", "tenant_hint": "school.example", "reference_number": "R1",
            "subjects": '"[""a@school.example"", ""b@school.example""]"', "requester_reference": "Q",
        }  # fmt: skip
        assert columns.keys() == set(CELLS)
        (line,) = parse(",".join(columns) + "\n" + ",".join(columns.values()))
        assert (line.status, line.quantity, line.quantity_is_total, line.unit_price_cents) == ("cancelled", -3, True, 0)
        assert line.placed_at == datetime(2026, 8, 1, 8, tzinfo=UTC)
        assert (line.starts_on, line.ends_on) == (date(2026, 10, 1), date(2026, 10, 1))
        assert line.subjects == ("a@school.example", "b@school.example")
        assert (line.tenant_hint, line.reference_number, line.requester_reference) == ("school.example", "R1", "Q")

    @pytest.mark.parametrize(
        ("column", "value", "told"),
        [
            ("quantity", "twelve", "is no whole number"),
            ("quantity", "12,5", "is no whole number"),
            ("quantity", "0", "cannot be meant"),
            ("quantity", "1000001", "cannot be meant"),
            ("quantity", "", "is empty"),
            ("organisation_code", " ", "is empty"),
            ("starts_on", "31-01-2026", "write it as 2026-01-31"),
            ("placed_at", "yesterday", "is no moment"),
            ("quantity_is_total", "perhaps", "neither true nor false"),
            ("unit_price_cents", "-1", "whole number of zero or more"),
            ("status", "returned", "neither placed nor cancelled"),
            ("order_number", "7" * 201, "has 201 characters; at most 200"),
            ("article_code", "A3\x1b[31m", "holds an invisible character"),
            ("organisation_code", "00XX\u200b00", "holds an invisible character"),
        ],
    )
    def test_a_wrong_cell_is_told_with_line_and_column(self, column: str, value: str, told: str) -> None:
        cells = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | {column: value}
        out = io.StringIO()
        csv.writer(out).writerows([[*cells], [*cells.values()]])
        (problem,) = problems_of(out.getvalue())
        assert problem.startswith(f"line 2, {column}: ")
        assert told in problem

    def test_reversed_dates_are_told_together(self) -> None:
        (problem,) = problems_of(f"{HEADER},starts_on,ends_on\n{ROW},2026-10-02,2026-10-01")
        assert problem.startswith("line 2, ends_on: 2026-10-01 is before starts_on (2026-10-02)")

    def test_all_problems_come_at_once_and_nothing_is_taken(self) -> None:
        found = problems_of(f"{HEADER}\n1,1,,A,x\n{ROW}\n2,1,00XX00,,0\n")
        assert [problem.split(":")[0] for problem in found] == [
            "line 2, organisation_code",
            "line 2, quantity",
            "line 4, article_code",
            "line 4, quantity",
        ]

    def test_the_same_line_twice_is_told_with_both_places(self) -> None:
        (problem,) = problems_of(f"{HEADER}\n{ROW}\n{ROW}")
        assert problem == "line 3, line_number: line 1 of order 1042 is already at line 2."

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            pytest.param(
                HEADER.replace("quantity", "amount") + "\n" + ROW, "quantity: this column is missing", id="missing"
            ),
            pytest.param(HEADER + ",colour\n" + ROW + ",red", "colour: no such column", id="unknown"),
            pytest.param(HEADER + ",quantity\n" + ROW + ",1", "quantity: this column is there twice", id="twice"),
            pytest.param(HEADER + "\n" + ROW + "\n1043,1,00XX", "may be cut off here", id="cut off in a row"),
            pytest.param(HEADER + "\n" + ROW + ",x", "needs quotes", id="a comma too many"),
        ],
    )
    def test_a_wrong_shape_is_told(self, text: str, told: str) -> None:
        assert any(told in problem for problem in problems_of(text))

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            pytest.param(f"{HEADER}\nCaf\xe9".encode("cp1252"), "line 2: not UTF-8", id="Windows-1252"),
            pytest.param(f"{HEADER}\n{ROW}".encode("utf-16"), "UTF-16", id="UTF-16"),
            pytest.param(b"PK\x03\x04\x00\x00", "spreadsheet", id="a spreadsheet"),
            pytest.param(f'{HEADER}\n"1042,1'.encode(), "cut off or a quote is open", id="cut off in a quote"),
        ],
    )
    def test_an_unreadable_file_is_told(self, content: bytes, told: str) -> None:
        with pytest.raises(InputError, match=r"orders\.csv") as refused:
            parse(content)
        assert told in str(refused.value)

    def test_a_name_in_a_wrong_cell_of_people_is_not_repeated(self) -> None:
        (problem,) = problems_of(f'{HEADER},subjects\n{ROW},"[""teacher@school.example"", 5]"')
        assert "teacher" not in problem


class TestJson:
    def test_says_the_same_as_csv(self) -> None:
        assert parse(as_json(LINE)) == parse(f"{HEADER}\n{ROW}")

    def test_what_the_order_says_holds_for_its_lines_unless_they_say_otherwise(self) -> None:
        lines = ({"line_number": "1", "article_code": "A", "quantity": 1}, {**LINE, "line_number": "2"})
        first, second = parse(as_json(*lines, organisation_code="40001", actor="40001"))
        assert (first.organisation_code, first.actor) == ("40001", "40001")
        assert (second.organisation_code, second.actor) == ("00XX00", "40001")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            pytest.param(as_json({**LINE, "quantity": "x"}), "order 1, line 1, quantity", id="a wrong value"),
            pytest.param(
                as_json({**LINE, "colour": 1}), "order 1, line 1, colour: no such column", id="an unknown name"
            ),
            pytest.param(as_json({**LINE, "organisation_code": ["00XX00"]}), "is no text", id="a list for a text"),
            pytest.param(as_json({**LINE, "quantity": 2.5}), "quantity", id="half a licence"),
            pytest.param(as_json(), "an order is an object with a list of lines", id="no lines"),
            pytest.param('{"orders": ["1042"]}', "an order is an object", id="no object"),
        ],
    )
    def test_a_problem_is_told_with_order_and_line(self, text: str, told: str) -> None:
        assert any(told in problem for problem in problems_of(text))

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            pytest.param(as_json(LINE)[:-5], "cut off or no JSON", id="cut off"),
            pytest.param("[]", 'a list "orders"', id="another shape"),
            pytest.param('{"orders":' + "[" * 100_000, "cut off or no JSON", id="nested without end"),
        ],
    )
    def test_an_unreadable_file_is_told(self, text: str, told: str) -> None:
        with pytest.raises(InputError, match=told):
            parse(text)


class TestRoundTrip:
    @given(
        st.lists(
            st.fixed_dictionaries(
                {
                    "line_number": st.integers(1, 10_000).map(str),
                    "organisation_code": st.from_regex(r"[0-9]{2}[A-Z]{2}[0-9]{2}", fullmatch=True),
                    "article_code": st.from_regex(r"[A-Z0-9-]{1,20}", fullmatch=True),
                    "quantity": st.integers(1, 1_000_000),
                    "quantity_is_total": st.booleans(),
                }
            ),
            min_size=1,
            max_size=8,
            unique_by=lambda line: line["line_number"],
        )
    )
    def test_csv_and_json_of_the_same_lines_mean_the_same(self, lines: list[dict[str, Any]]) -> None:
        out = io.StringIO()
        writer = csv.DictWriter(out, ["order_number", *lines[0]])
        writer.writeheader()
        writer.writerows({"order_number": "1042", **line} for line in lines)
        assert parse(out.getvalue()) == parse(as_json(*lines))


def test_a_file_that_is_not_there_is_an_input_error(tmp_path: Any) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_orders(tmp_path / "none.csv", NOW)


def test_an_empty_file_is_an_input_error(tmp_path: Any) -> None:
    (tmp_path / "empty.csv").write_bytes(b" \n")
    with pytest.raises(InputError, match="is empty"):
        read_orders(tmp_path / "empty.csv", NOW)
