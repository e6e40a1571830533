"""Consent: the administrator's page, and what it grants (learn.microsoft.com: "Grant tenant-wide admin consent")."""

import uuid
from urllib.parse import urlencode

from provisioning.sandbox.model import ServicePrincipal
from provisioning.sandbox.tenants import App, Tenant
from provisioning.sandbox.wire import Request, Response
from provisioning.sandbox.world import World

_UNKNOWN = Response(
    400, b"The tenant, the application or the redirect address is unknown.", {"Content-Type": "text/plain"}
)


def consent_page(world: World, authority: str, request: Request) -> Response:
    """An administrator who agrees at once: the app gets the permissions it asks for and the browser goes back."""
    options = request.options
    tenant, app = world.find_tenant(authority), world.apps.get(options.get("client_id", "").lower())
    redirect = options.get("redirect_uri", "")
    if tenant is None or app is None or not _is_allowed(redirect, app):
        return _UNKNOWN
    answer = {"tenant": tenant.id, "state": options.get("state", ""), **_decision(world, tenant, app)}
    separator = "&" if "?" in redirect else "?"
    return Response(302, b"", {"Location": f"{redirect}{separator}{urlencode(answer)}"})


def _is_allowed(redirect: str, app: App) -> bool:
    return bool(redirect) and (not app.redirectUris or redirect in app.redirectUris)


def _decision(world: World, tenant: Tenant, app: App) -> dict[str, str]:
    if world.faults.pick(tenant.id, "consent"):
        return {"error": "permission_denied", "error_description": "The admin canceled the request"}
    grant(world, tenant, app.id, frozenset(app.requiredRoles))
    return {"admin_consent": "True"}


def grant(world: World, tenant: Tenant, app_id: str, roles: frozenset[str]) -> ServicePrincipal:
    """Add permissions; the first grant makes the service principal, which may take a while to work."""
    principal = tenant.principals.get(app_id)
    if principal is None:
        object_id = str(uuid.uuid5(uuid.UUID(tenant.id), app_id))
        effective = world.clock.now() + world.switches.consent_delay_seconds
        principal = ServicePrincipal(app_id=app_id, object_id=object_id, effective_from=effective)
        tenant.principals[app_id] = principal
    principal.roles |= roles
    return principal


def withdraw(tenant: Tenant, app_id: str, roles: frozenset[str] | None) -> None:
    """Take permissions away; None takes the whole service principal."""
    if roles is None:
        tenant.principals.pop(app_id, None)
    elif principal := tenant.principals.get(app_id):
        principal.roles -= roles
