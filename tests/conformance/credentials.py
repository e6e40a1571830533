"""How an app proves who it is: a self-signed certificate as an administrator uploads it."""

import base64
import hashlib
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.conformance.school import APP

SCOPE = "https://graph.microsoft.com/.default"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Certificate:
    """A self-signed certificate as an administrator uploads it."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=self.key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(days=1),
            not_valid_after=now + timedelta(days=30),
        )
        self.certificate = builder.sign(self.key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.bundle = self.pem.encode() + self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def assertion(
        self, audience: str, algorithm: str = "PS256", header: dict[str, str] | None = None, **changes: Any
    ) -> str:
        now = time.time()
        claims = {"aud": audience, "iss": APP, "sub": APP, "jti": str(uuid.uuid4()), "nbf": now, "exp": now + 600}
        header = header or {"x5t#S256": self.fingerprint("sha256")}
        return jwt.encode(claims | changes, self.key, algorithm, header)

    def fingerprint(self, algorithm: str) -> str:
        digest = hashlib.new(algorithm, self.certificate.public_bytes(serialization.Encoding.DER)).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def refusal(response: httpx.Response) -> tuple[int, str, int]:
    """Status, error and AADSTS code of a refused token request."""
    body = response.json()
    return response.status_code, body["error"], body["error_codes"][0]
