"""docs/sandbox.md, run as it stands: what the page has people type works, and says what the page says."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local.processes import tied

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
START = ["provisioning", "sandbox", "serve", "--profile", "board"]


def blocks(language: str) -> list[str]:
    return [text for kind, text in _BLOCK.findall(PAGE.read_text("utf-8")) if kind == language]


def outputs(*, of: str) -> str:
    """What the page says that blocks of this language print, one after another."""
    found, last = [], ""
    for kind, text in _BLOCK.findall(PAGE.read_text("utf-8")):
        found += [text] if kind == "text" and last == of else []
        last = kind
    return "".join(found)


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """A shell that finds the project's own commands."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Path]:
    """A working directory in which the twin serves, started as the page says."""
    place = tmp_path_factory.mktemp("page")
    command = [str(Path(sys.executable).parent / START[0]), *START[1:]]
    with (place / "said").open("wb") as said:
        serving = subprocess.Popen(tied(command), cwd=place, env=environment, stdout=said)
        try:
            _wait_for(place / ".provisioning" / "sandbox" / "address.json", serving)
            yield place
        finally:
            serving.send_signal(signal.SIGINT)  # Ctrl-C
            assert serving.wait(timeout=30) == 0
    assert not (place / ".provisioning" / "sandbox" / "address.sh").exists()


def _wait_for(file: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline, pause = time.monotonic() + 30, threading.Event()
    while not file.exists() and process.poll() is None and time.monotonic() < deadline:
        pause.wait(0.02)
    assert file.exists(), "the twin did not start"


def test_the_page_starts_the_twin_as_the_test_does() -> None:
    assert f"    {' '.join(START)}\n" in PAGE.read_text("utf-8")


def test_it_says_where_it_serves_and_who_is_in_it(place: Path) -> None:
    told, example = ((place / "said").read_text(), PAGE.read_text("utf-8"))
    for line in told.splitlines():
        shown = re.sub(r"localhost:\d+", "localhost:34567", line)
        shown = re.sub(r"(\), |secret ).*", r"\1…", shown)
        assert f"    {shown}\n" in example


def test_the_shell_commands_work_one_after_another(place: Path, environment: dict[str, str]) -> None:
    script = "set -eu -o pipefail\n" + "".join(text for text in blocks("sh") if "sandbox switch" not in text)
    ended = subprocess.run(
        ["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == (outputs(of="sh"), "", 0)


def test_the_program_works(place: Path, environment: dict[str, str]) -> None:
    (program,) = blocks("python")
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.stdout, ended.returncode) == (outputs(of="python"), 0), ended.stderr


def test_the_last_commands_make_it_difficult(place: Path, environment: dict[str, str]) -> None:
    (commands,) = (text for text in blocks("sh") if "sandbox switch" in text)
    ended = subprocess.run(
        ["bash", "-euc", commands], cwd=place, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.stderr, ended.returncode) == ("", 0)
    assert '"delta_repeats": 1' in ended.stdout
    assert "No fault is set any more." in ended.stdout
