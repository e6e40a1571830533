"""The HTTPS server: one socket for the token endpoint, Graph and the control API."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from provisioning.sandbox import control
from provisioning.sandbox.batch import BATCH, Batch
from provisioning.sandbox.control import Control
from provisioning.sandbox.entra import Entra
from provisioning.sandbox.errors import ConnectionDroppedError, GraphError, no_such_route, wrong_method
from provisioning.sandbox.graph import Graph, faulty_response, id_headers, new_author, refusal
from provisioning.sandbox.identity import TokenIssuer
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.wire import Request, Response
from provisioning.sandbox.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

VERSION_ROOT = "/v1.0"
log = logging.getLogger(__name__)


class Protocol(HttpToolsProtocol):
    """Tells the application which connection a request came in on, so that a fault can cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


class Application:
    """The ASGI application: everything it does is done before it yields, so writes never interleave."""

    def __init__(self, world: World, control_token: str) -> None:
        self.world = world
        issuer = TokenIssuer()
        self._graph = Graph(world, issuer)
        self._entra = Entra(world, issuer)
        self._control = Control(world, control_token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            return
        request = _request(scope, body)
        is_graph = request.path.startswith(VERSION_ROOT)
        try:
            response = self._answer_or_fail(request)
        except ConnectionDroppedError:
            scope["state"]["transport"].abort()
            return
        if is_graph and self.world.switches.latency_seconds:
            await asyncio.sleep(self.world.switches.latency_seconds)
        await _send(send, response)

    def _answer_or_fail(self, request: Request) -> Response:
        try:
            with self.world.clock.held():
                return self._answer(request)
        except ConnectionDroppedError:
            raise
        except Exception:
            # A mistake of the twin itself: say so in its log, and go on serving.
            log.exception("request failed", extra={"method": request.method})
            return refusal(GraphError(500, "UnknownError", "The sandbox made a mistake."), new_author(request))

    def _answer(self, request: Request) -> Response:
        if request.path.startswith(f"{VERSION_ROOT}/"):
            # Kiota's default root ends in a slash, and so its addresses have two.
            request.path = "/" + request.path.removeprefix(VERSION_ROOT).lstrip("/")
            return self._batch(request) if request.path == "/$batch" else self._graph.answer(request)
        if request.path.startswith(f"{control.PREFIX}/"):
            return self._control.answer(request)
        return self._entra.answer(request) or refusal(no_such_route(request.path.strip("/")), new_author(request))

    def _batch(self, request: Request) -> Response:
        author = new_author(request)
        try:
            response = self._envelope(request, author)
        except GraphError as error:
            response = refusal(error, author)
        response.headers = {**response.headers, **id_headers(author)}
        return response

    def _envelope(self, request: Request, author: Author) -> Response:
        if request.method != "POST":
            raise wrong_method()
        caller = self._graph.call(request)
        if units := self.world.switches.batch_resource_units:
            self._graph.charge(caller, self.world.tenants[caller.tenant_id], units)
        fault = self.world.faults.pick(caller.tenant_id, BATCH)
        if fault and not fault.applied:
            return faulty_response(fault, author)
        response = Batch(self._graph, request, caller).answer()
        return faulty_response(fault, author) if fault else response


def _request(scope: Scope, body: bytes) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], scope["path"], query, headers, body, headers.get("host", "localhost"))


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when the client went away while sending it."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _send(send: Send, response: Response) -> None:
    headers = {"Content-Length": str(len(response.body)), **response.headers}
    if response.status == 204:  # noqa: PLR2004 - no body, so no length either
        del headers["Content-Length"]
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": response.body})


def bind(port: int) -> socket.socket:
    """A socket on this machine's loopback address; port 0 picks a free one. Raises OSError when it is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        raise
    return bound


class Server(uvicorn.Server):
    """Calls `on_listening` once connections are accepted."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT; uvicorn's own way would raise the signal again after a clean end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_listening()


def make_server(application: Application, certificate: Path, key: Path, on_listening: Callable[[], None]) -> Server:
    """A server for a bound socket."""
    config = uvicorn.Config(
        application,
        http=Protocol,
        ws="none",
        loop="uvloop",
        lifespan="off",
        interface="asgi3",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    return Server(config, on_listening)
