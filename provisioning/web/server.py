"""Serves the API until it is asked to stop; what was begun is ended in order."""

import socket
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import structlog
import uvicorn

from provisioning.bootstrap import Services
from provisioning.domain.errors import ConfigurationError, InputError
from provisioning.web.app import create_app

_log = structlog.get_logger(__name__)

_LAST_REQUESTS = timedelta(seconds=30)  # the longest statement of ours takes no longer
_BACKLOG = 2048  # connections that wait to be taken
_IDLE = timedelta(seconds=15)


def serve(services: Services, host: str, port: int, tell: Callable[[str], None]) -> None:
    """Until SIGINT or SIGTERM. `tell` gets the address once it is ours.

    Raises ConfigurationError when the port is taken, InputError for a host that is none of this machine's.
    """
    with closing(_bound(host, port)) as listening:
        tell(_address(listening))
        _server(services).run(sockets=[listening])


def _server(services: Services) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            create_app(services),
            log_config=None,  # ours is configured already, and logs each request without its address
            access_log=False,
            server_header=False,
            proxy_headers=False,  # no address of a client is used for anything
            lifespan="off",
            timeout_graceful_shutdown=int(_LAST_REQUESTS.total_seconds()),
            timeout_keep_alive=int(_IDLE.total_seconds()),
        )
    )


def _bound(host: str, port: int) -> socket.socket:
    """Before anything is announced: uvicorn itself would only log that it could not, and end."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except socket.gaierror:
        listening.close()
        raise InputError(f"{host} is no address of this machine; give --host an address such as 127.0.0.1.") from None
    except OSError as error:
        listening.close()
        raise ConfigurationError(
            f"Port {port} of {host} cannot be had: {error.strerror}. Another process may listen there already; "
            "end it, or choose another with --port."
        ) from None
    return listening


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
