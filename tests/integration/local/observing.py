"""What the tests of the engines look at from outside: sessions and processes."""

from pathlib import Path
from typing import Any

import psutil
import psycopg

from provisioning.local.engines import Engines

ENGINES = {"postgres", "valkey-server"}


def connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("postgresql+psycopg:", "postgresql:"), autocommit=True)


def remember(url: str, word: str) -> None:
    with connect(url) as session:
        session.execute("create table if not exists kept (word text)")
        session.execute("insert into kept values (%s)", [word])


def recall(url: str) -> set[str]:
    with connect(url) as session:
        return {word for (word,) in session.execute("select word from kept")}


def sockets_of(engines: Engines) -> Path:
    return Path(engines.redis_url.removeprefix("unix://").partition("?")[0]).parent


def engines_on(folder: Path) -> list[psutil.Process]:
    """The processes whose arguments name something inside this folder."""
    place = str((folder / "engines").resolve())
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] in ENGINES and any(word.startswith(place) for word in process.info["cmdline"] or ())
    ]


def server_on(folder: Path) -> psutil.Process:
    """The one PostgreSQL that all sessions of this folder descend from."""
    (server,) = [process for process in engines_on(folder) if process.info["name"] == "postgres"]
    return server


def are_over(engines: list[psutil.Process]) -> bool:
    """Ended, whether or not their parent has collected them."""
    return not any(engine.is_running() and engine.status() != psutil.STATUS_ZOMBIE for engine in engines)
