"""The chapter on migrations, typed by somebody who has nothing but the manual and a terminal of 80 columns."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.architecture.source import ROOT
from tests.engines import temporary_folder
from tests.journeys.terminal import PROVISIONING, QUICKLY, Typed, running_in

_MIGRATION, _OPERATION, _DIGEST = "5f0c9a4e", "dddd0001", "2cb72cf6"  # as the chapter calls them
_REHEARSE = "provisioning migrations rehearse merger.yaml"
_COMPARE = f"provisioning migrations rehearse --compare {_OPERATION}"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d )?\d\d:\d\d(:\d\d)?")
_READS = re.compile(r"provisioning migrations show")
_AT_LENGTH = 150.0  # seconds, for a rehearsal: a whole migration beside the world that runs
_ENVIRONMENT = {**os.environ, "COLUMNS": "80", "PATH": f"{Path(PROVISIONING[0]).parent}:{os.environ['PATH']}"}


class Step(msgspec.Struct, frozen=True):
    """One command of the chapter, and the lines that it shows below it; those with … are told in part only."""

    command: str
    shown: tuple[str, ...]


def steps() -> Iterator[Step]:
    manual = (ROOT / "docs" / "operators-manual.md").read_text("utf-8")
    chapter = manual.partition("\n## Migrations\n")[2].partition("\n## ")[0]
    indented = [line[4:] if line.startswith("    ") else "" for line in chapter.splitlines()]
    for block in re.split(r"\n\n+", "\n".join(indented)):
        for typed in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, shown = _divided(typed.splitlines())
            yield Step(command, tuple(line for line in shown if line.strip() and "…" not in line))


def _divided(lines: list[str]) -> tuple[str, list[str]]:
    """What is typed, and what is shown: a backslash goes on, and so does a text until its END."""
    if lines[0].endswith("<<END"):
        last = lines.index("END")
    else:
        last = next(place for place, line in enumerate(lines) if not line.endswith("\\"))
    return "\n".join(lines[: last + 1]), lines[last + 1 :]


class Newcomer:
    def __init__(self, place: Path) -> None:
        self._place = place
        self._exports: list[str] = []
        self._names = {_MIGRATION: _MIGRATION, _OPERATION: _OPERATION, _DIGEST: _DIGEST}
        self._world: Typed | None = None

    def follow(self, step: Step) -> None:
        if step.command.startswith("provisioning up"):
            self._start(step.command.split()[1:])
            assert self._world
            assert [line for line in step.shown if line not in self._world.out] == []
        elif step.command.startswith("export"):
            self._exports.append(step.command)
        elif " watch " in step.command:
            self._watch(step)
        else:
            self._type(step)

    def leave(self) -> None:
        if self._world:
            self._world.interrupt()
            assert self._world.ended(QUICKLY) == 0

    def _start(self, words: list[str]) -> None:
        self.leave()
        in_place = {"merger": str(self._folder)}
        before = ["", *words]
        put = [in_place.get(word, word) if before[n] == "--folder" else word for n, word in enumerate(words)]
        self._world = Typed(self._place, *put)
        self._world.says("Ctrl-C stops everything", QUICKLY)

    def _watch(self, step: Step) -> None:
        """Until what the chapter shows was seen; Ctrl-C ends the watching alone."""
        seen, deadline, pause = self._place / "watched", time.monotonic() + QUICKLY, threading.Event()
        with (
            seen.open("wb") as out,
            subprocess.Popen(self._script(f"exec {step.command}"), stdout=out, env=_ENVIRONMENT) as watching,
        ):
            while not set(map(_bare, step.shown)) <= set(map(_bare, seen.read_text().splitlines())):
                if time.monotonic() > deadline:
                    watching.kill()
                    pytest.fail(f"not seen: {step.shown}\n{seen.read_text()}")
                pause.wait(0.2)
            watching.send_signal(signal.SIGINT)

    @property
    def _folder(self) -> Path:
        return self._place / "merger"

    def _type(self, step: Step) -> None:
        if (
            "plans " in step.command
            or _COMPARE in step.command
            or any(line.startswith("To approve") for line in step.shown)
        ):
            self._look_for_a_plan()
        out = self._patiently(step)
        assert max(map(len, out.splitlines()), default=0) <= 80
        created = re.search(r"^Migration    ([0-9a-f]{8})", out, re.MULTILINE)
        if created and " create " in step.command:
            self._names[_MIGRATION] = created[1]

    def _look_for_a_plan(self) -> None:
        show = f"provisioning migrations show {_MIGRATION}"
        out = self._patiently(Step(show, ("To approve: provisioning plans approve",)))
        found = re.search(r"To approve: provisioning plans approve (\w+) (\w+)", out)
        assert found
        self._names |= {_OPERATION: found[1], _DIGEST: found[2]}

    def _patiently(self, step: Step) -> str:
        """Again while it is refused, and while what is only looked at is not there yet; a deed is never repeated."""
        deadline, pause = time.monotonic() + QUICKLY, threading.Event()
        while True:
            answer = self._run(step.command)
            has_run = answer.returncode == 0
            told = _bare(f"{answer.stderr} {answer.stdout}")
            missing = [line for line in step.shown if _bare(self._named(line)) not in told]
            if has_run and not missing:
                return answer.stdout
            is_over = time.monotonic() > deadline or (has_run and not _READS.match(step.command))
            assert not is_over, (step, missing, answer.stdout, answer.stderr)
            pause.wait(0.5)

    def _named(self, text: str) -> str:
        for written, real in self._names.items():
            text = text.replace(written, real)
        return text

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._script(command), capture_output=True, text=True, check=False, timeout=_AT_LENGTH, env=_ENVIRONMENT
        )

    def _script(self, command: str) -> list[str]:
        """In the world's folder, with the environment that its opening screen has one source."""
        begin = ["set -e", f'source "{self._folder}/environment"', *self._exports, "cd $WORLD"]
        return ["bash", "-c", "\n".join([*begin, self._named(command)])]


def _bare(text: str) -> str:
    """Without what differs each time, however it was broken into lines."""
    return " ".join(_MOMENT.sub("", text).split())


@pytest.fixture
def newcomer() -> Iterator[Newcomer]:
    with temporary_folder() as place:
        newcomer = Newcomer(place)
        yield newcomer
        newcomer.leave()
        assert running_in(place) == []


@pytest.mark.slow
def test_the_chapter_can_be_typed_from_its_world_to_the_closing_statement(newcomer: Newcomer) -> None:
    typed = list(steps())
    assert len(typed) > 20
    assert [step.command for step in typed if " rehearse " in step.command] == [_REHEARSE, _COMPARE]
    for step in typed:
        newcomer.follow(step)
    for told in ("People 5 moved", "People 24 rolled back"):
        newcomer.follow(Step(f"provisioning migrations show {_MIGRATION}", (told,)))
