"""The one place where HTTP and AADSTS become our errors and receipts. Nothing below the core sees a status code.

A refusal (4xx) is certain: nothing was applied. Everything else that left this machine without a readable yes
(5xx, 408, odd statuses, a lost or unreadable answer) is unknown.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import msgspec

from provisioning.domain.errors import ActionRequiredError, GraphError, PermanentError, RetryableError
from provisioning.domain.ids import GroupId, TenantId
from provisioning.domain.operation import Outcome
from provisioning.domain.reasons import Reason
from provisioning.graph import wire
from provisioning.graph.catalogue import TOKEN_REFUSALS, Remedy, TokenRefusal, refusal_reason
from provisioning.graph.scrub import scrub

_AADSTS = re.compile(r"AADSTS(\d+)")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_ERROR = msgspec.json.Decoder(wire.ErrorBody)
_LATER = timedelta(seconds=2)  # after a concurrent write: Microsoft asks to wait briefly
_TOO_NEW = timedelta(seconds=5)  # learn.microsoft.com, "Add members": a group is not everywhere at once
_THROTTLED_CODE = "Request_Throttled"  # Request_ThrottledTemporarily comes with 429 or 503


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer to a write means. `scope` and `pressure` are what its throttling headers say."""

    outcome: Outcome
    status: int | None = None
    reason: Reason | None = None
    retryable: bool = False
    tenant_wide: bool = False
    after: timedelta | None = None
    error_code: str | None = None
    detail: str | None = None
    request_id: str | None = None
    resource_units: int | None = None
    scope: str | None = None
    pressure: float = 0.0
    created: GroupId | None = None  # create_group: what came of it


def unsent(reason: Reason, after: timedelta | None = None) -> Verdict:
    """It certainly never left this machine, and may later."""
    return Verdict(outcome=Outcome.NOT_SENT, reason=reason, retryable=True, after=after)


def judge(
    status: int, headers: Mapping[str, str], body: bytes | msgspec.Raw, wall: datetime, *, of_group: bool = False
) -> Verdict:
    """The meaning of one answer to a write, which went to a group or to a person. Header names are in lower case."""
    request_id = headers.get("request-id")
    units, under_pressure = _number(headers.get("x-ms-resource-unit")), pressure(headers)
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Verdict(
            outcome=Outcome.ACCEPTED,
            status=status,
            request_id=request_id,
            resource_units=units,
            pressure=under_pressure,
        )
    error = read_error(body)
    return msgspec.structs.replace(
        _judge_error(status, error, retry_after(headers.get("retry-after"), wall), of_group=of_group),
        status=status,
        error_code=error.code if _CODE.fullmatch(error.code) else None,
        detail=scrub(error.message) or None,
        request_id=request_id or (error.innerError.request_id if error.innerError else None),
        resource_units=units,
        scope=headers.get("x-ms-throttle-scope"),
        pressure=under_pressure,
    )


def judge_envelope(status: int, headers: Mapping[str, str], body: bytes, wall: datetime) -> Verdict:
    """The meaning of a batch's own failure for each item: it says nothing about persons or licences."""
    verdict = judge(status, headers, body, wall)
    if verdict.outcome is Outcome.REFUSED and not verdict.retryable and not verdict.tenant_wide:
        return msgspec.structs.replace(verdict, reason=Reason.REQUEST_MALFORMED)
    return verdict


