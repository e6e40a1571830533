"""The Graph side of the twin: one request, or one item of a batch, from token to answer."""

import contextlib
import math
import random
import uuid

from provisioning.sandbox.background import catch_up, retry_errored
from provisioning.sandbox.call import Call
from provisioning.sandbox.errors import (
    ConnectionDroppedError,
    GraphError,
    concurrent_write,
    denied,
    unauthorized,
)
from provisioning.sandbox.faults import Fault, fault_headers
from provisioning.sandbox.identity import Caller, TokenIssuer
from provisioning.sandbox.ledger import Author
from provisioning.sandbox.quotas import Charge, Family, Verdict, throttle_headers
from provisioning.sandbox.replicas import Replica
from provisioning.sandbox.routes import Route, as_charged, find_route, resource_units
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.wire import GRAPH_HEADERS, Request, Response, inner_date, json_response
from provisioning.sandbox.world import World

_CLAIMS_CHALLENGE = (
    'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", '
    # {"access_token":{"nbf":{"essential":true,"value":"1"}}}
    'claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ=="'
)
_HTML = b"<html><head><title>Service unavailable</title></head><body><h1>Service unavailable</h1></body></html>"


class Graph:
    def __init__(self, world: World, issuer: TokenIssuer) -> None:
        self.world = world
        self.issuer = issuer

    def authenticate(self, request: Request) -> Caller:
        """The caller of the request; raises Graph's 401."""
        caller = self.issuer.verify(request.bearer)
        if caller.tenant_id not in self.world.tenants:
            raise unauthorized("Access token validation failure. Invalid tenant.")
        return caller

    def call(self, request: Request) -> Caller:
        """Count one HTTP call, be it a request or a whole batch, and say whose it is; raises Graph's 401."""
        caller = self.authenticate(request)
        self.world.count("calls", caller.tenant_id)
        return caller

    def answer(self, request: Request, caller: Caller | None = None) -> Response:
        """The answer to one request; `caller` is already known for the items of a batch.

        Raises ConnectionDroppedError where a fault cuts the line.
        """
        author = new_author(request)
        try:
            caller = caller or self.call(request)
            response = self._carry_out(request, caller, author)
        except GraphError as error:
            response = refusal(error, author)
        response.headers = {**response.headers, **id_headers(author)}
        return response

    def _carry_out(self, request: Request, caller: Caller, author: Author) -> Response:
        route, ids = find_route(request.method, request.path)
        route = as_charged(route, request.query)
        tenant = self.world.tenants[caller.tenant_id]
        self.world.count("requests", tenant.id)
        author = Author(caller.app_id, author.request_id, author.client_request_id, route.kind)
        subject = (tenant.directory.find_id(ids[0]) or ids[0]) if ids else None
        fault = self.world.faults.pick(tenant.id, route.kind, subject)
        if fault is None:
            return self._within_quota(route, ids, request, caller, tenant, author)
        if fault.applied:
            with contextlib.suppress(GraphError):  # this answer never reaches the client, refusal or not
                self._within_quota(route, ids, request, caller, tenant, author)
        return faulty_response(fault, author)

    def _within_quota(
        self, route: Route, ids: tuple[str, ...], request: Request, caller: Caller, tenant: Tenant, author: Author
    ) -> Response:
        units = resource_units(route, request.query)
        headers = self.charge(caller, tenant, units, route.writes, route.family, self._share(request))
        headers["x-ms-resource-unit"] = str(units)
        try:
            response = self._answer_of(route, ids, request, caller, tenant, author)
        except GraphError as error:
            error.headers = {**headers, **error.headers}  # a refusal costs as much as an answer
            raise
        response.headers = {**response.headers, **headers}
        return response

    def _answer_of(
        self, route: Route, ids: tuple[str, ...], request: Request, caller: Caller, tenant: Tenant, author: Author
    ) -> Response:
        if route.permissions.isdisjoint(caller.roles):
            raise denied()
        now = self.world.clock.now()
        catch_up(self.world, now)
        retry_errored(self.world, tenant, now)
        call = Call(self.world, request, tenant, caller, ids, _copy(tenant, request, now), author, now)
        response = route.answer(call)
        self.world.count("writes", tenant.id, route.writes)
        return response

    def _share(self, request: Request) -> float:
        is_low = request.headers.get("x-ms-throttle-priority", "").strip().lower() == "low"
        return self.world.switches.low_priority_share if is_low else 1.0

    def collide(self, request: Request, caller: Caller) -> Response:
        """The answer to a write that ran into another one to the same person; it is charged all the same."""
        author = new_author(request)
        self.world.count("requests", caller.tenant_id)
        try:
            headers = self.charge(caller, self.world.tenants[caller.tenant_id], units=1, writes=1)
        except GraphError as error:
            return refusal(error, author)
        response = refusal(concurrent_write(self.world.switches.conflict_retry_after), author)
        response.headers |= headers
        return response

    def charge(
        self,
        caller: Caller,
        tenant: Tenant,
        units: int,
        writes: int = 0,
        family: Family = "identity",
        share: float = 1.0,
    ) -> dict[str, str]:
        """Count a request on the caller's quotas and return the headers that tell of it; raises Graph's 429."""
        charge = Charge(caller.app_id, tenant.id, tenant.directory.count, units, writes, family, share)
        verdict = self.world.quotas.charge(charge, self.world.clock.now())
        headers = throttle_headers(verdict, charge)
        if verdict.wait:
            self.world.count("refused", tenant.id)
            raise self._throttled(verdict, headers)
        return headers

    def _throttled(self, verdict: Verdict, headers: dict[str, str]) -> GraphError:
        retry_after = {
            "whole": str(math.ceil(verdict.wait)),
            "fractional": f"{max(verdict.wait, 0.001):.3f}",
            "one": "1",
            "absent": "",
        }[self.world.switches.retry_after]
        headers = {**headers, "Retry-After": retry_after} if retry_after else headers
        return GraphError(429, "TooManyRequests", "Please retry again later.", headers)


