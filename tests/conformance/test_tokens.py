"""The token endpoint and discovery, spoken to by hand and by azure-identity."""

import asyncio
import base64
import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.identity
import azure.identity.aio
import httpx
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.conformance.conftest import TokenRequest
from tests.conformance.school import APP, DOMAIN, EXPIRED_SECRET, NEIGHBOUR, OTHER_APP, ROLES, SECRET, TENANT
from tests.sandbox_process import SandboxControl, SandboxProcess

SCOPE = "https://graph.microsoft.com/.default"
UNKNOWN_TENANT = "00000000-1111-2222-3333-444444444444"


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

    def assertion(self, audience: str, algorithm: str = "PS256", **changes: Any) -> str:
        now = time.time()
        claims = {"aud": audience, "iss": APP, "sub": APP, "jti": str(uuid.uuid4()), "nbf": now, "exp": now + 600}
        digest = hashlib.sha256(self.certificate.public_bytes(serialization.Encoding.DER)).digest()
        header = {"x5t#S256": base64.urlsafe_b64encode(digest).decode().rstrip("=")}
        return jwt.encode(claims | changes, self.key, algorithm, header)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return Certificate()


@pytest.fixture
def registered(control: SandboxControl, certificate: Certificate) -> Certificate:
    control.register_app(APP, certificates=[certificate.pem])
    return certificate


@pytest.fixture
def assertion_request(request_token: TokenRequest) -> Callable[[str], httpx.Response]:
    def request(assertion: str) -> httpx.Response:
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return request_token(client_secret=None, client_assertion_type=kind, client_assertion=assertion)

    return request


@pytest.fixture
def audience(sandbox: SandboxProcess) -> str:
    return f"https://{sandbox.authority}/{TENANT}/oauth2/v2.0/token"


def refusal(response: httpx.Response) -> tuple[int, str, int]:
    body = response.json()
    return response.status_code, body["error"], body["error_codes"][0]


