"""From exceptions to problem documents, in one place; what nobody expected is logged and told without its text."""

from http import HTTPStatus
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from provisioning.domain.errors import (
    AmbiguousOutcomeError,
    ProvisioningError,
    UnavailableError,
)
from provisioning.web.problems import RefusedError, WrongField, answer_to, problem

_log = structlog.get_logger(__name__)

_SENTENCES = {
    HTTPStatus.NOT_FOUND: ("not-found", "There is nothing here."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method-not-allowed", "This place does not take that method."),
}


def changed_nothing(error: Exception) -> bool:
    """Whether a request that ended so is certain to have had no effect."""
    if isinstance(error, ProvisioningError):
        return not isinstance(error, AmbiguousOutcomeError | UnavailableError)
    return isinstance(error, RefusedError | RequestValidationError | HTTPException)


def register(app: FastAPI) -> None:
    app.add_exception_handler(ProvisioningError, _refused)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _by_http)


async def _refused(_request: Request, error: Exception) -> Response:
    return answer_to(error)


async def _not_valid(_request: Request, error: Exception) -> Response:
    """Names the fields, never their contents: those may be somebody's."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return problem(HTTPStatus.BAD_REQUEST, "malformed", "What was sent is no JSON, or is cut off.")
    wrong = [WrongField(".".join(map(str, one["loc"])), _sentence(str(one["msg"]))) for one in found]
    listed = "; ".join(f"{one.field}: {one.sentence}" for one in wrong)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong-input", f"This cannot be taken: {listed}", errors=wrong)


async def _by_http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    kind, sentence = _SENTENCES.get(status, ("malformed", f"{status.phrase}."))
    return problem(status, kind, sentence, headers=error.headers)


def fault(error: Exception) -> Response:
    """A bug of ours: its text may hold anything, so it goes to the log under a number, and the number to the client."""
    number = uuid4().hex[:12]
    _log.error("api.fault", fault=number, exc_info=error)
    sentence = f"This is a fault of the program, not of yours. It is in the log as {number}; nothing more is told here."
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "fault", sentence)


def _sentence(said: str) -> str:
    told = said.removeprefix("Value error, ").rstrip(".")
    return f"{told[:1].lower()}{told[1:]}."
