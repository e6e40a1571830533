"""The embedded Valkey: broker and quota, nothing that may not be lost."""

import signal
from pathlib import Path

import redis

from provisioning.local.folder import Folder
from provisioning.local.processes import Child, start


def socket_of(folder: Folder) -> Path:
    return folder.sockets / "valkey.sock"


def serve(folder: Folder, program: Path) -> Child:
    if not folder.valkey.exists():
        folder.make_private(folder.valkey)
    command: list[str | Path] = [program, *_settings(folder)]
    return start(command, folder, name="valkey", stop_signal=signal.SIGTERM)


def answers(folder: Folder) -> bool:
    with redis.Redis(unix_socket_path=str(socket_of(folder)), socket_timeout=1) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _settings(folder: Folder) -> list[str]:
    settings = {
        "port": "0",  # no TCP
        "unixsocket": str(socket_of(folder)),
        "unixsocketperm": "700",
        "dir": str(folder.valkey),
        "appendonly": "no",  # the database is the truth: the broker may be flushed at any moment
        "save": "",
        "maxmemory-policy": "noeviction",
        "set-proc-title": "no",  # a left-over is recognised by its arguments
        "daemonize": "no",
    }
    return [word for name, value in settings.items() for word in (f"--{name}", value)]
