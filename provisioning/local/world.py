"""A whole world on this machine: engines, the twin of Graph, and workers. For demo, up, rehearsals and tests."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec

from config.clock import clock_from
from config.settings import Settings, load_settings
from provisioning.audit.note import SignerKey
from provisioning.bootstrap import Services
from provisioning.database import order_database
from provisioning.database.migrate import upgrade
from provisioning.local.databases import Role
from provisioning.local.engines import Engines
from provisioning.local.errors import EnginesError
from provisioning.local.interrupts import undisturbed
from provisioning.local.processes import tied
from provisioning.local.sandbox import SandboxProcess

APP = "3b9d5c62-0e6e-4c8e-9a35-6f2b7a1c0a01"  # our application, as the twin knows it
_WORKER = ("worker", "--concurrency=1", "--without-gossip", "--without-mingle", "--without-heartbeat")
_BEAT = "beat"
_NO_WORKERS = (_BEAT, "api")
_READY = b" ready."  # what Celery logs once a worker takes messages
_READY_WITHIN, _LOOK_EVERY = 60.0, 0.1  # seconds
_GRACE = 30.0  # seconds for a worker to finish its chunk
# Celery says it for the sake of pickle, which we do not accept, and on standard error, where every line is JSON.
_AS_ROOT = "ignore:You're running the worker with superuser privileges"


class WorldOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`settings` are further settings of the service by field name; `seed` a seed file of the twin.

    `not_before`: a moment (Unix seconds) that the clocks of this world have passed already.
    """

    seed: Path | None = None
    profile: str | None = None
    random_seed: int = 1
    port: int = 0
    lag_seconds: float = 0.0
    clock_factor: float = 1.0
    durable: bool = True
    not_before: float = 0.0
    settings: Mapping[str, Any] = {}


