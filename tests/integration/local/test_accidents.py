"""Whatever happened to the last owner of a folder, the next start works, with what was written."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Never

import psutil
import psycopg
import pytest

from provisioning.local import processes
from provisioning.local.engines import Engines
from tests.integration.local.observing import are_over, connect, engines_on, recall, remember, server_on, sockets_of

OWNER = """
import os, sys, threading
from pathlib import Path
from provisioning.local.engines import Engines
from tests.integration.local.observing import remember

def start():
    running = Engines.start(Path(sys.argv[1]))
    remember(running.owner_url, f"by {os.getpid()}")
    print("ready", flush=True)

if sys.argv[2] == "thread":
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
else:
    start()
sys.stdin.read()
"""


@contextmanager
def owned_by_another(folder: Path, start_in: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", OWNER, str(folder), start_in]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        yield owner


def kill(owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.wait()


class TestOwnerKilled:
    def test_the_engines_end_with_it_and_the_next_start_has_everything(self, used_folder: Path) -> None:
        with owned_by_another(used_folder, "main") as owner:
            engines = engines_on(used_folder)
            kill(owner)
            deadline = time.monotonic() + 20
            while not are_over(engines):
                assert time.monotonic() < deadline
        assert len(engines) == 2
        with Engines.start(used_folder) as running:
            assert f"by {owner.pid}" in recall(running.owner_url)

    def test_engines_that_stayed_behind_are_replaced(self, used_folder: Path) -> None:
        with owned_by_another(used_folder, "thread") as owner:
            left_over = engines_on(used_folder)
            kill(owner)
        assert len(left_over) == 2
        assert not are_over(left_over)
        with Engines.start(used_folder) as running:
            assert are_over(left_over)
            assert f"by {owner.pid}" in recall(running.owner_url)

    def test_engines_that_hear_no_signal_are_replaced(self, used_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "STOP_PATIENCE", timedelta(milliseconds=300))
        with owned_by_another(used_folder, "thread") as owner:
            left_over = engines_on(used_folder)
            for engine in left_over:
                engine.suspend()
            kill(owner)
        with Engines.start(used_folder) as running:
            assert are_over(left_over)
            assert f"by {owner.pid}" in recall(running.owner_url)


class TestPostgresKilled:
    def test_the_next_start_has_everything(self, used_folder: Path) -> None:
        with Engines.start(used_folder) as running:
            remember(running.owner_url, "before the kill")
            server_on(used_folder).kill()
        with Engines.start(used_folder) as again:
            assert "before the kill" in recall(again.owner_url)

    def test_a_session_that_works_on_is_ended(self, used_folder: Path) -> None:
        with Engines.start(used_folder, durable=False) as running:
            worker = threading.Thread(target=_work_for_ever, args=[running.database_url])
            worker.start()
            session = _await_work(running.database_url)
            server_on(used_folder).kill()
        worker.join()
        assert are_over([session])


WORKING = "select pid from pg_stat_activity where query like 'do $$%' and state = 'active'"


def _work_for_ever(url: str) -> None:
    with pytest.raises(psycopg.OperationalError), connect(url) as session:
        session.execute("do $$ begin loop end loop; end $$")


def _await_work(url: str) -> psutil.Process:
    """The process of the session that works for ever."""
    with connect(url) as session:
        while True:
            found = session.execute(WORKING)
            if row := found.fetchone():
                return psutil.Process(row[0])
            session.execute("select pg_sleep(0.01)")


class TestLeftFiles:
    def test_the_number_of_a_strange_living_process_is_not_believed(self, used_folder: Path) -> None:
        cluster = used_folder / "engines/postgres"
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
            (cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster}\n1\n5432\n/nowhere\n\n  1 1\nready\n")
            with Engines.start(used_folder, durable=False) as running:
                remember(running.owner_url, "started")
            assert stranger.poll() is None

    def test_a_process_that_only_mentions_the_folder_is_left_alone(self, used_folder: Path) -> None:
        command = [sys.executable, "-c", "input()", str((used_folder / "engines/postgres").resolve())]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as bystander:
            Engines.start(used_folder, durable=False).stop()
            assert bystander.poll() is None

    def test_sockets_that_nobody_removed_are_no_obstacle(self, used_folder: Path) -> None:
        with Engines.start(used_folder, durable=False) as running:
            sockets = sockets_of(running)
        sockets.mkdir()
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock", "valkey.sock"):
            (sockets / name).write_text(f"{os.getpid()}\n")
        with Engines.start(used_folder, durable=False) as again:
            remember(again.owner_url, "started")

    def test_databases_that_were_not_made_in_time_are_made(self, used_folder: Path) -> None:
        with Engines.start(used_folder, durable=False) as running:
            running.drop_database("orders")
        with Engines.start(used_folder, durable=False) as again, connect(again.order_database_url) as session:
            assert session.execute("select current_database()").fetchone() == ("orders",)

    def test_an_interrupted_initdb_is_begun_again(self, folder: Path) -> None:
        draft = folder / "engines/postgres.draft"
        (draft / "base").mkdir(parents=True)
        (draft / "PG_VERSION").write_text("18\n")
        with Engines.start(folder, durable=False) as running:
            remember(running.owner_url, "whole")
        assert not draft.exists()


# an interrupt inside Popen leaves no object to wait with: the process is found by its arguments and ended
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestInterrupted:
    """Ctrl-C at any moment of a start."""

    @pytest.mark.parametrize("milliseconds", [1, 150, 500])
    def test_a_first_start_leaves_nothing_running(self, folder: Path, milliseconds: int) -> None:
        _start_interrupted(folder, milliseconds)
        assert engines_on(folder) == []
        with Engines.start(folder, durable=False) as running:
            remember(running.owner_url, "anew")

    @pytest.mark.parametrize("milliseconds", range(10, 130, 10))
    def test_a_later_start_leaves_nothing_running(self, used_folder: Path, milliseconds: int) -> None:
        _start_interrupted(used_folder, milliseconds)
        assert engines_on(used_folder) == []

    def test_between_initdb_and_the_engines(self, folder: Path) -> None:
        before = signal.signal(signal.SIGCHLD, _interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                Engines.start(folder, durable=False)
        finally:
            signal.signal(signal.SIGCHLD, before)
        assert engines_on(folder) == []
        Engines.start(folder, durable=False).stop()


def _start_interrupted(folder: Path, milliseconds: int) -> None:
    with pytest.raises(KeyboardInterrupt), interrupted_after(milliseconds), Engines.start(folder, durable=False):
        _interrupt_now()


def _interrupt_now() -> Never:
    """The start was quicker than the alarm, or Python lost the interrupt in a finalizer."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    raise KeyboardInterrupt


@contextmanager
def interrupted_after(milliseconds: int) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> Never:
    raise KeyboardInterrupt
