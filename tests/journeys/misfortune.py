"""What goes wrong on a bad day, done to real processes."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import psutil

from provisioning.local import binaries, databases, postgres, valkey
from provisioning.local.databases import Database
from provisioning.local.folder import ELSEWHERE
from provisioning.local.processes import Child
from provisioning.local.world import LocalWorld

WORKER, QUEUES = "orders", "sweeps,orders"
BULK = "bulk"


def kill_worker(world: LocalWorld, dice: Random) -> str:
    """SIGKILL to the whole worker, to its pool process or to its main process; says which."""
    victim = dice.choice(("all of it", "its pool process", "its main process"))
    main = psutil.Process(world.children[WORKER].pid)
    pool = main.children(recursive=True)
    match victim:
        case "all of it":
            world.kill(WORKER)
        case "its pool process":
            for process in pool:
                process.kill()
        case _:
            main.kill()
            world.children.pop(WORKER).wait()
    if victim != "its pool process":
        world.start_worker(WORKER, QUEUES)
    return victim


def kill_both(world: LocalWorld, look: Callable[[], None] = lambda: None) -> None:
    """SIGKILL to the whole worker of orders and to that of bulk work; new ones begin at once.

    `look`: at what they left, while nobody works.
    """
    for name in (WORKER, BULK):
        world.kill(name)
    look()
    world.start_worker(WORKER, QUEUES)
    world.start_worker(BULK, BULK)


def beat_command() -> list[str]:
    return [sys.executable, "-m", "celery", "--app=tasks.app", "--quiet", "beat", "--loglevel=WARNING"]


def pool_of(world: LocalWorld, name: str = WORKER) -> list[psutil.Process]:
    return psutil.Process(world.children[name].pid).children(recursive=True)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process that does not answer and does not end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Engineer:
    """Stops engines of a world and starts them again; `collect` when the world has ended."""

    def __init__(self, world: LocalWorld) -> None:
        self._folder = world.engines._folder
        self._programs = binaries.usable_by(self._folder.account, binaries.installed(), ELSEWHERE)
        self._started: list[Child] = []

    @contextmanager
    def without_postgres(self) -> Iterator[None]:
        """Shut down as for maintenance: whoever is connected is sent away."""
        server = psutil.Process(int((self._folder.postgres / "postmaster.pid").read_text().split()[0]))
        server.send_signal(signal.SIGINT)
        server.wait(15)
        yield
        again = postgres.serve(self._folder, self._programs.postgres, durable=False)
        again.await_ready(lambda: postgres.answers(self._folder))
        self._started.append(again)

    @contextmanager
    def without_valkey(self) -> Iterator[None]:
        """Everything in it is lost."""
        for server in psutil.process_iter(["cmdline"]):
            words = server.info["cmdline"] or []
            if str(self._folder.valkey) in words and "valkey-server" in words[0]:
                server.kill()
                server.wait(15)
        yield
        again = valkey.serve(self._folder, self._programs.valkey)
        again.await_ready(lambda: valkey.answers(self._folder))
        self._started.append(again)

    @contextmanager
    def without_shop(self) -> Iterator[None]:
        """The shop's database lets nobody in."""
        self._let_in(Database.ORDERS, allowed=False)
        yield
        self._let_in(Database.ORDERS, allowed=True)

    def _let_in(self, database: Database, *, allowed: bool) -> None:
        with databases.connected(self._folder) as connection:
            connection.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS {allowed}')
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))

    def collect(self) -> None:
        for child in self._started:
            child.process.wait()
