import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioning.cli.app import run
from provisioning.cli.session import Session
from provisioning.domain.errors import ConflictError, InputError, NotAllowedError, UnavailableError
from tests.unit.cli.fakes import EVERY_COMMAND, CommandLine, help_of


def failing(error: BaseException) -> Callable[[], Any]:
    def services() -> Any:
        raise error

    return services


class TestHelp:
    @pytest.mark.parametrize("path", EVERY_COMMAND, ids=" ".join)
    def test_it_fits_eighty_columns_and_says_what_the_command_does(self, path: tuple[str, ...]) -> None:
        answer = help_of(path)
        assert (answer.code, answer.fits) == (0, True), answer.out
        assert answer.out.startswith(f"Usage: provisioning {' '.join(path)}")

    @pytest.mark.parametrize("path", [(), *EVERY_COMMAND], ids=" ".join)
    def test_no_summary_is_cut_short(self, path: tuple[str, ...]) -> None:
        lines = help_of(path).out.splitlines()
        assert not [line for line in lines if line.endswith("...") and "Usage" not in line]

    @pytest.mark.parametrize("path", EVERY_COMMAND, ids=" ".join)
    def test_every_command_speaks_json(self, path: tuple[str, ...]) -> None:
        out = help_of(path).out
        assert ("--json" in out) is ("COMMAND [ARGS]" not in out)

    def test_examples_keep_their_lines(self) -> None:
        out = help_of(("stop",)).out
        assert "\n    provisioning stop --tenant school.nl\n    provisioning stop --kind remap\n" in out

    @pytest.mark.parametrize("path", EVERY_COMMAND, ids=" ".join)
    def test_every_example_is_one_that_the_command_understands(self, path: tuple[str, ...]) -> None:
        lines = [line.strip() for line in help_of(path).out.splitlines()]
        examples = [line for line in lines if line.startswith("provisioning ")]
        assert all(line.split()[1 : len(path) + 1] == list(path) for line in examples)

    def test_without_a_command_it_lists_them(self, provisioning: CommandLine) -> None:
        answer = provisioning()
        assert "worklist" in answer.out + answer.err
        assert answer.code == 2


class TestStart:
    HEAVY = (
        "sqlalchemy",
        "alembic",
        "celery",
        "redis",
        "msgraph",
        "azure",
        "httpx",
        "rich",
        "cryptography",
        "structlog",
    )

    def test_help_loads_nothing_that_it_does_not_need(self) -> None:
        program = (
            "import sys\nfrom provisioning.cli.app import run\nfrom provisioning.cli.session import Session\n"
            "code = run(['--help'], Session())\n"
            f"print([name for name in {self.HEAVY} if name in sys.modules], code, file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stderr.strip() == "[] 0"


class TestMain:
    def test_it_writes_utf_8_whatever_the_locale_can(self) -> None:
        program = "import sys; from provisioning.cli import app; app.run = lambda *_: print('€'); app.main()"
        ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=ascii_only, check=True)
        assert done.stdout.decode() == "€\n"


class TestConnections:
    def test_they_are_let_go_of_whatever_happens(self, provisioning: CommandLine) -> None:
        provisioning("worklist")
        assert provisioning("stop", "--all").code == 1
        assert provisioning.services.closed == 2

    def test_none_are_made_to_show_help(self, provisioning: CommandLine) -> None:
        provisioning("worklist", "--help")
        assert provisioning.services.closed == 0


class TestExitCode:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (NotAllowedError("You may not."), 1),
            (ConflictError("Somebody was quicker."), 1),
            (UnavailableError("The database does not answer."), 1),
            (InputError("There is no such thing."), 2),
        ],
        ids=lambda x: type(x).__name__,
    )
    def test_our_errors_are_one_sentence(self, error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["doctor"], Session(failing(error))) == code
        printed = capsys.readouterr()
        assert (printed.out, printed.err) == ("", f"{error}\n")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["sell"],
            ["doctor", "--quickly"],
            ["stop"],
            ["stop", "--all", "--kind", "remap"],
            ["plans", "approve", "77aa"],
        ],
        ids=" ".join,
    )
    def test_what_cannot_be_understood_is_two(self, provisioning: CommandLine, arguments: list[str]) -> None:
        answer = provisioning(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err

    def test_ctrl_c_ends_with_130_and_a_sentence(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["doctor"], Session(failing(KeyboardInterrupt()))) == 130
        assert capsys.readouterr().err.startswith("Stopped by you.")

    def test_a_file_that_cannot_be_written_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        refused = PermissionError(13, "Permission denied", "/srv/log.jsonl")
        assert run(["doctor"], Session(failing(refused))) == 1
        assert capsys.readouterr().err == "/srv/log.jsonl cannot be used: Permission denied.\n"

    def test_a_fault_of_ours_shows_no_traceback(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["doctor"], Session(failing(ZeroDivisionError("secret")))) == 1
        err = capsys.readouterr().err
        assert "fault of the program (ZeroDivisionError)" in err
        assert "Traceback" not in err
        assert "secret" not in err

    def test_developers_may_ask_for_it(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PROVISIONING_LOG_LEVEL", "debug")
        run(["doctor"], Session(failing(ZeroDivisionError("x"))))
        assert "Traceback" in capsys.readouterr().err

    def test_a_reader_who_went_away_is_no_reason_to_complain(self, tmp_path: Path) -> None:
        program = (
            "import sys\nfrom provisioning.cli.app import run\nfrom provisioning.cli.session import Session\n"
            "sys.exit(run(['mappings', 'check', '--json'], Session()))"
        )
        with (tmp_path / "err").open("wb") as err:
            reading, writing = os.pipe()
            os.close(reading)
            done = subprocess.run([sys.executable, "-c", program], stdout=writing, stderr=err, check=False)
            os.close(writing)
        assert done.returncode == 1
        assert (tmp_path / "err").read_text() == ""
