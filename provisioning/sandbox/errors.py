"""Refusals in Graph's own words (learn.microsoft.com: "Microsoft Graph error responses and resource types")."""

from collections.abc import Mapping
from typing import Any


class GraphError(Exception):
    """One refused request: HTTP status, Graph's code and message, extra headers."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self, date: str, request_id: str, client_request_id: str) -> dict[str, Any]:
        inner = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
        if self.status == 429:  # noqa: PLR2004 - the one status whose inner error repeats itself
            inner = {"code": "429", "message": "Please retry after", "status": "429", **inner}
        return {"error": {"code": self.code, "message": self.message, "innerError": inner}}


class AbsentError(Exception):
    """The control API was asked about something that does not exist."""


class ConnectionDroppedError(Exception):
    """The client shall find its connection cut."""


def bad_request(message: str) -> GraphError:
    return GraphError(400, "Request_BadRequest", message)


def unsupported(message: str = "Unsupported Query.") -> GraphError:
    return GraphError(400, "Request_UnsupportedQuery", message)


def not_found(resource_id: str) -> GraphError:
    message = (
        f"Resource '{resource_id}' does not exist or one of its queried reference-property objects are not present."
    )
    return GraphError(404, "Request_ResourceNotFound", message)


def unauthorized(message: str, challenge: str = "Bearer") -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})


def denied() -> GraphError:
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def wrong_method() -> GraphError:
    return GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def no_such_route(segment: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def concurrent_write(retry_after: str | None) -> GraphError:
    message = "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
    return GraphError(
        409, "Directory_ConcurrencyViolation", message, {"Retry-After": retry_after} if retry_after else {}
    )


def expired_page_token() -> GraphError:
    message = "The specified page token value has expired and can no longer be included in your request."
    return GraphError(400, "Directory_ExpiredPageToken", message)


def resync(code: str, location: str) -> GraphError:
    """Delta has to start anew, at `location`."""
    message = "Resync required. Any attempt to continue from this state is refused; start a new synchronization."
    return GraphError(410, code, message, {"Location": location})
