"""A machine whose name resolution takes the twin for Microsoft: loaded by Python itself, before any client.

Only names and ports are turned, nothing of any client is touched. Every other name is unknown: nothing leaves here.
"""

import os
import socket
from typing import Any

TWIN = ("127.0.0.1", int(os.environ["TWIN_PORT"]))
MICROSOFT = {"graph.microsoft.com", "login.microsoftonline.com"}

_getaddrinfo, _connect = socket.getaddrinfo, socket.socket.connect


def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in {*MICROSOFT, "127.0.0.1"}:
        raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {name}")
    return _getaddrinfo("127.0.0.1", *arguments, **options)


def connect(self: socket.socket, address: Any) -> None:
    _connect(self, TWIN if address == ("127.0.0.1", 443) else address)


socket.getaddrinfo = getaddrinfo
socket.socket.connect = connect  # type: ignore[method-assign]
