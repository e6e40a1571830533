"""`provisioning demo` and `provisioning up`, typed as a person would who has never seen the project."""

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.engines import temporary_folder
from tests.journeys.terminal import PROVISIONING, QUICKLY, Typed, running_in

A3 = "4b590615-0888-425a-a965-b3bf7789848d"
STORY_WITHIN = 180.0  # seconds; the promise is 90 on a machine with nothing else to do


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


def words(typed: Typed) -> str:
    """What it said, however it was broken into lines."""
    return " ".join(typed.out.split())


class TestDemo:
    def test_tells_its_story_and_proves_it(self, folder: Path) -> None:
        typed = Typed(folder, "demo")

        assert typed.ended(STORY_WITHIN) == 0, typed.out + typed.err
        for chapter in ("Orders and what came of them", "What waits for a person", "Seats per tenant", "Proof"):
            assert chapter in typed.out
        told = words(typed)
        asked = ("awaiting authority", "What changes in the Microsoft licences", "a second person has to look at it")
        steps = (*asked, "Approved by person:approver", "Answer 6: Your request was carried out and checked.")
        assert [step for step in steps if step not in told] == []
        assert "events, sound." in typed.out
        assert "changed nothing: equal." in words(typed)
        assert max(map(len, typed.out.splitlines())) <= 80
        assert sorted(path.name for path in folder.iterdir()) == ["typed.err", "typed.out"]
        assert running_in(folder) == []

    @pytest.mark.slow
    def test_ends_as_one_document_for_programs_and_keeps_the_world_where_asked(self, folder: Path) -> None:
        kept = folder / "kept"
        before = Typed(folder, "demo", "--folder", str(kept))
        before.says("Everything runs.", QUICKLY)
        before.interrupt()
        assert before.ended(QUICKLY) == 130
        typed = Typed(folder, "demo", "--json", "--folder", str(kept))  # the same folder, and a story of its own
        assert typed.ended(STORY_WITHIN) == 0, typed.err
        ending = json.loads(typed.out)

        assert len(list(kept.glob("demo-*/audit-export.jsonl"))) == 1
        assert {one["order"]: (one["state"], one["reason"]) for one in ending["orders"]} == EXPECTED
        assert {one["domain"]: _numbers(one) for one in ending["seats"]} == SEATS
        assert {item["reason"] for item in ending["work"]} == WORK
        assert all(item["todo"] for item in ending["work"])
        assert (ending["audit"]["is_sound"], ending["equal"]) == (True, True)
        assert ending["audit"]["events"] == ending["audit"]["proven"] > 0
        assert ending["witness"]["changes"] == ending["witness"]["claims"] > 0
        assert running_in(kept) == []

    @pytest.mark.parametrize(
        "request_to_end",
        [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],
        ids=["Ctrl-C", "SIGTERM"],
    )
    def test_an_interruption_in_the_middle_leaves_nothing_running(
        self, folder: Path, request_to_end: signal.Signals
    ) -> None:
        typed = Typed(folder, "demo")
        typed.says("order 1001", QUICKLY)
        typed.process.send_signal(request_to_end)

        assert typed.ended(QUICKLY) == 130
        assert typed.err.startswith("Stopped by you.")
        assert sorted(path.name for path in folder.iterdir()) == ["typed.err", "typed.out"]
        assert running_in(folder) == []


def started(place: Path, world: Path, *more: str) -> Typed:
    """`up` with a generated world, once it runs."""
    typed = Typed(place, "up", "--folder", str(world), "--profile", "board", *more)
    typed.says("Ctrl-C stops everything", QUICKLY)
    return typed


@pytest.fixture(scope="class")
def running() -> Iterator[tuple[Typed, Path]]:
    with temporary_folder() as place:
        typed = started(place, place / "up")
        yield typed, place / "up"
        typed.interrupt()
        assert typed.ended(QUICKLY) == 0
        assert running_in(place) == []