class TestSuccess:
    def test_a_secret_buys_a_bearer_token_of_about_an_hour(self, request_token: TokenRequest) -> None:
        body = request_token().json()
        assert (body["token_type"], body["expires_in"], body["ext_expires_in"]) == ("Bearer", 3599, 3599)

    def test_the_token_names_tenant_app_and_consented_roles(self, request_token: TokenRequest) -> None:
        claims = jwt.decode(request_token().json()["access_token"], options={"verify_signature": False})
        assert (claims["tid"], claims["appid"], claims["roles"]) == (TENANT, APP, ROLES)

    def test_the_tenant_may_be_named_by_domain(self, request_token: TokenRequest) -> None:
        assert request_token(tenant=DOMAIN).status_code == 200

    def test_without_permissions_a_token_is_issued_that_has_no_roles(
        self, control: SandboxControl, request_token: TokenRequest
    ) -> None:
        control.grant_consent(NEIGHBOUR, APP, [])
        response = request_token(tenant=NEIGHBOUR)
        claims = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
        assert response.status_code == 200
        assert "roles" not in claims

    def test_basic_authentication_is_accepted(self, http: httpx.Client, audience: str) -> None:
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        assert http.post(audience, data=form, auth=(APP, SECRET.replace(" ", "%20"))).status_code == 200

    def test_the_claims_parameter_of_kiota_is_accepted(self, request_token: TokenRequest) -> None:
        assert request_token(claims='{"access_token":{"xms_cc":{"values":["CP1"]}}}').status_code == 200

    def test_the_signature_can_be_checked_with_the_published_key(
        self, sandbox: SandboxProcess, http: httpx.Client, request_token: TokenRequest
    ) -> None:
        key = http.get(f"https://{sandbox.authority}/{TENANT}/discovery/v2.0/keys").json()["keys"][0]
        token = request_token().json()["access_token"]
        public = jwt.PyJWK(key, "RS256").key
        assert jwt.decode(token, public, ["RS256"], audience="https://graph.microsoft.com")["tid"] == TENANT


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            pytest.param({"tenant": UNKNOWN_TENANT}, (400, "invalid_request", 90002), id="unknown tenant"),
            pytest.param({"tenant": NEIGHBOUR}, (400, "unauthorized_client", 700016), id="app without consent"),
            pytest.param({"client_id": OTHER_APP}, (400, "unauthorized_client", 700016), id="another app"),
            pytest.param({"client_secret": "wrong"}, (401, "invalid_client", 7000215), id="wrong secret"),
            pytest.param({"client_secret": EXPIRED_SECRET}, (401, "invalid_client", 7000222), id="expired secret"),
            pytest.param({"client_secret": None}, (401, "invalid_client", 7000218), id="no credential at all"),
            pytest.param({"scope": "User.Read"}, (400, "invalid_scope", 70011), id="scope without .default"),
            pytest.param(
                {"scope": "https://x.example/.default"}, (400, "invalid_resource", 500011), id="other resource"
            ),
            pytest.param({"scope": None}, (400, "invalid_request", 900144), id="scope missing"),
            pytest.param({"tenant": "common"}, (400, "invalid_request", 9001023), id="common is no tenant"),
        ],
    )
    def test_each_has_its_code(
        self, request_token: TokenRequest, changes: dict[str, str], expected: tuple[int, str, int]
    ) -> None:
        assert refusal(request_token(**changes)) == expected

    def test_the_body_has_microsofts_shape(self, request_token: TokenRequest) -> None:
        body = request_token(client_secret="wrong").json()
        assert body["error_description"].startswith("AADSTS7000215: Invalid client secret")
        assert {"timestamp", "trace_id", "correlation_id", "error_uri"} <= body.keys()

    def test_a_disabled_service_principal(self, control: SandboxControl, request_token: TokenRequest) -> None:
        control.grant_consent(TENANT, APP, enabled=False)
        assert refusal(request_token()) == (400, "unauthorized_client", 7000112)

    def test_an_unverified_status_is_a_switch(self, control: SandboxControl, request_token: TokenRequest) -> None:
        control.set_switches(token_error_statuses={"7000112": 401})
        control.grant_consent(TENANT, APP, enabled=False)
        assert request_token().status_code == 401

    def test_withdrawn_consent_ends_new_tokens(self, control: SandboxControl, request_token: TokenRequest) -> None:
        control.withdraw_consent(TENANT, APP)
        assert refusal(request_token())[2] == 700016

    @pytest.mark.parametrize(("code", "status"), [("90055", 429), ("90033", 503), ("53003", 400)])
    def test_any_code_can_be_forced_for_one_tenant(
        self, control: SandboxControl, request_token: TokenRequest, code: str, status: int
    ) -> None:
        control.grant_consent(NEIGHBOUR, APP, ROLES)
        control.add_fault("token_error", tenant=TENANT, code=code, retryAfter=3)
        response = request_token()
        assert (response.status_code, response.headers["Retry-After"]) == (status, "3")
        assert request_token(tenant=NEIGHBOUR).status_code == 200

    @pytest.mark.parametrize("authorization", ["Basic ???", "Basic " + base64.b64encode(b"\xff").decode(), "Basic"])
    def test_unreadable_basic_credentials_are_no_credentials(
        self, http: httpx.Client, audience: str, authorization: str
    ) -> None:
        form = {"grant_type": "client_credentials", "scope": SCOPE, "client_id": APP}
        response = http.post(audience, data=form, headers={"Authorization": authorization})
        assert refusal(response)[2] == 7000218


