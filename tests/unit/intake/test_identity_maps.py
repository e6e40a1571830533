"""Identity maps as spreadsheets and tools write them."""

from pathlib import Path

import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.migration_file import IdentityPair
from provisioning.intake.identity_maps import parse_identity_map, read_identity_map
from provisioning.intake.problems import FileRefusedError

ID, OTHER_ID = "4f0c4b0e-6d0c-4f7e-9a57-1f1f2f3c4d5e", "0a1b2c3d-0000-4000-8000-000000000001"
EXPECTED = [("ann@oost.example", "ann@samen.example"), (ID, OTHER_ID)]


def rows_in(content: str) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in parse_identity_map("people.csv", content.encode())]


def problems_of(content: str) -> list[str]:
    with pytest.raises(FileRefusedError) as refused:
        parse_identity_map("people.csv", content.encode())
    return [str(problem) for problem in refused.value.problems]


class TestParseIdentityMap:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(f"source,target\nann@oost.example,ann@samen.example\n{ID},{OTHER_ID}\n", id="commas"),
            pytest.param(f"source;target\r\nann@oost.example;ann@samen.example\r\n{ID};{OTHER_ID}\r\n", id="Excel"),
            pytest.param(
                f"\ufeffsource;target\nann@oost.example;ann@samen.example\n{ID};{OTHER_ID}", id="with its mark"
            ),
            pytest.param(f"source\ttarget\nann@oost.example\tann@samen.example\n{ID}\t{OTHER_ID}\n", id="tabs"),
            pytest.param(f"Target,SOURCE\nann@samen.example,ann@oost.example\n{OTHER_ID},{ID}\n", id="other order"),
            pytest.param(f"\r\n\nsource;target\nann@oost.example;ann@samen.example\n{ID};{OTHER_ID}", id="empty lines"),
            pytest.param(
                f"source,target\n ANN@Oost.example ,Ann@Samen.Example\n\n{ID.upper()},{OTHER_ID}\n",
                id="capitals, blanks",
            ),
        ],
    )
    def test_reads_pairs_in_the_order_of_the_file(self, content: str) -> None:
        assert rows_in(content) == EXPECTED

    def test_a_row_that_is_there_twice_counts_once(self) -> None:
        row, again = f"{ID},{OTHER_ID}\n", f"{ID.upper()},{OTHER_ID}\n"
        assert rows_in(f"source,target\n{row}a@o.example,b@s.example\n{again}") == [
            (ID, OTHER_ID),
            ("a@o.example", "b@s.example"),
        ]

    def test_each_row_knows_its_line_so_that_it_can_be_told_without_a_name(self) -> None:
        content = f"\nsource,target\n{ID},{OTHER_ID}\n\n{ID.upper()},{OTHER_ID}\na@o.example,b@s.example\n"
        assert parse_identity_map("people.csv", content.encode()) == (
            IdentityPair(ID, OTHER_ID, 3),
            IdentityPair("a@o.example", "b@s.example", 6),
        )

    def test_rows_that_contradict_each_other_are_all_kept_for_a_person_to_decide(self) -> None:
        content = f"source,target\n{ID},a@samen.example\n{ID},b@samen.example\nc@oost.example,a@samen.example\n"
        assert len(parse_identity_map("people.csv", content.encode())) == 3

    def test_every_problem_is_told_with_its_line_and_column(self) -> None:
        told = problems_of(f"source,target\n,{OTHER_ID}\n{ID},\nann,{OTHER_ID}\n{ID}\n{ID},ann@samen\n")
        assert told == [
            "line 2, source: is empty; fill it in.",
            "line 3, target: is empty; fill it in.",
            "line 4, source: is neither an object id nor a sign-in name such as name@school.example.",
            "line 5: 1 cells where the header has 2; correct the row.",
            "line 6, target: is neither an object id nor a sign-in name such as name@school.example.",
        ]

    def test_no_person_is_named_in_what_is_told(self) -> None:
        assert "ann" not in "".join(problems_of(f"source,target\nann@,{OTHER_ID}\n")).replace("name", "")

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            pytest.param("source,to\na,b\n", "line 1, target: this column is missing.", id="a column is missing"),
            pytest.param("source,target,name\na,b,c\n", "line 1, name: no such column", id="a column too many"),
            pytest.param("source,target,target\na,b,c\n", "line 1, target: this column is there twice.", id="twice"),
            pytest.param("source,target\n", "line 1: only the header is there", id="nobody"),
        ],
    )
    def test_a_wrong_header_is_told(self, content: str, told: str) -> None:
        assert any(problem.startswith(told) for problem in problems_of(content))


class TestReadIdentityMap:
    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"people\.csv cannot be read"):
            read_identity_map(tmp_path / "people.csv")

    def test_an_empty_file_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "people.csv").write_text("\n", "utf-8")
        with pytest.raises(InputError, match=r"people\.csv is empty"):
            read_identity_map(tmp_path / "people.csv")

    def test_a_spreadsheet_is_not_taken_for_text(self, tmp_path: Path) -> None:
        (tmp_path / "people.csv").write_bytes("source;target\n".encode("utf-16"))
        with pytest.raises(InputError, match="looks like UTF-16 or a spreadsheet"):
            read_identity_map(tmp_path / "people.csv")
