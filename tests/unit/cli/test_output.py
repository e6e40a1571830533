import json
from datetime import UTC, date, datetime

import pytest

from provisioning.cli.output import Column, Speech, sheet, short, table, to_json
from provisioning.cli.progress import track

IDENTIFIER = "77aa1234-0000-4000-8000-000000000000"
COLUMNS = (
    Column("Id", short, fixed=True),
    Column("Text", lambda x: f"{x} " * 30),
    Column("N", lambda x: f"{len(x):,}", fixed=True, right=True),
)


class TestTable:
    def test_it_never_exceeds_eighty_columns(self) -> None:
        assert max(map(len, table([IDENTIFIER] * 3, COLUMNS).splitlines())) <= 80

    def test_an_id_is_whole_as_far_as_it_is_shown(self) -> None:
        assert "77aa1234" in table([IDENTIFIER], COLUMNS).splitlines()[1]

    def test_what_looks_like_markup_is_text(self) -> None:
        shown = table(["[bold]x[/bold] :smile:"], [Column("Name", str)])
        assert "[bold]x[/bold] :smile:" in shown

    def test_a_word_too_long_for_its_column_is_broken_not_cut(self) -> None:
        shown = table(["x" * 200], [Column("A", str), Column("B", lambda _: "y" * 100)])
        assert shown.count("x") == 200
        assert shown.count("y") == 100

    def test_what_would_steer_the_terminal_is_made_visible(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "\ufffd[31mred" in table(["\x1b[31mred"], [Column("Name", str)])
        Speech().show({}, "a\x9b31m\tb\nc\rd")
        assert capsys.readouterr().out == "a\ufffd31m\tb\nc\ufffdd\n"


class TestToJson:
    def test_times_sets_and_days_have_a_form(self) -> None:
        told = {"at": datetime(2026, 8, 1, tzinfo=UTC), "day": date(2026, 8, 1), "set": frozenset({"a"})}
        assert json.loads(to_json(told)) == {"at": "2026-08-01T00:00:00Z", "day": "2026-08-01", "set": ["a"]}


class TestSpeech:
    def test_nothing_is_said_as_a_sentence_or_an_empty_list(self, capsys: pytest.CaptureFixture[str]) -> None:
        speech = Speech()
        speech.show_rows([], COLUMNS, "There is nothing.")
        speech.as_json = True
        speech.show_rows([], COLUMNS, "There is nothing.")
        assert capsys.readouterr().out == "There is nothing.\n[]\n"


class TestSheet:
    def test_values_stand_under_each_other(self) -> None:
        assert sheet([("A", "1"), ("Long", "2")]) == "A     1\nLong  2"


class _Terminal:
    def __init__(self) -> None:
        self.written = ""

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


class TestTrack:
    def test_every_item_passes_and_pipes_hear_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert list(track([1, 2, 3], "Counting")) == [1, 2, 3]
        assert capsys.readouterr().err == ""

    def test_a_terminal_sees_how_far_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        terminal = _Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        assert list(track([b"ab", b"c"], "Verifying", 3, size="bytes")) == [b"ab", b"c"]
        assert "Verifying" in terminal.written
