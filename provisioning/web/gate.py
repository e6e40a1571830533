"""In front of everything: who is asking, and not too often."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from provisioning.bootstrap import Services
from provisioning.domain.actors import ANONYMOUS, Identity
from provisioning.domain.errors import NotAllowedError, ProvisioningError, UnavailableError
from provisioning.ports import Allowance
from provisioning.web.problems import RefusedError, answer_to, seconds, unauthorised
from provisioning.web.routing import BEHIND

_log = structlog.get_logger(__name__)

_SCHEME = "bearer"


class Gate:
    """Lets nobody through to `/api/v1` without a token, and with one only so often."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_behind(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            identity = await run_in_threadpool(identify, self._services, Headers(scope=scope))
            allowance = await run_in_threadpool(self._take, identity)
        except (ProvisioningError, RefusedError) as error:
            refusal = await run_in_threadpool(self._or_too_often, error)
            await answer_to(refusal)(scope, receive, send)
            return
        scope.setdefault("state", {})["identity"] = identity
        await self._app(scope, receive, _with(send, allowance) if allowance else send)

    def _or_too_often(self, error: ProvisioningError | RefusedError) -> ProvisioningError | RefusedError:
        """Whoever has no valid token is counted too, all of them as one: tokens are not to be guessed at any speed."""
        if isinstance(error, RefusedError) and error.status is HTTPStatus.UNAUTHORIZED:
            try:
                self._take(ANONYMOUS)
            except RefusedError as spent:
                return spent
        return error

    def _take(self, identity: Identity) -> Allowance | None:
        """None when nobody counts: an API that stands still because Redis does would be the greater harm."""
        try:
            allowance = self._services.rate_limit.take(identity.actor)
        except UnavailableError as error:
            _log.warning("api.rate_limit_away", actor=identity.actor, why=str(error))
            return None
        if allowance.is_spent:
            wait = seconds(allowance.resets_in)
            headers = _told(allowance) | {"Retry-After": wait}
            sentence = f"{identity.actor} may ask {allowance.limit:,} times a minute; wait {wait} s."
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, "too-often", sentence, headers)
        return allowance


def identify(services: Services, headers: Mapping[str, str]) -> Identity:
    """Raises RefusedError (401) unless there is a valid token."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        raise unauthorised("This takes a token: send `Authorization: Bearer …`; an administrator makes one.")
    try:
        identity = services.authenticate(token.strip())
    except NotAllowedError as error:
        raise unauthorised(str(error)) from None
    if identity == ANONYMOUS:
        raise unauthorised("This token is nobody's.")
    return identity


def _is_behind(path: str) -> bool:
    return path == BEHIND or path.startswith(BEHIND + "/")


def _told(allowance: Allowance) -> dict[str, str]:
    """As in draft-ietf-httpapi-ratelimit-headers before they became structured: what clients read today."""
    return {
        "RateLimit-Limit": str(allowance.limit),
        "RateLimit-Remaining": str(max(allowance.remaining, 0)),
        "RateLimit-Reset": seconds(allowance.resets_in),
    }


def _with(send: Send, allowance: Allowance) -> Send:
    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_told(allowance))
        await send(message)

    return telling