def localised(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """A 403 beside an accepted write concerns one person (a restricted administrative unit), not the tenant."""
    if not any(verdict.outcome is Outcome.ACCEPTED for verdict in verdicts):
        return list(verdicts)
    return [msgspec.structs.replace(v, tenant_wide=False) if v.tenant_wide else v for v in verdicts]


def pressure(headers: Mapping[str, str]) -> float:
    """x-ms-throttle-limit-percentage: 1.0 is at the limit; 0 when Microsoft does not mention it."""
    try:
        return float(headers.get("x-ms-throttle-limit-percentage", 0))
    except ValueError:
        return 0.0


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _judge_error(status: int, error: wire.MainError, after: timedelta | None, *, of_group: bool) -> Verdict:
    match status:
        case _ if status == HTTPStatus.TOO_MANY_REQUESTS or error.code.startswith(_THROTTLED_CODE):
            return _refused(Reason.THROTTLED, retryable=True, after=after)
        case HTTPStatus.CONFLICT:
            return _refused(Reason.CONCURRENT_WRITE, retryable=True, after=after or _LATER)
        case HTTPStatus.UNAUTHORIZED:
            return _refused(Reason.TOKEN_REJECTED, retryable=True)
        case HTTPStatus.FORBIDDEN:
            return _refused(Reason.FORBIDDEN, tenant_wide=True)
        case HTTPStatus.NOT_FOUND:
            return _refused(Reason.NOT_FOUND)
        case HTTPStatus.FAILED_DEPENDENCY:
            return unsent(Reason.TRANSIENT, after)  # what it was to wait for failed: it was never carried out
        case _ if is_refusal(status):
            return _refusal(refusal_reason(error.message, of_group=of_group))
    return Verdict(outcome=Outcome.UNKNOWN, reason=Reason.TRANSIENT)


def _refusal(reason: Reason) -> Verdict:
    is_lag = reason is Reason.GROUP_TOO_NEW
    return _refused(reason, retryable=is_lag, after=_TOO_NEW if is_lag else None)


def _refused(
    reason: Reason, *, retryable: bool = False, tenant_wide: bool = False, after: timedelta | None = None
) -> Verdict:
    return Verdict(outcome=Outcome.REFUSED, reason=reason, retryable=retryable, tenant_wide=tenant_wide, after=after)


def is_refusal(status: int) -> bool:
    """Whether a status says that nothing was done: every 4xx but a time-out on the way."""
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.REQUEST_TIMEOUT


def read_failure(
    tenant: TenantId, status: int, headers: Mapping[str, str], body: bytes | msgspec.Raw, wall: datetime
) -> GraphError:
    """The error that an answer to a read becomes."""
    error = read_error(body)
    told = f"Microsoft Graph answered {status} in tenant {tenant}"
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return ActionRequiredError(f"{told}: it rejects our token.", Reason.TOKEN_REJECTED, credential=True)
        case HTTPStatus.FORBIDDEN:
            return ActionRequiredError(f"{told}: a permission is missing.", Reason.FORBIDDEN)
        case HTTPStatus.NOT_FOUND:
            return PermanentError(f"{told}.", Reason.NOT_FOUND)
        case HTTPStatus.TOO_MANY_REQUESTS:
            after = retry_after(headers.get("retry-after"), wall)
            return RetryableError(f"{told}: too much was asked.", Reason.THROTTLED, after)
        case _ if is_refusal(status):
            return PermanentError(f"{told}: {scrub(error.message)}", refusal_reason(error.message))
    return RetryableError(f"{told}.", Reason.TRANSIENT, retry_after(headers.get("retry-after"), wall))


def token_failure(tenant: TenantId, status: int | None, text: str, after: timedelta | None = None) -> GraphError:
    """The error that a refused token request becomes; of Entra's text only the AADSTS code is kept."""
    code = aadsts_code(text)
    refusal = TOKEN_REFUSALS.get(code or 0) or _refusal_by_status(status, text)
    told = f"Entra refused a token for tenant {tenant} ({f'AADSTS{code}' if code else f'status {status}'})"
    match refusal.remedy:
        case Remedy.TIME:
            return RetryableError(f"{told}: it is busy.", refusal.reason, after)
        case Remedy.NOBODY:
            return PermanentError(f"{told}: our request is wrong.", refusal.reason)
    is_ours = refusal.remedy is Remedy.CREDENTIAL
    return ActionRequiredError(f"{told}: {refusal.reason}.", refusal.reason, credential=is_ours)


def _refusal_by_status(status: int | None, text: str) -> TokenRefusal:
    if status is None or status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TokenRefusal(
            Reason.THROTTLED if status == HTTPStatus.TOO_MANY_REQUESTS else Reason.TRANSIENT, Remedy.TIME
        )
    if "invalid_client" in text:
        return TokenRefusal(Reason.CREDENTIAL_REJECTED, Remedy.CREDENTIAL)
    return TokenRefusal(Reason.GRAPH_OTHER, Remedy.TENANT)


def aadsts_code(text: str) -> int | None:
    """The number after AADSTS in a text of Entra's."""
    match = _AADSTS.search(text)
    return int(match.group(1)) if match else None


def read_error(body: bytes | msgspec.Raw) -> wire.MainError:
    """Code and message of an error body; empty ones when it is HTML, empty or otherwise not Graph's."""
    try:
        return _ERROR.decode(body).error
    except msgspec.DecodeError:
        return wire.MainError()


def retry_after(value: str | None, wall: datetime) -> timedelta | None:
    """Retry-After in whole or fractional seconds, or as an HTTP date; None when absent, past or unreadable."""
    if not value:
        return None
    try:
        wait = timedelta(seconds=float(value))
    except (ValueError, OverflowError):
        wait = _until(value, wall)
    return wait if wait > timedelta(0) else None


def _until(http_date: str, wall: datetime) -> timedelta:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return timedelta(0)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - wall
