"""No request is larger than is allowed: what is too much is not read to its end."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from provisioning.web.problems import RefusedError, answer_to


class Size:
    """Counts what comes in, whatever the request says of its length."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        if told.isdecimal() and int(told) > self._most:
            await answer_to(self._too_large())(scope, receive, send)
            return
        await self._app(scope, self._counting(receive), send)

    def _counting(self, receive: Receive) -> Receive:
        so_far = 0

        async def counted() -> Message:
            nonlocal so_far
            message = await receive()
            so_far += len(message.get("body", b""))
            if so_far > self._most:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> RefusedError:
        sentence = f"What was sent has more than {self._most:,} bytes; send it in parts, each of them whole in itself."
        return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", sentence, {"Connection": "close"})
