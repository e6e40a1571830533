"""Consent: the administrator's page, and what it grants (learn.microsoft.com: "Grant tenant-wide admin consent")."""

import uuid
from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from provisioning.sandbox.model import ServicePrincipal
from provisioning.sandbox.tenants import App, Tenant
from provisioning.sandbox.wire import Request, Response
from provisioning.sandbox.world import World

_UNKNOWN = Response(
    400, b"The tenant, the application or the redirect address is unknown.", {"Content-Type": "text/plain"}
)


def consent_page(world: World, authority: str, request: Request) -> Response:
    """The administrator's answer, given at once or asked for: the browser goes back with what was decided."""
    options = request.options
    tenant, app = world.find_tenant(authority), world.apps.get(options.get("client_id", "").lower())
    redirect = options.get("redirect_uri", "")
    if tenant is None or app is None or not _is_allowed(redirect, app):
        return _UNKNOWN
    if world.switches.admin_consent == "asks" and not options.get("answer"):
        return _question(tenant, app, request)
    answer = {"tenant": tenant.id, "state": options.get("state", ""), **_decision(world, tenant, app, options)}
    separator = "&" if "?" in redirect else "?"
    return Response(302, b"", {"Location": f"{redirect}{separator}{urlencode(answer)}"})


def _is_allowed(redirect: str, app: App) -> bool:
    return bool(redirect) and (not app.redirectUris or redirect in app.redirectUris)


def _question(tenant: Tenant, app: App, request: Request) -> Response:
    """What an administrator sees: who asks, for what, and two ways out."""
    permissions = "".join(f"<li>{escape(role)}</li>" for role in sorted(app.requiredRoles))
    address = f"{request.path}?{request.query}&answer="
    answers = "".join(
        f'<p><a href="{escape(address + answer)}">{answer.capitalize()}</a></p>' for answer in ("accept", "cancel")
    )
    page = (
        "<!doctype html><html lang=en><title>Permissions requested</title>"
        f"<h1>Permissions requested</h1><p>{escape(app.id)} asks {escape(tenant.name)} for:</p>"
        f"<ul>{permissions}</ul>{answers}</html>"
    )
    return Response(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _decision(world: World, tenant: Tenant, app: App, options: Mapping[str, str]) -> dict[str, str]:
    if options.get("answer") == "cancel" or world.faults.pick(tenant.id, "consent"):
        return {"error": "permission_denied", "error_description": "The admin canceled the request"}
    grant(world, tenant, app.id, frozenset(app.requiredRoles))
    scope = {"scope": options["scope"]} if options.get("scope") else {}
    return {"admin_consent": "True", **scope}


def grant(world: World, tenant: Tenant, app_id: str, roles: frozenset[str]) -> ServicePrincipal:
    """Add permissions; the first grant makes the service principal. What is fresh may take a while to work."""
    now, delay = world.clock.now(), world.switches.consent_delay_seconds
    principal = tenant.principals.get(app_id)
    if principal is None:
        object_id = str(uuid.uuid5(uuid.UUID(tenant.id), app_id))
        hidden = delay if world.switches.fresh_consent == "unknown_app" else 0.0
        principal = ServicePrincipal(app_id=app_id, object_id=object_id, effective_from=now + hidden)
        tenant.principals[app_id] = principal
    principal.pending |= dict.fromkeys(roles - principal.roles, now + delay)
    principal.roles |= roles
    return principal


def withdraw(tenant: Tenant, app_id: str, roles: frozenset[str] | None) -> None:
    """Take permissions away; None takes the whole service principal."""
    if roles is None:
        tenant.principals.pop(app_id, None)
    elif principal := tenant.principals.get(app_id):
        principal.roles -= roles
