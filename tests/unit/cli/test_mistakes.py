"""What is typed wrongly is one clear answer within eighty columns, with the right exit code, and changes nothing."""

from pathlib import Path

import msgspec
import pytest

from provisioning.cli.app import run
from provisioning.cli.mistakes import sentences
from provisioning.cli.session import Session
from provisioning.domain.errors import ConfigurationError
from tests.unit.cli.fakes import EVERY_COMMAND, Answer, CommandLine
from tests.unit.services.fakes_access import ADMIN, OPERATOR, World, a_tenant

FAILED, USAGE = 1, 2
READERS = [
    pytest.param(("orders", "submit", "{}"), id="orders"),
    pytest.param(("records", "import", "{}"), id="records"),
    pytest.param(("organisations", "import", "{}"), id="organisations"),
    pytest.param(("audit", "verify", "{}", "--key", "{}"), id="export and key"),
    pytest.param(("audit", "key", "{}"), id="signing key"),
    pytest.param(("tenants", "select", "41234", "school.nl", "faculty", "@{}"), id="selector"),
    pytest.param(("sandbox", "seed", "{}"), id="seed"),
]


def is_clear(answer: Answer) -> bool:
    """Something is said, within the width, and nothing that only developers can read."""
    lines = answer.err.splitlines()
    return bool(lines) and max(map(len, lines)) <= 80 and "Traceback" not in answer.err and answer.out == ""


@pytest.fixture
def typed(provisioning: CommandLine, world: World) -> CommandLine:
    a_tenant(world)
    return provisioning.as_person(OPERATOR)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with what is not what it should be."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "blank").write_text("\n")
    (tmp_path / "folder").mkdir()
    return tmp_path


class TestAFileWithManyProblems:
    """Whoever corrects it wants to know of every one, in one answer."""

    @pytest.fixture
    def file(self, files: Path) -> str:
        waves = [{"name": f"wave {number}", "colour": "red"} for number in range(30)]
        (files / "merger.json").write_text(msgspec.json.encode({"waves": waves}).decode())
        return "merger.json"

    def test_a_program_gets_all_of_them(self, typed: CommandLine, file: str) -> None:
        answer = typed("migrations", "create", file, "--json")
        assert answer.code == USAGE
        assert answer.json["file"] == "merger.json"
        told = {(one["place"], one["column"]) for one in answer.json["problems"]}
        assert len(told) > 30
        assert {place for place, _ in told} >= {f"waves[{number}].colour" for number in range(1, 31)}
        assert f"{len(answer.json['problems'])} problems" in answer.told

    def test_a_screen_has_the_first_their_number_and_how_to_see_the_others(self, typed: CommandLine, file: str) -> None:
        answer = typed("migrations", "create", file)
        assert (answer.code, answer.out) == (USAGE, "")
        assert is_clear(answer)
        assert answer.told.endswith("more. The same command with `--json` tells all of them.")
        assert "merger.json has" in answer.told

    def test_a_few_need_no_hint(self, typed: CommandLine, files: Path) -> None:
        (files / "few.json").write_text("{}")
        answer = typed("migrations", "create", "few.json")
        assert answer.code == USAGE
        assert "--json" not in answer.err


