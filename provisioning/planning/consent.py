"""The signed `state` of a consent link: which organisation was asked, for which tenant, until when.

Microsoft hands `state` back untouched (learn.microsoft.com: admin consent protocols), so a signature tells
whether a returned consent answers a link of ours, or was made up by whoever opened the page.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from provisioning.domain.errors import ConfigurationError, InputError
from provisioning.domain.ids import OrganisationId, TenantId

VALIDITY = timedelta(days=30)  # schools answer slowly; a link of a month ago should be asked again
_MIN_KEY_BYTES = 32


class ConsentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What we asked: written into the link, and read back from it."""

    organisation_id: OrganisationId
    tenant_id: TenantId
    expires_at: datetime


class ReturnedConsent(msgspec.Struct, frozen=True, kw_only=True):
    """What the school's browser brought back: our own request, and the tenant that Microsoft named."""

    request: ConsentRequest
    tenant_id: TenantId


def sign_state(request: ConsentRequest, key: bytes) -> str:
    """The state to send along: the request and its HMAC-SHA256, both safe in a URL."""
    body = urlsafe_b64encode(msgspec.json.encode(request)).rstrip(b"=")
    return f"{body.decode()}.{_signature(body, key)}"


def check_state(state: str, key: bytes, now: datetime) -> ConsentRequest:
    """The request that this state carries; raises InputError when it is not ours or too old."""
    body, _, signature = state.partition(".")
    if not hmac.compare_digest(_signature(body.encode(), key).encode(), signature.encode()):
        raise InputError("This consent does not carry a state that we signed; send the school a new link.")
    request = _decode(body)
    if now >= request.expires_at:
        raise InputError(f"This consent link ended on {request.expires_at:%Y-%m-%d}; send the school a new one.")
    return request


def consent_link(login_url: str, tenant: TenantId, client_id: str, redirect_url: str, state: str) -> str:
    """Where an administrator of the tenant grants consent (learn.microsoft.com: admin consent endpoint)."""
    query = urlencode({"client_id": client_id, "redirect_uri": redirect_url, "state": state})
    return f"{login_url.rstrip('/')}/{tenant}/adminconsent?{query}"


def read_returned(address: str, key: bytes, now: datetime) -> ReturnedConsent:
    """What the address that the school came back on says; raises InputError when it is a refusal or not ours."""
    fields = {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}
    if fields.get("admin_consent", "").lower() != "true":
        problem = fields.get("error", "no consent in the address")
        raise InputError(f"The school's administrator did not grant consent ({problem[:60]}).")
    request = check_state(fields.get("state", ""), key, now)
    return ReturnedConsent(request=request, tenant_id=TenantId(fields.get("tenant", "").lower()))


def _signature(body: bytes, key: bytes) -> str:
    if len(key) < _MIN_KEY_BYTES:
        raise ConfigurationError(f"PROVISIONING_CONSENT_KEY must have at least {_MIN_KEY_BYTES} bytes to sign links.")
    return urlsafe_b64encode(hmac.new(key, body, sha256).digest()).rstrip(b"=").decode()


def _decode(body: str) -> ConsentRequest:
    try:
        return msgspec.json.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=ConsentRequest)
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise InputError("The state of this consent is signed by us, but of a kind that we do not know.") from None
