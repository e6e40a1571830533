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
from typing import Any

import psutil
import psycopg
import pytest

from provisioning.local.engines import Engines
from tests.integration.local.observing import are_over, connect, engines_on, recall, remember, server_on

OWNER = """
import sys, threading
from pathlib import Path
from provisioning.local.engines import Engines
from tests.integration.local.observing import remember

def start():
    running = Engines.start(Path(sys.argv[1]))
    remember(running.owner_url, "written before")
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
    def test_the_engines_end_with_it(self, folder: Path) -> None:
        with owned_by_another(folder, "main") as owner:
            engines = engines_on(folder)
            kill(owner)
            deadline = time.monotonic() + 20
            while not are_over(engines):
                assert time.monotonic() < deadline
        assert len(engines) == 2

    @pytest.mark.parametrize("start_in", ["main", "thread"])
    def test_the_next_start_has_everything(self, folder: Path, start_in: str) -> None:
        with owned_by_another(folder, start_in) as owner:
            kill(owner)
        with Engines.start(folder) as running:
            assert recall(running.owner_url) == ["written before"]

    def test_engines_that_stayed_behind_are_replaced(self, folder: Path) -> None:
        with owned_by_another(folder, "thread") as owner:
            left_over = engines_on(folder)
            kill(owner)
        assert len(left_over) == 2
        assert not are_over(left_over)
        with Engines.start(folder):
            assert are_over(left_over)
            assert len(engines_on(folder)) == 2

    def test_engines_that_no_longer_listen_to_signals_are_replaced(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("provisioning.local.processes.STOP_PATIENCE", timedelta(seconds=1))
        with owned_by_another(folder, "thread") as owner:
            left_over = engines_on(folder)
            for engine in left_over:
                engine.suspend()
            kill(owner)
        with Engines.start(folder) as running:
            assert are_over(left_over)
            assert recall(running.owner_url) == ["written before"]


class TestPostgresKilled:
    def test_a_session_that_works_on_is_ended(self, folder: Path) -> None:
        with Engines.start(folder, durable=False) as running:
            worker = threading.Thread(target=_work_for_ever, args=[running.database_url])
            worker.start()
            session = _await_work(running.database_url)
            server_on(folder).kill()
        worker.join()
        assert are_over([session])

    def test_the_next_start_has_everything(self, folder: Path) -> None:
        with Engines.start(folder) as running:
            remember(running.owner_url, "written before")
            server_on(folder).kill()
        with Engines.start(folder) as again:
            assert recall(again.owner_url) == ["written before"]


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
    def test_the_number_of_a_strange_living_process_is_not_believed(self, folder: Path) -> None:
        with Engines.start(folder) as running:
            remember(running.owner_url, "written before")
        stale = folder / "engines/postgres/postmaster.pid"
        stale.write_text(f"{os.getpid()}\n{stale.parent}\n1700000000\n5432\n/nowhere\n\n  1 1\nready\n")
        with Engines.start(folder) as again:
            assert recall(again.owner_url) == ["written before"]

    def test_a_process_that_only_mentions_the_folder_is_left_alone(self, folder: Path) -> None:
        Engines.start(folder, durable=False).stop()
        command = [sys.executable, "-c", "input()", str((folder / "engines/postgres").resolve())]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as bystander:
            with Engines.start(folder, durable=False):
                assert bystander.poll() is None
            assert bystander.poll() is None

    def test_an_interrupted_initdb_is_begun_again(self, folder: Path) -> None:
        draft = folder / "engines/postgres.draft"
        (draft / "base").mkdir(parents=True)
        (draft / "PG_VERSION").write_text("18\n")
        (folder / "engines").chmod(0o711)
        with Engines.start(folder, durable=False) as running:
            remember(running.owner_url, "whole")
        assert not draft.exists()

    def test_a_start_cut_off_before_the_databases_is_completed(self, folder: Path) -> None:
        with Engines.start(folder, durable=False) as running:
            running.drop_database("orders")
        with Engines.start(folder, durable=False) as again, connect(again.order_database_url) as session:
            assert session.execute("select current_user").fetchone() == ("orders_reader",)

    def test_sockets_that_nobody_removed_are_no_obstacle(self, folder: Path) -> None:
        with Engines.start(folder, durable=False) as running:
            sockets = Path(running.redis_url.removeprefix("unix://").partition("?")[0]).parent
        sockets.mkdir()
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock", "valkey.sock"):
            (sockets / name).write_text(f"{os.getpid()}\n")
        with Engines.start(folder, durable=False) as again:
            remember(again.owner_url, "anew")


class TestInterrupted:
    """Ctrl-C at any moment of a start."""

    # an interrupt inside Popen leaves no object to wait with; the process is found by its arguments and ended
    pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

    @pytest.mark.parametrize("milliseconds", [1, 50, 150, 300, 500, 800])
    def test_leaves_nothing_running(self, folder: Path, milliseconds: int) -> None:
        with pytest.raises(KeyboardInterrupt), interrupted_after(milliseconds):
            with Engines.start(folder, durable=False):
                signal.pause()
        assert engines_on(folder) == []
        with Engines.start(folder, durable=False) as running:
            remember(running.owner_url, "anew")

    def test_when_initdb_has_just_ended(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = signal.signal(signal.SIGCHLD, _interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                Engines.start(folder, durable=False)
        finally:
            signal.signal(signal.SIGCHLD, before)
        assert engines_on(folder) == []
        Engines.start(folder, durable=False).stop()


@contextmanager
def interrupted_after(milliseconds: int) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> Any:
    raise KeyboardInterrupt
