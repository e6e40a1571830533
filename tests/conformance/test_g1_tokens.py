"""G1.1 to G1.3 and G1.5: tokens and discovery, spoken to by hand and by azure-identity."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import azure.identity
import azure.identity.aio
import httpx
import jwt
import pytest

from tests.conformance.conftest import TokenRequest
from tests.conformance.credentials import SCOPE, Certificate, refusal
from tests.conformance.school import APP, DOMAIN, NEIGHBOUR, OTHER_APP, ROLES, SECRET, TENANT
from tests.sandbox_process import SandboxControl, SandboxProcess

UNKNOWN_TENANT = "00000000-1111-2222-3333-444444444444"


class TestG13Success:
    def test_g1_3_a_secret_buys_a_bearer_token_of_about_an_hour(self, request_token: TokenRequest) -> None:
        body = request_token().json()
        assert (body["token_type"], body["expires_in"], body["ext_expires_in"]) == ("Bearer", 3599, 3599)

    def test_g1_3_the_token_names_tenant_app_and_consented_roles(self, request_token: TokenRequest) -> None:
        claims = jwt.decode(request_token().json()["access_token"], options={"verify_signature": False})
        assert (claims["tid"], claims["appid"], claims["roles"]) == (TENANT, APP, ROLES)

    def test_g1_3_the_tenant_may_be_named_by_domain(self, request_token: TokenRequest) -> None:
        assert request_token(tenant=DOMAIN).status_code == 200

    def test_g1_3_without_permissions_a_token_is_issued_that_has_no_roles(
        self, control: SandboxControl, request_token: TokenRequest
    ) -> None:
        control.grant_consent(NEIGHBOUR, APP, [])
        response = request_token(tenant=NEIGHBOUR)
        claims = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
        assert response.status_code == 200
        assert "roles" not in claims

    def test_g1_3_basic_authentication_is_accepted(self, http: httpx.Client, audience: str) -> None:
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        assert http.post(audience, data=form, auth=(APP, SECRET.replace(" ", "%20"))).status_code == 200

    def test_g1_3_the_claims_parameter_of_kiota_is_accepted(self, request_token: TokenRequest) -> None:
        assert request_token(claims='{"access_token":{"xms_cc":{"values":["CP1"]}}}').status_code == 200

    def test_g1_3_the_signature_can_be_checked_with_the_published_key(
        self, sandbox: SandboxProcess, http: httpx.Client, request_token: TokenRequest
    ) -> None:
        key = http.get(f"https://{sandbox.authority}/{TENANT}/discovery/v2.0/keys").json()["keys"][0]
        token = request_token().json()["access_token"]
        public = jwt.PyJWK(key, "RS256").key
        assert jwt.decode(token, public, ["RS256"], audience="https://graph.microsoft.com")["tid"] == TENANT


class TestG12Certificates:
    @pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
    def test_g1_2_a_registered_certificate_is_a_credential(
        self,
        registered: Certificate,
        assertion_request: Callable[[str], httpx.Response],
        audience: str,
        algorithm: str,
    ) -> None:
        assert assertion_request(registered.assertion(audience, algorithm)).status_code == 200

    @pytest.mark.parametrize(("name", "digest"), [("x5t", "sha1"), ("x5t#S256", "sha256")])
    @pytest.mark.parametrize("padding", ["", "="])
    def test_g1_2_it_may_be_named_by_either_fingerprint(
        self,
        registered: Certificate,
        assertion_request: Callable[[str], httpx.Response],
        audience: str,
        name: str,
        digest: str,
        padding: str,
    ) -> None:
        header = {name: registered.fingerprint(digest) + padding}
        assert assertion_request(registered.assertion(audience, header=header)).status_code == 200

    @pytest.mark.parametrize("kind", [int, float])
    def test_g1_2_times_may_be_whole_or_not(
        self,
        registered: Certificate,
        assertion_request: Callable[[str], httpx.Response],
        audience: str,
        kind: type,
    ) -> None:
        times = {"nbf": kind(time.time()), "exp": kind(time.time() + 1_800)}
        assert assertion_request(registered.assertion(audience, **times)).status_code == 200

    def test_g1_2_one_that_is_not_registered(
        self, certificate: Certificate, assertion_request: Callable[[str], httpx.Response], audience: str
    ) -> None:
        assert refusal(assertion_request(certificate.assertion(audience))) == (401, "invalid_client", 700027)

    def test_g1_2_a_foreign_key_under_a_registered_name(
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
            pytest.param({"exp": "tomorrow"}, 50027, id="times that are no numbers"),
        ],
    )
    def test_g1_2_claims_are_checked(
        self,
        registered: Certificate,
        assertion_request: Callable[[str], httpx.Response],
        audience: str,
        changes: dict[str, Any],
        code: int,
    ) -> None:
        assert refusal(assertion_request(registered.assertion(audience, **changes)))[2] == code


class TestG15Discovery:
    def test_g1_5_the_configuration_names_the_endpoints_of_this_host(
        self, sandbox: SandboxProcess, http: httpx.Client
    ) -> None:
        url = f"https://{sandbox.authority}/{TENANT}/v2.0/.well-known/openid-configuration"
        body = http.get(url).json()
        root = f"https://{sandbox.authority}/{TENANT}"
        assert body["token_endpoint"] == f"{root}/oauth2/v2.0/token"
        assert {"issuer", "authorization_endpoint", "device_authorization_endpoint", "jwks_uri"} <= body.keys()

    def test_g1_5_the_instance_list_knows_microsofts_names_and_this_address(
        self, sandbox: SandboxProcess, http: httpx.Client
    ) -> None:
        url = f"https://{sandbox.authority}/common/discovery/instance"
        asked = {
            "api-version": "1.1",
            "authorization_endpoint": f"https://login.microsoftonline.com/{TENANT}/authorize",
        }
        (microsoft,) = http.get(url, params=asked).json()["metadata"]
        (own,) = http.get(url).json()["metadata"]
        assert {"login.microsoftonline.com", "login.windows.net"} <= set(microsoft["aliases"])
        assert own["aliases"] == [sandbox.authority]

    def test_g1_5_an_unknown_tenant_has_no_configuration(self, sandbox: SandboxProcess, http: httpx.Client) -> None:
        url = f"https://{sandbox.authority}/{UNKNOWN_TENANT}/v2.0/.well-known/openid-configuration"
        assert refusal(http.get(url)) == (400, "invalid_tenant", 90002)


class TestG11AzureIdentity:
    @pytest.fixture
    def secret_credential(self, azure_options: dict[str, Any]) -> Iterator[azure.identity.ClientSecretCredential]:
        with azure.identity.ClientSecretCredential(TENANT, APP, SECRET, **azure_options) as credential:
            yield credential

    def test_g1_1_a_secret_synchronously(self, secret_credential: azure.identity.ClientSecretCredential) -> None:
        assert secret_credential.get_token(SCOPE).token

    def test_g1_1_a_secret_asynchronously(self, azure_options: dict[str, Any]) -> None:
        assert token_of(azure.identity.aio.ClientSecretCredential(TENANT, APP, SECRET, **azure_options))

    @pytest.mark.parametrize("sends_chain", [False, True], ids=["name only", "with the chain"])
    def test_g1_2_a_certificate_synchronously(
        self, registered: Certificate, azure_options: dict[str, Any], sends_chain: bool
    ) -> None:
        options = {**azure_options, "certificate_data": registered.bundle, "send_certificate_chain": sends_chain}
        with azure.identity.CertificateCredential(TENANT, APP, **options) as credential:
            assert credential.get_token(SCOPE).token

    @pytest.mark.parametrize("sends_chain", [False, True], ids=["name only", "with the chain"])
    def test_g1_2_a_certificate_asynchronously(
        self, registered: Certificate, azure_options: dict[str, Any], sends_chain: bool
    ) -> None:
        options = {**azure_options, "certificate_data": registered.bundle, "send_certificate_chain": sends_chain}
        assert token_of(azure.identity.aio.CertificateCredential(TENANT, APP, **options))

    def test_g1_3_the_claims_of_continuous_access_evaluation_are_accepted(self, azure_options: dict[str, Any]) -> None:
        credential = azure.identity.aio.ClientSecretCredential(TENANT, APP, SECRET, **azure_options)
        assert token_of(credential, enable_cae=True)

    def test_g1_5_a_second_token_comes_from_the_cache_of_the_client(
        self, secret_credential: azure.identity.ClientSecretCredential, control: SandboxControl
    ) -> None:
        first, second = (secret_credential.get_token(SCOPE).token for _ in range(2))
        assert first == second
        assert control.counters()["total"]["tokens"] == 1


def token_of(credential: Any, **options: Any) -> str:
    """One token of an asynchronous credential, on a loop of its own."""

    async def ask() -> str:
        async with credential:
            token: str = (await credential.get_token(SCOPE, **options)).token
            return token

    return asyncio.run(ask())
