"""Access tokens: issued as signed JWTs, verified once and remembered by their text."""

import time
import uuid
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from provisioning.sandbox.errors import unauthorized

AUDIENCE = "https://graph.microsoft.com"


class Caller(msgspec.Struct, frozen=True):
    """What an access token says of its bearer."""

    tenant_id: str
    app_id: str
    roles: frozenset[str]
    expires: float


class TokenIssuer:
    """Signs access tokens and knows its own signature again."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._known: dict[str, Caller] = {}
        self.key_id = uuid.uuid4().hex

    def issue(self, caller: Caller, object_id: str, now: float) -> str:
        claims = {
            "aud": AUDIENCE,
            "iss": f"https://sts.windows.net/{caller.tenant_id}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(caller.expires),
            "appid": caller.app_id,
            "idtyp": "app",
            "oid": object_id,
            "sub": object_id,
            "tid": caller.tenant_id,
            "uti": uuid.uuid4().hex,
            "ver": "1.0",
        }
        if caller.roles:
            claims["roles"] = sorted(caller.roles)
        return jwt.encode(claims, self._key, "RS256", {"kid": self.key_id})

    def verify(self, token: str) -> Caller:
        """The bearer of `token`; raises Graph's 401 for a token that is absent, foreign or expired."""
        caller = self._known.get(token) or self._read(token)
        if caller.expires <= time.time():
            self._known.pop(token, None)
            raise unauthorized("Lifetime validation failed, the token is expired.")
        return caller

    def public_jwk(self) -> dict[str, str]:
        """The public key as the discovery document lists it."""
        key: dict[str, str] = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"kty": "RSA", "use": "sig", "kid": self.key_id, "n": key["n"], "e": key["e"]}

    def _read(self, token: str) -> Caller:
        if not token:
            raise unauthorized("Access token is empty.")
        options: Any = {"verify_exp": False}  # judged on every use, not only on the first
        try:
            claims = jwt.decode(token, self._key.public_key(), ["RS256"], audience=AUDIENCE, options=options)
        except jwt.InvalidTokenError as error:
            raise unauthorized("Access token validation failure.") from error
        roles = frozenset(claims.get("roles", ()))
        caller = self._known[token] = Caller(claims["tid"], claims["appid"], roles, claims["exp"])
        return caller