class LocalWorld:
    """Everything that runs, and the environment that tells processes where. Ends what it started, newest first."""

    engines: Engines
    sandbox: SandboxProcess
    environment: dict[str, str]

    def __init__(self, folder: Path, options: WorldOptions | None = None) -> None:
        self.folder = folder.resolve()
        self.options = options or WorldOptions()
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, Sequence[str]] = {}
        self._last_words: dict[str, int] = {}  # how long the log of each was when it was started
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Raises EnginesError or ConfigurationError; whatever was started by then is ended."""
        with ExitStack() as stack:
            self.engines = stack.enter_context(Engines.start(self.folder, durable=self.options.durable))
            upgrade(self.engines.owner_url, Role.SERVICE)
            order_database.create(self.engines.order_owner_url, reader=Role.ORDERS_READER)
            self.sandbox = SandboxProcess()
            self.sandbox.start(self.folder / "sandbox", **self._sandbox_options())
            stack.callback(self.sandbox.stop)
            self._catch_up()
            self.environment = self._environment()
            stack.callback(self.stop_children)
            self._running = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with undisturbed():
            self._running.close()

    def _sandbox_options(self) -> dict[str, Any]:
        options = self.options
        chosen = {"seed": options.seed, "profile": options.profile}
        return {
            "random_seed": options.random_seed,
            "port": options.port,
            "lag": options.lag_seconds,
            "clock_factor": options.clock_factor,
            **{name: value for name, value in chosen.items() if value is not None},
        }

    def _catch_up(self) -> None:
        """Time goes on from where an earlier run of this world left it; it never goes back."""
        ahead = self.options.not_before - float(self.sandbox.control.clock()["now"])
        if ahead <= 0:
            return
        if self.options.clock_factor == 1:
            raise EnginesError(
                f"The clocks of the world in {self.folder} are {ahead / 3600:.1f} hours ahead of real time: "
                "start it with a clock factor above 1, or name another folder."
            )
        self.sandbox.control.set_clock(advance=ahead)

    # ── settings ─────────────────────────────────────────────────────────────────────────────────────────

    def _environment(self) -> dict[str, str]:
        sandbox = self.sandbox
        return {
            "DATABASE_URL": self.engines.database_url,
            "REDIS_URL": self.engines.redis_url,
            "ORDER_DATABASE_URL": self.engines.order_database_url,
            "PROVISIONING_OWNER_DATABASE_URL": self.engines.owner_url,
            "PROVISIONING_ORDER_DESK_DATABASE_URL": self.engines.order_owner_url,
            "PROVISIONING_REALM": "sandbox",
            "PROVISIONING_COLLECT_SECONDS": "0.5",
            "PROVISIONING_GRAPH_CLIENT_ID": APP,
            "PROVISIONING_GRAPH_CLIENT_SECRET": self._kept("client-secret", lambda: secrets.token_urlsafe(24)),
            "PROVISIONING_GRAPH_BASE_URL": sandbox.graph_url,
            "PROVISIONING_GRAPH_AUTHORITY": f"https://{sandbox.authority}",
            "PROVISIONING_GRAPH_CA_FILE": str(sandbox.ca_file),
            "PROVISIONING_CONSENT_KEY": self._kept("consent-key", lambda: secrets.token_urlsafe(32)),
            "PROVISIONING_CONSENT_REDIRECT_URL": "https://localhost/consented",
            "PROVISIONING_CHECKPOINT_FOLDER": str(self.folder / "checkpoints"),
            "PROVISIONING_CHECKPOINT_KEY_FILE": str(self._signing_key()),
            **self._time(),
            **{f"PROVISIONING_{name.upper()}": str(value) for name, value in self.options.settings.items()},
        }

    def _time(self) -> dict[str, str]:
        """The service's clock, in step with the twin's."""
        factor = self.options.clock_factor
        if factor == 1:
            return {}
        real, theirs = datetime.now(UTC).timestamp(), float(self.sandbox.control.clock()["now"])
        origin = datetime.fromtimestamp((theirs - factor * real) / (1 - factor), UTC)
        return {"PROVISIONING_CLOCK_FACTOR": str(factor), "PROVISIONING_CLOCK_ORIGIN": origin.isoformat()}

    def skip(self, seconds: float) -> None:
        """So much time passes at once, in the twin and in everything that runs here; needs a clock factor above 1.

        A process keeps the time it began with, so those that run are started anew, and find whatever came due in
        between. `services` of before are of no use. Hurried, each round of a month would have to be made in seconds.
        """
        running = {name: self._commands[name] for name in self.children}
        self.stop_children()
        later = clock_from(self._settings()).now().timestamp() + seconds
        self.options = msgspec.structs.replace(self.options, not_before=later)
        self._catch_up()
        self.environment |= self._time()
        for name, command in running.items():
            self.start(name, command)

    def _kept(self, name: str, make: Any) -> str:
        """A secret of this world, the same at the next start."""
        file = self.folder / "secrets" / name
        if not file.exists():
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(make())
        return file.read_text()

    def _signing_key(self) -> Path:
        self._kept("checkpoint-key", lambda: SignerKey("provisioning.local", secrets.token_bytes(32)).reveal())
        return self.folder / "secrets" / "checkpoint-key"

    def services(self) -> Services:
        """The use cases in this process, over the same engines; closed with the world."""
        services = Services(self._settings())
        self._running.callback(services.close)
        return services

    def _settings(self) -> Settings:
        known = {name.removeprefix("PROVISIONING_"): value for name, value in self.environment.items()}
        return load_settings(**{_field(name): value for name, value in known.items()})

    # ── workers ──────────────────────────────────────────────────────────────────────────────────────────

    def start_workers(self, *, bulk: bool = True) -> None:
        """One process for orders and rounds, one for bulk work, one that keeps the time."""
        self.start_worker("orders", "sweeps,orders")
        if bulk:
            self.start_worker("bulk", "bulk")
        self.start(_BEAT, _celery("beat", "--loglevel=WARNING"))

    def start_worker(self, name: str, queues: str) -> None:
        self.start(name, _celery(*_WORKER, f"--queues={queues}", f"--hostname={name}@%h"))

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """A child in a session of its own (Ctrl-C is for us, who stop it in order), with its log in the folder."""
        self._commands[name] = command
        logs = self.folder / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / f"{name}.log").open("ab") as log:
            self._last_words[name] = log.seek(0, os.SEEK_END)
            self.children[name] = subprocess.Popen(  # noqa: S603  our own interpreter
                tied(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # what Celery says to people; events go to standard error
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        return self.children[name]

    def await_workers(self) -> None:
        """Until each worker that was started takes messages. Raises EnginesError when one does not."""
        deadline, pause = time.monotonic() + _READY_WITHIN, threading.Event()
        while waiting := [name for name in self.children if name not in _NO_WORKERS and not self._is_ready(name)]:
            if time.monotonic() > deadline or self.ended_by_themselves():
                raise EnginesError(f"{', '.join(waiting)} did not begin to work. Logs are in {self.folder / 'logs'}.")
            pause.wait(_LOOK_EVERY)

    def _is_ready(self, name: str) -> bool:
        with (self.folder / "logs" / f"{name}.log").open("rb") as log:
            log.seek(self._last_words[name])
            return _READY in log.read()

    def ended_by_themselves(self) -> list[str]:
        """The names of processes that should run and do not."""
        gone = [name for name, child in self.children.items() if child.poll() is not None]
        return gone if self.sandbox.is_running else [*gone, "sandbox"]

    def kill(self, name: str) -> None:
        """The whole session at once, as a power cut would."""
        child = self.children.pop(name)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def stop_children(self) -> None:
        """SIGTERM lets a worker finish its chunk; who lingers is killed."""
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(_GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        self.children.clear()


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-W", _AS_ROOT, "-m", "celery", "--app=tasks.app", "--quiet", *arguments]


_ALIASED = {"DATABASE_URL", "REDIS_URL", "ORDER_DATABASE_URL"}


def _field(name: str) -> str:
    return name if name in _ALIASED else name.lower()
