"""How a function becomes a route: what it returns is JSON, and what it does is done once for each Idempotency-Key."""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from provisioning.bootstrap import Services
from provisioning.ports import KeptAnswer
from provisioning.services.paging import Page
from provisioning.web.kept import bare
from provisioning.web.problems import RefusedError
from provisioning.web.refusals import changed_nothing

BEHIND = "/api/v1"  # a token
KEY_HEADER = "Idempotency-Key"
_REPLAYED = {"Idempotency-Replayed": "true"}
_NUL_IN_JSON = rb"\u0000"  # no text of ours holds it, and no database keeps it

_Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class JsonAnswer(Response):
    """`kept` is what a repetition of the request gets: the same, without what is shown only once.

    `following`: the cursor of the next page, of a list that has one.
    """

    media_type = "application/json"

    def __init__(self, value: object) -> None:
        super().__init__(msgspec.json.encode(value))
        self.kept = msgspec.json.encode(bare(value))
        self.following = value.next if isinstance(value, Page) else None


class Route(APIRoute):
    """The return annotation of the function is the schema of its answer (see `openapi`)."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["response_model"] = None
        super().__init__(path, _answering(endpoint), **options)

    def get_route_handler(self) -> _Handle:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            body = await request.body()
            _refuse_nul(request, body)
            has_keys = request.method == "POST" and hasattr(request.state, "identity")
            key = request.headers.get(KEY_HEADER) if has_keys else None
            answer = await (handle(request) if key is None else _once(request, body, key, handle))
            if isinstance(answer, JsonAnswer) and answer.following:
                answer.headers["Link"] = f'<?{_query(request, answer.following)}>; rel="next"'
            return answer

        return guarded


def router(noun: str) -> APIRouter:
    """The routes about one thing."""
    return APIRouter(prefix=f"{BEHIND}/{noun}", tags=[noun], route_class=Route)


def _answering(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(endpoint):

        @wraps(endpoint)
        async def later(**given: Any) -> Response:
            return _answer(await endpoint(**given))

        return later

    @wraps(endpoint)
    def now(**given: Any) -> Response:
        return _answer(endpoint(**given))

    return now


def _answer(value: object) -> Response:
    return value if isinstance(value, Response) else JsonAnswer(value)


def _query(request: Request, cursor: str) -> str:
    """The same list, from there on."""
    return request.url.remove_query_params("cursor").include_query_params(cursor=cursor).query


def _refuse_nul(request: Request, body: bytes) -> None:
    address = request.url.path + unquote(request.url.query)
    if "\x00" in address or "%00" in address or b"\x00" in body or _NUL_IN_JSON in body:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "malformed", "What was sent holds a NUL character; leave it out.")


async def _once(request: Request, body: bytes, key: str, handle: _Handle) -> Response:
    services: Services = request.app.state.services
    identity, digest = request.state.identity, _digest(request, body)
    found = await run_in_threadpool(services.only_once.claim, identity, key, digest)
    if found is not None:
        return _replay(found)
    return await _first(
        lambda: handle(request),
        lambda answer: run_in_threadpool(services.only_once.keep, identity, key, answer.status_code, answer.kept),
        lambda: run_in_threadpool(services.only_once.release, identity, key),
    )


async def _first(
    work: Callable[[], Awaitable[Response]],
    keep: Callable[[JsonAnswer], Awaitable[None]],
    release: Callable[[], Awaitable[None]],
) -> Response:
    """What is refused changed nothing, and its key is free. After a fault nobody knows, so the key stays taken."""
    try:
        answer = await work()
    except Exception as error:
        if changed_nothing(error):
            await release()
        raise
    await (keep(answer) if isinstance(answer, JsonAnswer) else release())
    return answer


def _replay(found: KeptAnswer) -> Response:
    return Response(found.body, found.status or HTTPStatus.OK, _REPLAYED, JsonAnswer.media_type)


def _digest(request: Request, body: bytes) -> str:
    """Of all that says what is asked; length by length, so that no two requests read the same."""
    parts = (request.method.encode(), request.url.path.encode(), request.url.query.encode(), body)
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()
