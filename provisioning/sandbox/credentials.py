"""Whether an app is who it says it is: client secrets, and assertions signed with a registered certificate.

learn.microsoft.com: "Microsoft identity platform application authentication certificate credentials".
"""

import base64
import hmac
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from provisioning.sandbox.tenants import App
from provisioning.sandbox.token_errors import TokenError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SKEW = 300  # seconds of clock difference that Entra forgives


def require_credentials(app: App, form: Mapping[str, str], audience: str, now: float) -> None:
    """Accept the secret or assertion in `form`; raises TokenError. Secrets end in sandbox time, which `now` is."""
    if "client_assertion" in form:
        _require_assertion(app, form, audience)
    elif form.get("client_secret"):
        _require_secret(app, form["client_secret"], now)
    else:
        raise TokenError("7000218")


def _require_secret(app: App, given: str, now: float) -> None:
    for secret in app.secrets:
        if hmac.compare_digest(secret.value.encode(), given.encode()):
            if secret.expires is not None and secret.expires <= now:
                raise TokenError("7000222")
            return
    raise TokenError("7000215")


def _require_assertion(app: App, form: Mapping[str, str], audience: str) -> None:
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenError("900144", "client_assertion_type")
    assertion = form["client_assertion"]
    claims = _verified_claims(app, assertion)
    if claims.get("aud", "").lower() != audience.lower():
        raise TokenError("50027", "the audience is not this token endpoint.")
    if not claims.get("iss") == claims.get("sub") == app.id:
        raise TokenError("50027", "issuer and subject must be the client.")
    _require_timely(claims)


def _verified_claims(app: App, assertion: str) -> dict[str, Any]:
    certificate = _signing_certificate(app, assertion)
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TokenError("700027", "Only RSA keys are accepted.")
    # The times are judged afterwards: they have an error code of their own.
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        return jwt.decode(assertion, key, ["PS256", "RS256"], options=options)
    except jwt.InvalidTokenError as error:
        raise TokenError("700027", "The signature is invalid.") from error


def _signing_certificate(app: App, assertion: str) -> x509.Certificate:
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as error:
        raise TokenError("50027", "the assertion is not a JWT.") from error
    for pem in app.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        if _is_signed_with(header, certificate):
            return certificate
    raise TokenError("700027")


def _is_signed_with(header: Mapping[str, Any], certificate: x509.Certificate) -> bool:
    # SHA-1 only names the certificate here; the signature itself is checked with SHA-256.
    sha1 = certificate.fingerprint(hashes.SHA1())  # noqa: S303 - x5t is defined as SHA-1 (RFC 7515)
    prints = {"x5t": sha1, "x5t#S256": certificate.fingerprint(hashes.SHA256())}
    # Microsoft's own libraries keep the padding that RFC 7515 leaves out.
    return any(
        str(header.get(name, "")).rstrip("=") == base64.urlsafe_b64encode(value).decode().rstrip("=")
        for name, value in prints.items()
    )


def _require_timely(claims: Mapping[str, Any]) -> None:
    now = time.time()
    starts, ends = claims.get("nbf", claims.get("iat", now)), claims.get("exp", 0)
    if not (isinstance(starts, int | float) and isinstance(ends, int | float)):
        raise TokenError("50027", "its times are not numbers.")
    if not starts - _SKEW <= now <= ends + _SKEW:
        raise TokenError("700024")
