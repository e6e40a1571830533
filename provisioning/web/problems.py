"""Every refusal is a problem document (RFC 9457): the same sentence as the command line says, and what it is about."""

import math
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

import msgspec
from starlette.responses import Response

from provisioning.domain.errors import (
    ActionRequiredError,
    AmbiguousOutcomeError,
    ConfigurationError,
    ConflictError,
    GraphError,
    InputError,
    NotAllowedError,
    NotFoundError,
    PermanentError,
    ProvisioningError,
    RetryableError,
    StaleLeaseError,
    TransitionError,
    UnavailableError,
)
from provisioning.intake.problems import FileRefusedError
from provisioning.services.only_once import UnderWayError

MEDIA_TYPE = "application/problem+json"
_PREFIX = "urn:licence-provisioning:problem:"
_SOON = timedelta(seconds=5)
_LATER = timedelta(seconds=30)
_SHOWN = 5_000  # problems of one file: two bytes can be a wrong line, and an answer must not outgrow its request a lot

# the first that fits; what is not here is a fault of the program
_STATUSES: tuple[tuple[type[ProvisioningError], HTTPStatus, str], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND, "not-found"),
    (InputError, HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-input"),
    (NotAllowedError, HTTPStatus.FORBIDDEN, "not-allowed"),
    (ConflictError, HTTPStatus.CONFLICT, "conflict"),
    (TransitionError, HTTPStatus.CONFLICT, "conflict"),
    (ActionRequiredError, HTTPStatus.CONFLICT, "somebody-must-act-at-microsoft"),
    (PermanentError, HTTPStatus.CONFLICT, "refused-by-microsoft"),
    (RetryableError, HTTPStatus.SERVICE_UNAVAILABLE, "later"),
    (AmbiguousOutcomeError, HTTPStatus.BAD_GATEWAY, "outcome-unknown"),
    (StaleLeaseError, HTTPStatus.SERVICE_UNAVAILABLE, "later"),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE, "later"),
    (ConfigurationError, HTTPStatus.NOT_IMPLEMENTED, "not-set-up-here"),
)


class WrongField(msgspec.Struct, frozen=True):
    """`field`: where in the request, as `body.reason`, or a line and column of what was sent."""

    field: str
    sentence: str


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`type` is what programs branch on, `detail` what people read; `reason`: our code for what Microsoft said."""

    type: str
    title: str
    status: int
    detail: str
    reason: str | None = None
    errors: list[WrongField] = []


class RefusedError(Exception):
    """A refusal that HTTP itself has a word for; `headers` go with it."""

    def __init__(self, status: HTTPStatus, kind: str, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.kind = kind
        self.headers = dict(headers or {})


def unauthorised(sentence: str) -> RefusedError:
    headers = {"WWW-Authenticate": 'Bearer realm="licence-provisioning"'}
    return RefusedError(HTTPStatus.UNAUTHORIZED, "no-valid-token", sentence, headers)


def answer_to(error: Exception) -> Response:
    """The problem document for an error of ours; raises it again when it is none."""
    if isinstance(error, RefusedError):
        return problem(error.status, error.kind, str(error), headers=error.headers)
    for kind, status, name in _STATUSES:
        if isinstance(error, kind):
            reason = str(error.reason) if isinstance(error, GraphError) else None
            return problem(status, name, str(error), reason=reason, errors=_errors(error), headers=_headers(error))
    raise error


def problem(
    status: HTTPStatus,
    kind: str,
    sentence: str,
    *,
    reason: str | None = None,
    errors: list[WrongField] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    document = ProblemDocument(
        type=_PREFIX + kind,
        title=status.phrase,
        status=status,
        detail=sentence,
        reason=reason,
        errors=errors or [],
    )
    return Response(msgspec.json.encode(document), status, headers, MEDIA_TYPE)


def seconds(length: timedelta) -> str:
    """For Retry-After: whole seconds, never too few."""
    return str(max(math.ceil(length.total_seconds()), 1))


def _errors(error: ProvisioningError) -> list[WrongField]:
    if not isinstance(error, FileRefusedError):
        return []
    shown = error.problems[:_SHOWN]
    return [WrongField(", ".join(filter(None, (one.place, one.column))), one.sentence) for one in shown]


def _headers(error: ProvisioningError) -> dict[str, str]:
    if isinstance(error, RetryableError):
        return {"Retry-After": seconds(error.after or _LATER)}
    is_soon = isinstance(error, UnavailableError | StaleLeaseError | UnderWayError)
    return {"Retry-After": seconds(_SOON)} if is_soon else {}