@pytest.mark.usefixtures("files")
class TestFiles:
    @pytest.mark.parametrize("words", READERS)
    @pytest.mark.parametrize(
        ("file", "why"),
        [("missing", "No such file"), ("folder", "Is a directory"), ("binary", "UTF-8")],
        ids=["missing", "a folder", "binary"],
    )
    def test_one_that_cannot_be_read_is_named(
        self, typed: CommandLine, world: World, words: tuple[str, ...], file: str, why: str
    ) -> None:
        before = list(world.events)
        answer = typed(*(word.format(file) for word in words))
        assert (answer.code, is_clear(answer)) == (USAGE, True), answer.err
        assert file in answer.err
        assert why in answer.err
        assert world.events == before

    @pytest.mark.parametrize("words", READERS[:5])
    def test_one_with_nothing_in_it_is_refused(self, typed: CommandLine, words: tuple[str, ...]) -> None:
        answer = typed(*(word.format("blank") for word in words))
        assert (answer.code, is_clear(answer)) == (USAGE, True), answer.err

    def test_one_that_may_not_be_written_is_named_and_nothing_is_left(self, typed: CommandLine, files: Path) -> None:
        for target, why in (("folder", "Is a directory"), ("binary/log", "Not a directory"), ("none/log", "No such")):
            answer = typed.as_person(ADMIN)("audit", "export", "--to", target)
            assert (answer.code, is_clear(answer), why in answer.err) == (FAILED, True, True), answer.err
        assert sorted(path.name for path in files.iterdir()) == ["binary", "blank", "folder"]

    @pytest.mark.parametrize("folder", ["missing", "binary", "folder"])
    def test_a_folder_without_mappings_is_named(self, typed: CommandLine, folder: str) -> None:
        for words in (("mappings", "check", folder), ("mappings", "diff", folder)):
            answer = typed(*words)
            assert (answer.code, is_clear(answer), folder in answer.err) == (FAILED, True, True)

    def test_a_key_is_made_nowhere_but_in_a_new_file(self, typed: CommandLine) -> None:
        for file in ("binary", "folder", "none/key"):
            answer = typed("audit", "key", file, "--new", "log.example")
            assert (answer.code, is_clear(answer), file in answer.err) == (USAGE, True, True)


