"""Refusals of the token endpoint (learn.microsoft.com: "Microsoft Entra authentication error codes")."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from provisioning.sandbox.wire import Response, encode


class TokenRefusal(msgspec.Struct, frozen=True):
    status: int
    error: str
    text: str


REFUSALS = {
    "50012": TokenRefusal(401, "invalid_client", "Authentication failed."),
    "50027": TokenRefusal(401, "invalid_client", "Invalid JWT token: {detail}"),
    "50196": TokenRefusal(
        400, "invalid_grant", "The server terminated an operation because it encountered a client request loop."
    ),
    "53003": TokenRefusal(400, "invalid_grant", "Access has been blocked by Conditional Access policies."),
    "70001": TokenRefusal(400, "unauthorized_client", "Application with identifier '{app}' is disabled."),
    "70003": TokenRefusal(400, "unsupported_grant_type", "The app requested an unsupported grant type '{detail}'."),
    "70011": TokenRefusal(
        400, "invalid_scope", "The provided value for the input parameter 'scope' is not valid. {detail}"
    ),
    "90002": TokenRefusal(
        400, "invalid_request", "Tenant '{tenant}' not found. Check that you have the correct tenant ID."
    ),
    "90006": TokenRefusal(503, "temporarily_unavailable", "The service is temporarily unavailable."),
    "90024": TokenRefusal(429, "temporarily_unavailable", "The request budget is exceeded. Please retry later."),
    "90033": TokenRefusal(503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    "90038": TokenRefusal(400, "invalid_request", "Tenant '{tenant}' belongs to another national cloud."),
    "90055": TokenRefusal(429, "temporarily_unavailable", "The tenant has exceeded the allowed number of requests."),
    "90099": TokenRefusal(
        400, "invalid_grant", "The application '{app}' has not been authorized in the tenant '{tenant}'."
    ),
    "90124": TokenRefusal(
        400, "invalid_request", "Resource is not supported over the /common or /consumers endpoints."
    ),
    "500011": TokenRefusal(
        400, "invalid_resource", "The resource principal {detail} was not found in the tenant {tenant}."
    ),
    "700016": TokenRefusal(
        400, "unauthorized_client", "Application with identifier '{app}' was not found in the directory '{tenant}'."
    ),
    "700024": TokenRefusal(401, "invalid_client", "Client assertion is not within its valid time range."),
    "700027": TokenRefusal(
        401, "invalid_client", "The certificate that signed the client assertion is not registered. {detail}"
    ),
    "700030": TokenRefusal(
        401, "invalid_client", "Invalid certificate - subject name in certificate is not authorized."
    ),
    "900144": TokenRefusal(
        400, "invalid_request", "The request body must contain the following parameter: '{detail}'."
    ),
    "900382": TokenRefusal(400, "invalid_request", "Confidential client is not supported in a cross-cloud request."),
    "900432": TokenRefusal(400, "invalid_request", "Confidential client is not supported in a cross-cloud request."),
    "7000112": TokenRefusal(400, "unauthorized_client", "Application '{app}' is disabled."),
    "7000215": TokenRefusal(401, "invalid_client", "Invalid client secret provided for app '{app}'."),
    "7000218": TokenRefusal(
        401, "invalid_client", "The request body must contain 'client_assertion' or 'client_secret'."
    ),
    "7000222": TokenRefusal(401, "invalid_client", "The provided client secret keys for app '{app}' are expired."),
    "9001023": TokenRefusal(
        400, "invalid_request", "The grant type is not supported over the /common or /consumers endpoints."
    ),
}


class Manner(msgspec.Struct, frozen=True):
    """How refusals are told where Microsoft's own way is uncertain: status and `error` per code, line breaks."""

    statuses: Mapping[str, int] = {}
    errors: Mapping[str, str] = {}
    breaks_lines: bool = False


_PLAIN = Manner()


class TokenError(Exception):
    """The token endpoint says no, with an AADSTS code."""

    def __init__(self, code: str, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"AADSTS{code}")
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self, tenant: str, app: str, manner: Manner = _PLAIN) -> Response:
        refusal = REFUSALS[self.code]
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace_id, correlation_id = str(uuid.uuid4()), str(uuid.uuid4())
        text = refusal.text.format(tenant=tenant, app=app, detail=self.detail)
        said = (
            f"AADSTS{self.code}: {text}",
            f"Trace ID: {trace_id}",
            f"Correlation ID: {correlation_id}",
            f"Timestamp: {moment}",
        )
        body = {
            "error": manner.errors.get(self.code, refusal.error),
            "error_description": ("\r\n" if manner.breaks_lines else " ").join(said),
            "error_codes": [int(self.code)],
            "timestamp": moment,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        return Response(
            manner.statuses.get(self.code, refusal.status),
            encode(body),
            {"Content-Type": "application/json; charset=utf-8", **self.headers},
        )