class TestCertificates:
    @pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
    def test_a_registered_certificate_is_a_credential(
        self,
        registered: Certificate,
        assertion_request: Callable[[str], httpx.Response],
        audience: str,
        algorithm: str,
    ) -> None:
        assert assertion_request(registered.assertion(audience, algorithm)).status_code == 200

    def test_one_that_is_not_registered(
        self, certificate: Certificate, assertion_request: Callable[[str], httpx.Response], audience: str
    ) -> None:
        assert refusal(assertion_request(certificate.assertion(audience))) == (401, "invalid_client", 700027)

    def test_a_foreign_key_under_a_registered_name(
        self, registered: Certificate, assertion_request: Callable[[str], httpx.Response], audience: str
    ) -> None:
        forger = Certificate()
        forger.certificate = registered.certificate
        assert refusal(assertion_request(forger.assertion(audience)))[2] == 700027

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            pytest.param({"exp": time.time() - 3_600}, 700024, id="expired"),
            pytest.param({"nbf": time.time() + 3_600, "exp": time.time() + 7_200}, 700024, id="not yet valid"),
            pytest.param({"aud": "https://elsewhere.example"}, 50027, id="made for another endpoint"),
            pytest.param({"iss": OTHER_APP}, 50027, id="issued by another app"),
        ],
    )
    def test_claims_are_checked(
        self,
        registered: Certificate,
        assertion_request: Callable[[str], httpx.Response],
        audience: str,
        changes: dict[str, Any],
        code: int,
    ) -> None:
        assert refusal(assertion_request(registered.assertion(audience, **changes)))[2] == code


class TestDiscovery:
    def test_the_configuration_names_the_endpoints_of_this_host(
        self, sandbox: SandboxProcess, http: httpx.Client
    ) -> None:
        url = f"https://{sandbox.authority}/{TENANT}/v2.0/.well-known/openid-configuration"
        body = http.get(url).json()
        root = f"https://{sandbox.authority}/{TENANT}"
        assert body["token_endpoint"] == f"{root}/oauth2/v2.0/token"
        assert {"issuer", "authorization_endpoint", "device_authorization_endpoint", "jwks_uri"} <= body.keys()

    def test_an_unknown_tenant_has_no_configuration(self, sandbox: SandboxProcess, http: httpx.Client) -> None:
        url = f"https://{sandbox.authority}/{UNKNOWN_TENANT}/v2.0/.well-known/openid-configuration"
        assert refusal(http.get(url)) == (400, "invalid_tenant", 90002)


class TestAzureIdentity:
    @pytest.fixture
    def options(self, sandbox: SandboxProcess) -> dict[str, Any]:
        return {
            "authority": f"https://{sandbox.authority}",
            "disable_instance_discovery": True,
            "connection_verify": str(sandbox.ca_file),
        }

    @pytest.fixture
    def secret_credential(self, options: dict[str, Any]) -> Iterator[azure.identity.ClientSecretCredential]:
        with azure.identity.ClientSecretCredential(TENANT, APP, SECRET, **options) as credential:
            yield credential

    def test_synchronous_secret(self, secret_credential: azure.identity.ClientSecretCredential) -> None:
        assert secret_credential.get_token(SCOPE).token

    def test_synchronous_certificate(self, registered: Certificate, options: dict[str, Any]) -> None:
        with azure.identity.CertificateCredential(
            TENANT, APP, certificate_data=registered.bundle, **options
        ) as credential:
            assert credential.get_token(SCOPE).token

    async def _token(self, credential: Any) -> str:
        async with credential:
            token: str = (await credential.get_token(SCOPE)).token
            return token

    def test_asynchronous_secret(self, options: dict[str, Any]) -> None:
        assert run(self._token(azure.identity.aio.ClientSecretCredential(TENANT, APP, SECRET, **options)))

    def test_asynchronous_certificate(self, registered: Certificate, options: dict[str, Any]) -> None:
        credential = azure.identity.aio.CertificateCredential(
            TENANT, APP, certificate_data=registered.bundle, **options
        )
        assert run(self._token(credential))

    def test_a_wrong_secret_is_an_authentication_error_with_its_code(self, options: dict[str, Any]) -> None:
        credential = azure.identity.aio.ClientSecretCredential(TENANT, APP, "wrong", **options)
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            run(self._token(credential))

    def test_a_busy_token_endpoint_is_asked_again(self, control: SandboxControl, options: dict[str, Any]) -> None:
        control.add_fault("token_error", code="90055", retryAfter=0, times=1)
        assert run(self._token(azure.identity.aio.ClientSecretCredential(TENANT, APP, SECRET, **options)))


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)