def new_author(request: Request) -> Author:
    """The ids of one request: Graph's own, and the client's or the same again."""
    request_id = str(uuid.UUID(int=random.getrandbits(128), version=4))
    return Author("", request_id, request.headers.get("client-request-id") or request_id)


def id_headers(author: Author) -> dict[str, str]:
    """The headers of every Graph answer."""
    return {**GRAPH_HEADERS, "request-id": author.request_id, "client-request-id": author.client_request_id}


def refusal(error: GraphError, author: Author) -> Response:
    body = error.body(inner_date(), author.request_id, author.client_request_id)
    return json_response(body, error.status, error.headers)


def faulty_response(fault: Fault, author: Author) -> Response:
    """What the client gets to see of a fault; raises ConnectionDroppedError when that is nothing."""
    if fault.kind == "drop":
        raise ConnectionDroppedError
    error = _fault_error(fault)
    if fault.body == "json":
        return refusal(error, author)
    content_type = {"Content-Type": "text/html"} if fault.body == "html" else {}
    return Response(error.status, _HTML if fault.body == "html" else b"", {**error.headers, **content_type})


def _fault_error(fault: Fault) -> GraphError:
    headers = fault_headers(fault)
    if fault.kind == "conflict":
        return concurrent_write(headers.get("Retry-After"))
    if fault.kind == "unauthorized":
        challenge = _CLAIMS_CHALLENGE if fault.claims else "Bearer"
        return unauthorized("Continuous access evaluation resulted in challenge.", challenge)
    status, code, message = {
        "throttle": (429, "TooManyRequests", "Please retry again later."),
        "unavailable": (503, "ServiceUnavailable", "The service is temporarily unavailable."),
        "gateway_timeout": (504, "UnknownError", ""),
    }.get(fault.kind, (fault.status, "UnknownError", ""))
    return GraphError(status, fault.code or code, fault.message or message, headers)


def _copy(tenant: Tenant, request: Request, now: float) -> Replica:
    """The copy that a request reaches; advanced queries read an index of their own, which may lag further."""
    is_behind = request.is_advanced and not tenant.index.is_settled(now)
    return tenant.index.read(now) if is_behind else tenant.replicas.read(now)
