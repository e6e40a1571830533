"""The application: what is in front of the routes, and the routes themselves."""

from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import APIRoute

from provisioning.bootstrap import Services
from provisioning.web import hooks, observe, refusals
from provisioning.web.access import Access
from provisioning.web.gate import Gate
from provisioning.web.openapi import describe
from provisioning.web.routes import ROUTERS
from provisioning.web.size import Size

_PACKAGE = "licence-provisioning"


class Api(FastAPI):
    """The description is our own: FastAPI knows nothing of the values that services give."""

    def openapi(self) -> dict[str, object]:
        return describe(self, routes_of(self))


def create_app(services: Services) -> FastAPI:
    """Everything over HTTP, on these services. Nothing outside is touched before the first request."""
    app = Api(
        title="Licence provisioning",
        version=version(_PACKAGE),
        openapi_url="/api/openapi.json",
        docs_url=None,  # a page that loads scripts from elsewhere has no place on this host
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    refusals.register(app)
    for router in (observe.router, hooks.router, *ROUTERS):
        app.router.routes.extend(router.routes)  # as they are: `include_router` would hide them from `describe`
    app.add_middleware(Size, most=services.settings.api_body_bytes)
    app.add_middleware(Gate, services=services)
    app.add_middleware(Access)  # added last: outermost
    return app


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Those that are described."""
    return [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
