"""Starting, awaiting and stopping the engines as children of this process."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import psutil

from provisioning.local import tether
from provisioning.local.errors import EnginesError
from provisioning.local.folder import Folder

READY_PATIENCE = timedelta(seconds=60)  # PostgreSQL may have an hour of somebody's changes to replay after a power cut
STOP_PATIENCE = timedelta(seconds=15)  # a fast shutdown writes at most 128 MB of buffers
BETWEEN_LOOKS = timedelta(milliseconds=10)
LINES_SHOWN = 12
PROGRAMS = {"postgres", "initdb", "valkey-server"}


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """One program in the foreground; its log is what a failure quotes."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: signal.Signals
    log: Path

    def await_ready(self, answers: Callable[[], bool]) -> None:
        """Raises EnginesError, with the end of the log, when it ends or stays silent."""
        deadline = time.monotonic() + READY_PATIENCE.total_seconds()
        while not answers():
            if self.process.poll() is not None:
                raise EnginesError(f"{self.name} ended while starting.\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise EnginesError(f"{self.name} did not answer within {READY_PATIENCE}.\n{self._last_words()}")
            time.sleep(BETWEEN_LOOKS.total_seconds())

    def await_success(self) -> None:
        """Raises EnginesError, with the end of the log, when it fails."""
        try:
            status = self.process.wait(READY_PATIENCE.total_seconds())
        except subprocess.TimeoutExpired:
            raise EnginesError(f"{self.name} did not end within {READY_PATIENCE}.\n{self._last_words()}") from None
        if status != 0:
            raise EnginesError(f"{self.name} failed.\n{self._last_words()}")

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
        return "\n".join([f"The end of {self.log}:", *lines])


def start(command: Sequence[str | Path], folder: Folder, *, name: str, stop_signal: signal.Signals) -> Child:
    """Runs `command` as the engines' account, in a session of its own: Ctrl-C is for us, who stop it in order."""
    log = folder.log(name)
    if log.exists():
        log.rename(log.with_suffix(".previous.log"))
    log.touch(mode=0o600)  # statements of a failed transaction may end up in it
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  absolute path of our own engines
            [*_tether(folder, stop_signal), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder.path,
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},  # nobody's PGDATA or PGOPTIONS
            start_new_session=True,
        )
    return Child(name=name, process=process, stop_signal=stop_signal, log=log)


def stop(folder: Folder, children: Sequence[Child] = ()) -> None:
    """Ends our `children` and whatever else runs on this folder, gently and in the end by force."""
    for child in children:
        child.process.send_signal(child.stop_signal)
    _end_strangers(folder, children)
    for child in children:
        _collect(child)
    for left_over in _find(folder, _is_server, _is_orphan):
        _send(left_over, signal.SIGKILL)
        _await_end([left_over])


def _end_strangers(folder: Folder, children: Sequence[Child]) -> None:
    ours = {child.process.pid for child in children}
    strangers = [server for server in _find(folder, _is_server) if server.pid not in ours]
    for server in strangers:
        _send(server, _gentle(server, folder))
    _await_end(strangers)


def _collect(child: Child) -> None:
    # By its handle: in the moment when a process becomes another program, the system shows no arguments to find it by.
    try:
        child.process.wait(STOP_PATIENCE.total_seconds())
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()


def tied(command: Sequence[str]) -> list[str]:
    """The command as a child that is asked to end when this process ends, however that comes about."""
    return [*_tether_as(os.geteuid(), os.getegid(), signal.SIGTERM), *command]


def _tether(folder: Folder, stop_signal: signal.Signals) -> list[str]:
    return _tether_as(folder.account.uid, folder.account.gid, stop_signal)


def _tether_as(uid: int, gid: int, stop_signal: signal.Signals) -> list[str]:
    # For the kernel the parent is the thread that started the child: if that ends early, the engine must stay.
    is_lasting = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
    parent = os.getpid() if is_lasting else tether.NO_PARENT
    return [sys.executable, "-I", "-S", tether.__file__, *map(str, (parent, int(stop_signal), uid, gid))]


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _await_end(processes: Iterable[psutil.Process]) -> None:
    deadline = time.monotonic() + STOP_PATIENCE.total_seconds()
    while any(map(_is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(BETWEEN_LOOKS.total_seconds())


def _is_alive(process: psutil.Process) -> bool:
    """A dead process that its parent does not collect, such as the first process of a container, is not alive."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _find(folder: Folder, *marks: Callable[[list[str], Folder], bool]) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if (command := process.info["cmdline"]) and any(mark(command, folder) for mark in marks)
    ]


def _is_server(command: list[str], folder: Folder) -> bool:
    """By what it runs on: a number in a file may long since be another's process."""
    is_engine = Path(command[0]).name in PROGRAMS or tether.__file__ in command
    return is_engine and any(str(place) in command for place in (folder.postgres, folder.postgres_draft, folder.valkey))


def _is_orphan(command: list[str], folder: Folder) -> bool:
    """A session that outlived its PostgreSQL; it has put `cluster_name` where its arguments were."""
    return " ".join(command).startswith(f"postgres: {folder.name}:")


def _gentle(server: psutil.Process, folder: Folder) -> signal.Signals:
    # PostgreSQL waits for its sessions to leave on SIGTERM, and ends them on SIGINT
    return signal.SIGINT if str(folder.postgres) in server.info["cmdline"] else signal.SIGTERM
