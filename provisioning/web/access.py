"""Around everything: headers that keep browsers careful, one log line for each request, and no fault without a word."""

import time
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from provisioning.web.refusals import fault

_log = structlog.get_logger(__name__)

_QUIET = ("/healthz", "/readyz", "/metrics")  # asked every few seconds by machines
# Hardly anything here is a page, no cache may keep any of it, and no other site may ask in a reader's name (no CORS).
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


# A page of ours has its style in itself, and nothing else.
_POLICY_OF_PAGES = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class Access:
    """The outermost layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        watched = _Watched(send)
        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            # the process serves others too, so it goes on; an answer that had begun can only be broken off
            if watched.status is not None:
                raise
            await fault(error)(scope, receive, watched)
        finally:
            if scope["path"] not in _QUIET:
                _log.info("api.asked", **_told(scope, watched))


class _Watched:
    """Sends on, with our headers, and remembers the status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = time.monotonic()
        self.request = uuid4().hex
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.update(SECURITY_HEADERS)
            if headers.get("content-type", "").startswith("text/html"):
                headers["Content-Security-Policy"] = _POLICY_OF_PAGES
            headers["X-Request-Id"] = self.request
        await self._send(message)


def _told(scope: Scope, watched: _Watched) -> dict[str, Any]:
    """The route, not the address: an address may hold anything, a person's name too."""
    identity = scope.get("state", {}).get("identity")
    return {
        "request": watched.request,
        "method": scope["method"],
        "route": getattr(scope.get("route"), "path", None),
        "status": watched.status,
        "actor": identity.actor if identity else None,
        "ms": round((time.monotonic() - watched.begun) * 1000),
    }
