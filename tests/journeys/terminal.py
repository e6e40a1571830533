"""Commands as a person types them, and what is left of them afterwards."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

PROVISIONING = [str(Path(sys.executable).with_name("provisioning"))]
QUICKLY = 60.0  # seconds


class Typed:
    """A command that runs; its output is read from files, so that it never waits for us."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._out, self._err = folder / "typed.out", folder / "typed.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            environment = {**os.environ, "TMPDIR": str(folder), "COLUMNS": "80"}
            self.process = subprocess.Popen([*PROVISIONING, *words], stdout=out, stderr=err, env=environment)

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    @property
    def complaint(self) -> str:
        """What it said on standard error, however it was broken into lines."""
        return " ".join(self.err.split())

    def ended(self, within: float) -> int:
        try:
            return self.process.wait(within)
        finally:
            self.process.kill()

    def says(self, text: str, within: float) -> None:
        """Wait for a text; what was said instead is the failure."""
        deadline, pause = time.monotonic() + within, threading.Event()
        while text not in self.out:
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"never said {text!r}:\n{self.out}\n{self.err}")
            pause.wait(0.05)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)


def running_in(folder: Path) -> list[str]:
    """Processes that have the folder on their command line; it takes a moment until the last is gone."""
    told = str(folder)
    deadline, pause = time.monotonic() + 10, threading.Event()
    found = _with(told)
    while found and time.monotonic() < deadline:
        pause.wait(0.1)
        found = _with(told)
    return found


def _with(told: str) -> list[str]:
    lines = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if told in line]