class TestValues:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("orders", "list", "--limit", "-1"), "'--limit': it should be greater than or equal to 1"),
            (("orders", "list", "--limit", "few"), "valid integer"),
            (("orders", "list", "--state", "odd"), "'odd' is not one of 'received', 'held'"),
            (("operations", "list", "--state", "odd"), "'odd' is not one of"),
            (("worklist", "--owner", "odd"), "'operator', 'approver'"),
            (("stop", "--kind", "odd"), "'deliver', 'change'"),
            (("stop",), "exactly one of --all"),
            (("stop", "--all", "--tenant", "school.nl"), "exactly one of --all"),
            (("tenants", "policy", "school.nl", "--from", "2026-13-45"), "'2026-13-45' does not match"),
            (("tenants", "policy", "school.nl", "--mode", "odd"), "'direct'"),
            (("tenants", "bind", "41234", "school.nl", "--until", "soon"), "'soon' does not match"),
            (("actors", "add", "bob", "--role", "admin"), "'bob' is no actor"),
            (("actors", "add", "person:bob", "--role", "king"), "'king' is not one of"),
            (("actors", "add", "person:bob", "--role", "admin", "--days", "-1"), "greater than or equal to 1"),
            (("audit", "key", "key", "--new", "two words"), "no blanks"),
            (("audit", "list", "--operation", "77"), "at least 4"),
            (("operations", "show", "zzzz"), "zzzz"),
            (("plans", "show", "77"), "at least 4"),
            (("tenants", "show", "0000-not-a-guid"), "0000-not-a-guid"),
            (("tenants", "show", "nowhere.example"), "nowhere.example"),
            (("orders", "show", "9999"), "9999"),
            (("organisations", "show", "99999"), "99999"),
            (("up", "--port", "-1"), "'--port'"),
            (("up", "--port", "65536"), "'--port'"),
            (("up", "--clock-factor", "0"), "'--clock-factor'"),
            (("up", "--clock-factor", "inf"), "'--clock-factor'"),
            (("up", "--clock-factor", "nan"), "'--clock-factor'"),
            (("up", "--profile", "nowhere"), "'nowhere' is not one of 'board'"),
            (("sandbox", "serve", "--profile", "nowhere"), "'nowhere' is not one of 'board'"),
            (("demo", "--lag", "-1"), "'--lag'"),
            (("sandbox", "serve", "--port", "70000"), "'--port'"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    def test_one_that_cannot_be_is_told(
        self, typed: CommandLine, world: World, words: tuple[str, ...], said: str
    ) -> None:
        before = list(world.events)
        answer = typed(*words)
        assert (answer.code, is_clear(answer)) == (USAGE, True), answer.err
        assert said in " ".join(answer.err.split())
        assert world.events == before

    def test_the_library_s_words_are_not_ours(self, typed: CommandLine) -> None:
        answer = typed("orders", "list", "--state", "odd")
        assert "Value error" not in answer.err
        assert answer.err.splitlines()[-1] == "Try `provisioning orders list --help`."


class TestWords:
    @pytest.mark.parametrize("path", EVERY_COMMAND, ids=" ".join)
    def test_an_unknown_option_is_told_with_where_to_look(self, typed: CommandLine, path: tuple[str, ...]) -> None:
        answer = typed(*path, "--no-such-option")
        assert (answer.code, is_clear(answer)) == (USAGE, True), answer.err
        assert "--no-such-option" in answer.err
        assert f"Try `provisioning {' '.join(path)} --help`." in answer.err

    @pytest.mark.parametrize("path", EVERY_COMMAND, ids=" ".join)
    @pytest.mark.parametrize("empty", ["", "  ", "--folder="], ids=["nothing", "blanks", "an option's"])
    def test_an_empty_word_does_nothing(self, typed: CommandLine, path: tuple[str, ...], empty: str) -> None:
        """A path that is empty would be the folder we stand in, and an empty id the first that comes."""
        answer = typed(*path, empty)
        assert (answer.code, is_clear(answer), "is empty" in answer.err) == (USAGE, True, True)

    def test_a_command_that_is_misspelt_is_guessed(self, typed: CommandLine) -> None:
        answer = typed("ordres")
        assert "Did you mean" in answer.err
        assert answer.err.endswith("Try `provisioning --help`.\n")

    def test_a_group_alone_shows_its_help(self, typed: CommandLine) -> None:
        answer = typed("orders")
        assert (answer.code, is_clear(answer)) == (USAGE, True)
        assert "submit" in answer.err


class TestSurroundings:
    @pytest.mark.parametrize("path", [("doctor",), ("worklist",), ("tenants", "list")], ids=" ".join)
    def test_a_setting_that_is_missing_is_a_failure_and_one_line_each(
        self, capsys: pytest.CaptureFixture[str], path: tuple[str, ...]
    ) -> None:
        def without_settings() -> object:
            raise ConfigurationError("DATABASE_URL is missing.\nREDIS_URL is missing.")

        assert run(path, Session(without_settings)) == FAILED  # type: ignore[arg-type]  # it never returns
        assert capsys.readouterr().err == "DATABASE_URL is missing.\nREDIS_URL is missing.\n"

    @pytest.mark.parametrize(
        "words",
        [
            ("stop", "--all"),
            ("orders", "cancel", "1042", "--reason", "typed twice"),
            ("tenants", "add", "school.nl"),
            ("audit", "export"),
            ("actors", "revoke", "person:duty"),
            ("plans", "approve", "77aa1234", "9c1f22ab"),
        ],
        ids=" ".join,
    )
    def test_without_a_token_it_says_whose_it_takes(
        self, provisioning: CommandLine, world: World, words: tuple[str, ...]
    ) -> None:
        a_tenant(world)
        answer = provisioning(*words)
        assert answer.code in {FAILED, USAGE}
        assert is_clear(answer)
        assert world.events == []


class TestAnswers:
    @pytest.mark.parametrize(
        "words",
        [
            ("stop", "--tenant", "school.nl", "--reason", "odd receipts"),
            ("tenants", "show", "school.nl"),
            ("tenants", "policy", "school.nl", "--mode", "direct", "--asked-by", "the-ticket-with-a-long-name-12345"),
            ("tenants", "list"),
            ("worklist",),
            ("doctor",),
        ],
        ids=" ".join,
    )
    def test_fit_eighty_columns(self, typed: CommandLine, words: tuple[str, ...]) -> None:
        typed("stop", "--tenant", "school.nl")
        answer = typed(*words)
        assert answer.fits, answer.out
        assert answer.out


class TestSentences:
    def test_are_wrapped_and_nothing_in_them_is_broken(self) -> None:
        path = "/a" * 60
        said = sentences(f"The file {path} is in the way of what you wanted, and so on and on and on. " * 2)
        assert path in said.splitlines()
        assert all(len(line) <= 80 for line in said.splitlines() if line != path)

    def test_keep_their_lines_and_indents(self) -> None:
        assert sentences("One.\n    two\n") == "One.\n    two\n"
        assert sentences("    " + "word " * 30).splitlines()[1].startswith("    word")

    def test_do_not_steer_the_terminal(self) -> None:
        assert "\x1b" not in sentences("a\x1b[2Jb")
