"""How the service is watched by machines: alive, ready, and in figures."""

import hmac
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import SecretStr
from starlette.datastructures import Headers

from provisioning.bootstrap import Services
from provisioning.services.check_readiness import PartReady
from provisioning.web.exposition import exposition
from provisioning.web.gate import identify
from provisioning.web.problems import RefusedError
from provisioning.web.routing import Route

router = APIRouter(tags=["watching"], route_class=Route)

_FIGURES = "text/plain; version=0.0.4; charset=utf-8"
_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"description": "Something is lacking; the answer says what."}}
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
    401: {"description": "Without a token."},
    403: {"description": "Clients do not read figures."},
}


class Alive(msgspec.Struct, frozen=True):
    status: str = "alive"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    is_ready: bool
    parts: list[PartReady]


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Served = Annotated[Services, Depends(_services)]


@router.get("/healthz")
async def healthz() -> Alive:
    """The process lives. It looks at nothing else and waits for no thread: a restart repairs only this."""
    return Alive()


@router.get("/readyz", responses=_NOT_READY)
def readyz(services: Served) -> Readiness | Response:
    """Whether requests may be sent here: database, schema, realm, broker, and the rules in force."""
    parts = services.check_readiness()
    found = Readiness(is_ready=all(part.is_ready for part in parts), parts=parts)
    if found.is_ready:
        return found
    return Response(msgspec.json.encode(found), HTTPStatus.SERVICE_UNAVAILABLE, media_type="application/json")


@router.get("/metrics", responses=_TEXT)
def metrics(request: Request, services: Served) -> Response:
    """Figures in Prometheus' text format; for a person's token or the scrape token."""
    _require_reader(services, request.headers)
    return Response(exposition(services.measure_quota(), services.measure_service()), media_type=_FIGURES)


def _require_reader(services: Services, headers: Headers) -> None:
    if _is_scraper(services.settings.scrape_token, headers):
        return
    if not identify(services, headers).is_person:
        raise RefusedError(HTTPStatus.FORBIDDEN, "not-allowed", "Figures are for people of ours and the scraper.")


def _is_scraper(token: SecretStr | None, headers: Headers) -> bool:
    if token is None:
        return False
    expected = f"Bearer {token.get_secret_value()}"
    return hmac.compare_digest(expected.encode(), headers.get("authorization", "").encode())
