"""The embedded PostgreSQL as a process; what is in it is the business of `databases`."""

import shutil
import signal
from pathlib import Path

import psycopg

from provisioning.local import databases
from provisioning.local.folder import Folder
from provisioning.local.processes import Child, start

SETTINGS = {
    "listen_addresses": "",  # no TCP
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def prepare(folder: Folder, program: Path, *, durable: bool) -> None:
    """Makes the cluster once; under another name first, so that an interrupted initdb is never in the way."""
    if folder.postgres.exists():
        return
    if folder.postgres_draft.exists():
        shutil.rmtree(folder.postgres_draft)
    folder.make_private(folder.postgres_draft)
    command: list[str | Path] = [program, *_initdb_options(folder, durable=durable)]
    start(command, folder, name="initdb", stop_signal=signal.SIGTERM).await_success()
    folder.postgres_draft.rename(folder.postgres)


def serve(folder: Folder, program: Path, *, durable: bool) -> Child:
    # The folder is locked and nothing runs on it: the number in this file may be anybody's process by now.
    (folder.postgres / "postmaster.pid").unlink(missing_ok=True)
    settings = SETTINGS | {"unix_socket_directories": str(folder.sockets), "cluster_name": folder.name}
    if not durable:
        settings |= FORGETFUL
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command: list[str | Path] = [program, "-D", folder.postgres, "-p", str(databases.PORT), *options]
    return start(command, folder, name="postgres", stop_signal=signal.SIGINT)


def answers(folder: Folder) -> bool:
    try:
        with databases.connected(folder):
            return True
    except psycopg.OperationalError:
        return False


def _initdb_options(folder: Folder, *, durable: bool) -> list[str]:
    options = {
        "username": databases.SUPERUSER,
        "encoding": "UTF8",
        "locale": "C",
        "locale-provider": "builtin",  # the same order of letters on every machine
        "builtin-locale": "C.UTF-8",
        "auth-local": "trust",  # the door is the sockets' folder, which only this account and root can enter
        "auth-host": "reject",
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return ["-D", str(folder.postgres_draft), *words, *([] if durable else ["--no-sync"])]
