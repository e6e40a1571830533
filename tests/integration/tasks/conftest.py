import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from config.settings import SECRETS_FOLDER
from provisioning.audit.note import SignerKey
from provisioning.broker.connection import connect
from provisioning.local.engines import Engines

Start = Callable[..., "Process"]


class Process:
    """A real worker or scheduler, with what it logs."""

    def __init__(self, words: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            command = [sys.executable, "-m", "celery", "--app=tasks.app", *words]
            self._popen = subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    @property
    def has_ended(self) -> bool:
        return self._popen.poll() is not None

    def wait(self, seconds: float = 60) -> int:
        return self._popen.wait(seconds)

    def terminate(self) -> int:
        """Ask it to stop, as an operating system does, and return its exit code."""
        self._popen.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.wait()


@pytest.fixture
def environment(engines: Engines, engine: Engine, tmp_path: Path) -> dict[str, str]:
    """A complete sandbox installation: an empty database, an empty broker, a key that signs checkpoints."""
    key = tmp_path / "checkpoint-key"
    key.write_text(SignerKey("log.test", bytes(32)).reveal())
    with connect(engines.redis_url) as redis:
        redis.flushdb()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PROVISIONING_")},
        SECRETS_FOLDER: str(tmp_path / "none"),
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "REDIS_URL": engines.redis_url,
        "PROVISIONING_REALM": "sandbox",
        "PROVISIONING_GRAPH_BASE_URL": "https://localhost:1/v1.0",  # where nobody listens
        "PROVISIONING_GRAPH_AUTHORITY": "https://localhost:1",
        "PROVISIONING_GRAPH_CLIENT_ID": "9d0a2b0e-0000-4000-8000-000000000001",
        "PROVISIONING_GRAPH_CLIENT_SECRET": "opens-nothing",
        "PROVISIONING_CHECKPOINT_FOLDER": str(tmp_path / "checkpoints"),
        "PROVISIONING_CHECKPOINT_KEY_FILE": str(key),
    }


@contextmanager
def _started(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    running: list[Process] = []

    def start(*words: str, **changed: str) -> Process:
        process = Process(list(words), {**environment, **changed}, tmp_path / f"{len(running)}.log")
        running.append(process)
        return process

    try:
        yield start
    finally:
        for process in running:
            process.kill()


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start `celery` with these words; whatever still runs at the end is killed."""
    with _started(environment, tmp_path) as started:
        yield started
