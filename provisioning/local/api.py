"""The API of a world on this machine, as a process beside its workers."""

import socket
import sys

from provisioning.local.errors import EnginesError
from provisioning.local.world import LocalWorld

_NAME = "api"
_HERE = "127.0.0.1"
_COMMAND = "from provisioning.cli.entry import main; main()"


def start_api(world: LocalWorld, port: int) -> str:
    """Its address. Raises EnginesError when the port is taken; a free one is chosen for 0.

    It is announced before it answers: workers take as long to begin.
    """
    chosen = _free(port)
    command = (sys.executable, "-c", _COMMAND, "serve", f"--host={_HERE}", f"--port={chosen}")
    world.start(_NAME, command)
    return f"http://{_HERE}:{chosen}"


def _free(port: int) -> int:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((_HERE, port))
        except OSError as error:
            raise EnginesError(f"Port {port} cannot be had for the API: {error.strerror}. Choose another.") from None
        return int(tried.getsockname()[1])