class TestARunningUp:
    def test_says_how_to_reach_it(self, running: tuple[Typed, Path]) -> None:
        typed, world = running
        assert f"source {world / 'environment'}" in typed.out
        asked = (
            "tenants add bestuur.example",
            f"sandbox seats bestuur.example {A3} 311 --folder $WORLD/sandbox",
            "doctor",
        )
        answer = _sourced(world, "; ".join(f"provisioning {words}" for words in asked))
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert "311 seats" in answer.stdout
        (address,) = re.findall(r"^export API=(\S+)$", (world / "environment").read_text(), re.MULTILINE)
        assert httpx.get(f"{address}/readyz").json()["is_ready"]

    def test_keeps_what_opens_it_to_ourselves(self, running: tuple[Typed, Path]) -> None:
        _, world = running
        secret = [world / "environment", world / "twin-seed.json", *(world / "tokens").iterdir()]
        assert {oct(file.stat().st_mode & 0o777) for file in secret} == {"0o600"}

    def test_a_second_one_in_the_same_folder_says_so_in_a_sentence(
        self, running: tuple[Typed, Path], folder: Path
    ) -> None:
        second = Typed(folder, "up", "--folder", str(running[1]), "--profile", "board")
        assert second.ended(QUICKLY) == 1
        assert second.complaint.startswith(f"The engines in {running[1]} are already in use by process")
        assert second.complaint.endswith("Stop that process, or name another folder.")

    @pytest.mark.usefixtures("running")
    @pytest.mark.slow
    def test_another_folder_works_beside_it(self, folder: Path) -> None:
        another = started(folder, folder / "up")
        another.interrupt()
        assert another.ended(QUICKLY) == 0


class TestUp:
    @pytest.mark.slow
    def test_is_found_again_as_it_was_left_and_says_when_that_was_not_in_order(self, folder: Path) -> None:
        world = folder / ("a world's folder, long and with blanks " + "x" * 150)
        first = started(folder, world)
        assert "our own database is empty" in words(first)
        first.interrupt()
        assert first.ended(QUICKLY) == 0
        assert running_in(world) == []

        again = started(folder, world)
        assert "This world was here before" in words(again)
        assert "not stopped in order" not in words(again)
        again.process.kill()
        again.process.wait()

        for file in ("operator", "shop"):
            (world / "tokens" / file).unlink()
        after_a_kill = started(folder, world)
        assert "made anew: operator, shop." in words(after_a_kill)
        assert "It was not stopped in order" in words(after_a_kill)
        after_a_kill.interrupt()
        assert after_a_kill.ended(QUICKLY) == 0

    @pytest.mark.slow
    def test_says_which_process_ended_by_itself(self, folder: Path) -> None:
        typed = started(folder, folder / "up")
        for process in psutil.Process(typed.process.pid).children(recursive=True):
            if "beat" in process.cmdline():
                process.kill()

        assert typed.ended(QUICKLY) == 1
        assert "ended by themselves: beat" in typed.complaint
        assert running_in(folder) == []

    @pytest.mark.slow
    def test_a_port_that_is_taken_is_said_in_one_sentence(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            typed = Typed(folder, "up", "--folder", str(folder / "up"), "--profile", "board", "--port", port)
            assert typed.ended(QUICKLY) == 1
        assert "did not start" in typed.complaint
        assert "already in use" in typed.complaint


def _sourced(world: Path, commands: str) -> subprocess.CompletedProcess[str]:
    programs = Path(PROVISIONING[0]).parent
    script = f'set -e; PATH="{programs}:$PATH"; source "{world / "environment"}"; {commands}'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=QUICKLY)


def _numbers(seats: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(seats[column] for column in ("bought", "enabled", "used", "waiting"))


EXPECTED = {
    "1001": ("completed", None),  # S5
    "1002": ("completed", None),  # S1, S43, approval
    "1003": ("partially completed", None),  # S8, S42
    "1004": ("partially completed", None),  # S3
    "1005": ("completed", None),  # S10, S9
    "1006": ("held", "DUPLICATE_ORDER_SUSPECTED"),  # S13
    "1007": ("held", "TENANT_MISMATCH"),  # S12
    "1008": ("held", "SKU_AMBIGUOUS"),  # S17
}
SEATS = {
    "waterlijn.example": (310, 310, 310, 0),
    "duinrand.example": (28, 28, 28, 2),
    "vlieger.example": (18, 18, 18, 0),
    "prisma.example": (12, 12, 12, 0),
}
WORK = {"SEATS_INSUFFICIENT", "DUPLICATE_ORDER_SUSPECTED", "TENANT_MISMATCH", "SKU_AMBIGUOUS"}
