"""The identity side of the twin: the token endpoint and discovery.

learn.microsoft.com: "OAuth 2.0 client credentials flow on the Microsoft identity platform".
"""

import base64
import binascii
import time
from urllib.parse import parse_qsl, unquote, urlsplit

from provisioning.sandbox.consent import consent_page
from provisioning.sandbox.credentials import require_credentials
from provisioning.sandbox.discovery import configuration, known_instance
from provisioning.sandbox.faults import Fault, retry_after_headers
from provisioning.sandbox.graph import faulty_response
from provisioning.sandbox.identity import AUDIENCE, Caller, TokenIssuer
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.model import ServicePrincipal
from provisioning.sandbox.tenants import App, Tenant
from provisioning.sandbox.token_errors import Manner, TokenError
from provisioning.sandbox.wire import Request, Response, encode
from provisioning.sandbox.world import World

_JSON = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store, no-cache"}
_SHARED = frozenset({"common", "consumers", "organizations"})
_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
Form = dict[str, str]


class Entra:
    def __init__(self, world: World, issuer: TokenIssuer) -> None:
        self.world = world
        self.issuer = issuer

    def answer(self, request: Request) -> Response | None:
        """The answer of the identity platform, or None for a path that is not its own."""
        authority, _, rest = request.path.strip("/").partition("/")
        answer = {
            ("POST", "oauth2/v2.0/token"): self._token,
            ("GET", "v2.0/.well-known/openid-configuration"): self._configuration,
            ("GET", "discovery/v2.0/keys"): self._keys,
            ("GET", "discovery/instance"): self._instance,
            ("GET", "adminconsent"): self._consent,
            ("GET", "v2.0/adminconsent"): self._consent,
        }.get((request.method, rest))
        return answer(authority, request) if answer else None

    def _token(self, authority: str, request: Request) -> Response:
        form = _form(request)
        tenant = self.world.find_tenant(authority)
        fault = self.world.faults.pick(tenant.id if tenant else authority, "token")
        try:
            return _faulty_response(fault) if fault else self._issued(authority, tenant, form, request.host)
        except TokenError as error:
            self.world.count("token_errors", tenant.id if tenant else "")
            return error.response(authority, form.get("client_id", ""), self._manner())

    def _issued(self, authority: str, tenant: Tenant | None, form: Form, host: str) -> Response:
        if authority.lower() in _SHARED:
            raise TokenError("9001023")
        if tenant is None:
            raise TokenError("90002")
        _require_parameters(form)
        app, principal = self._registration(tenant, form["client_id"].lower())
        require_credentials(app, form, f"https://{host}/{authority}/oauth2/v2.0/token", self.world.clock.now())
        _require_scope(form["scope"])
        return self._granted(tenant, principal)

    def _registration(self, tenant: Tenant, app_id: str) -> tuple[App, ServicePrincipal]:
        app, principal = self.world.apps.get(app_id), tenant.principals.get(app_id)
        if app is None or principal is None or principal.effective_from > self.world.clock.now():
            raise TokenError("700016")
        if not principal.is_enabled:
            raise TokenError("7000112")
        return app, principal

    def _granted(self, tenant: Tenant, principal: ServicePrincipal) -> Response:
        lifetime = self.world.switches.token_lifetime_seconds
        now = time.time()
        roles = principal.roles_at(self.world.clock.now())
        caller = Caller(tenant.id, principal.app_id, roles, now + lifetime)
        self.world.count("tokens", tenant.id)
        body = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self.issuer.issue(caller, principal.object_id, now),
        }
        return Response(200, encode(body), _JSON)

    def _manner(self) -> Manner:
        switches = self.world.switches
        errors = {"90002": switches.unknown_tenant_error}
        return Manner(switches.token_error_statuses, errors, switches.token_error_line_breaks)

    def _configuration(self, authority: str, request: Request) -> Response:
        tenant = self.world.find_tenant(authority)
        if tenant is None and authority not in _SHARED:
            return TokenError("90002").response(authority, "", Manner(errors={"90002": "invalid_tenant"}))
        root = f"https://{request.host}/{authority}"
        owner = tenant.id if tenant else "{tenantid}"
        return Response(200, encode(configuration(root, f"https://{request.host}/{owner}/v2.0")), _JSON)

    def _keys(self, _authority: str, _request: Request) -> Response:
        return Response(200, encode({"keys": [self.issuer.public_jwk()]}), _JSON)

    def _consent(self, authority: str, request: Request) -> Response:
        return consent_page(self.world, authority, request)

    def _instance(self, _authority: str, request: Request) -> Response:
        asked = urlsplit(request.options.get("authorization_endpoint", "")).netloc or request.host
        return Response(200, encode(known_instance(asked, request.host)), _JSON)


def _form(request: Request) -> Form:
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    return form | _basic_credentials(encoded) if scheme.lower() == "basic" else form


def _basic_credentials(encoded: str) -> Form:
    """Client id and secret from an Authorization header; nothing from one that cannot be read."""
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    given = {"client_id": unquote(client_id), "client_secret": unquote(secret)}
    return {name: value for name, value in given.items() if value}


def _require_parameters(form: Form) -> None:
    for name in ("client_id", "grant_type", "scope"):
        if not form.get(name):
            raise TokenError("900144", name)
    if form["grant_type"] != "client_credentials":
        raise TokenError("70003", form["grant_type"])


def _require_scope(scope: str) -> None:
    resource, separator, _ = scope.partition("/.default")
    if not separator or " " in scope.strip():
        raise TokenError("70011", f"The scope {scope} is not valid.")
    if resource.rstrip("/") not in {AUDIENCE, _GRAPH_APP_ID}:
        raise TokenError("500011", resource)


def _faulty_response(fault: Fault) -> Response:
    headers = retry_after_headers(fault)
    if fault.kind == "token_error":
        raise TokenError(fault.code, headers=headers)
    if fault.kind == "throttle":
        raise TokenError("90055", headers=headers)
    if fault.kind == "unavailable" and fault.body == "json":
        raise TokenError("90033", headers=headers)
    return faulty_response(fault, Author())
