"""G1.4: every way in which the token endpoint says no, row by row, and what azure-identity makes of it."""

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any

import azure.identity
import azure.identity.aio
import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError

from tests.conformance.conftest import TokenRequest
from tests.conformance.credentials import SCOPE, Certificate, refusal
from tests.conformance.school import APP, EXPIRED_SECRET, NEIGHBOUR, OTHER_APP, ROLES, SECRET, TENANT
from tests.sandbox_process import SandboxControl, SandboxProcess

UNKNOWN_TENANT = "00000000-1111-2222-3333-444444444444"
AssertionRequest = Callable[[str], httpx.Response]
Forced = Callable[..., httpx.Response]


def text(response: httpx.Response) -> str:
    said: str = response.json()["error_description"]
    return said


@pytest.fixture
def forced(control: SandboxControl, request_token: TokenRequest) -> Forced:
    """The answer to a request that would succeed, with the code ordered for this tenant alone."""

    def force(code: str, **fault: Any) -> httpx.Response:
        control.grant_consent(NEIGHBOUR, APP, ROLES)
        control.clear_faults()
        control.add_fault("token_error", tenant=TENANT, code=code, **fault)
        assert request_token(tenant=NEIGHBOUR).status_code == 200
        return request_token()

    return force


class TestG14Rows:
    def test_g1_4_01_tenant_unknown(self, control: SandboxControl, request_token: TokenRequest) -> None:
        assert refusal(request_token(tenant=UNKNOWN_TENANT)) == (400, "invalid_request", 90002)
        control.set_switches(unknown_tenant_error="invalid_tenant")
        assert refusal(request_token(tenant=UNKNOWN_TENANT)) == (400, "invalid_tenant", 90002)

    @pytest.mark.parametrize("changes", [{"tenant": NEIGHBOUR}, {"client_id": OTHER_APP}])
    def test_g1_4_02_app_not_consented(self, request_token: TokenRequest, changes: dict[str, str]) -> None:
        response = request_token(**changes)
        assert refusal(response) == (400, "unauthorized_client", 700016)
        assert "was not found in the directory" in text(response)

    def test_g1_4_03_wrong_secret(self, request_token: TokenRequest) -> None:
        assert refusal(request_token(client_secret="wrong")) == (401, "invalid_client", 7000215)

    def test_g1_4_04_expired_secret(self, request_token: TokenRequest) -> None:
        response = request_token(client_secret=EXPIRED_SECRET)
        assert refusal(response) == (401, "invalid_client", 7000222)
        assert "are expired" in text(response)

    def test_g1_4_05_neither_secret_nor_assertion(self, request_token: TokenRequest) -> None:
        assert refusal(request_token(client_secret=None)) == (401, "invalid_client", 7000218)

    @pytest.mark.parametrize("authorization", ["Basic ???", "Basic " + base64.b64encode(b"\xff").decode(), "Basic"])
    def test_g1_4_05_unreadable_basic_credentials_are_none(
        self, http: httpx.Client, audience: str, authorization: str
    ) -> None:
        form = {"grant_type": "client_credentials", "scope": SCOPE, "client_id": APP}
        assert refusal(http.post(audience, data=form, headers={"Authorization": authorization}))[2] == 7000218

    def test_g1_4_06_service_principal_disabled(
        self, control: SandboxControl, request_token: TokenRequest, forced: Forced
    ) -> None:
        assert refusal(forced("70001")) == (400, "unauthorized_client", 70001)
        control.clear_faults()
        control.grant_consent(TENANT, APP, enabled=False)
        response = request_token()
        assert refusal(response) == (400, "unauthorized_client", 7000112)
        assert f"Application '{APP}' is disabled" in text(response)
        control.set_switches(token_error_statuses={"7000112": 401})
        assert request_token().status_code == 401
        control.grant_consent(TENANT, APP, enabled=True)
        assert request_token().status_code == 200

    def test_g1_4_07_certificate_not_registered(
        self, certificate: Certificate, assertion_request: AssertionRequest, audience: str
    ) -> None:
        assert refusal(assertion_request(certificate.assertion(audience))) == (401, "invalid_client", 700027)

    def test_g1_4_07_assertion_signature_wrong(
        self, registered: Certificate, assertion_request: AssertionRequest, audience: str
    ) -> None:
        forger = Certificate()
        forger.certificate = registered.certificate
        assert refusal(assertion_request(forger.assertion(audience))) == (401, "invalid_client", 700027)

    @pytest.mark.parametrize("hours", [-1, 1], ids=["over", "not begun"])
    def test_g1_4_08_assertion_outside_its_validity(
        self, registered: Certificate, assertion_request: AssertionRequest, audience: str, hours: int
    ) -> None:
        times = {"nbf": time.time() + hours * 3_600, "exp": time.time() + hours * 3_600 + 600}
        assert refusal(assertion_request(registered.assertion(audience, **times))) == (401, "invalid_client", 700024)

    @pytest.mark.parametrize("code", [50012, 700030])
    def test_g1_4_09_certificate_key_or_subject_not_authorised(self, forced: Forced, code: int) -> None:
        assert refusal(forced(str(code))) == (401, "invalid_client", code)

    def test_g1_4_10_resource_not_provisioned(self, request_token: TokenRequest) -> None:
        response = request_token(scope="https://x.example/.default")
        assert refusal(response) == (400, "invalid_resource", 500011)

    @pytest.mark.parametrize("scope", ["User.Read", f"{SCOPE} {SCOPE}", "https://graph.microsoft.com/User.Read.All"])
    def test_g1_4_11_bad_scope_string(self, request_token: TokenRequest, scope: str) -> None:
        assert refusal(request_token(scope=scope)) == (400, "invalid_scope", 70011)

    @pytest.mark.parametrize("name", ["client_id", "grant_type", "scope"])
    def test_g1_4_12_missing_parameter(self, request_token: TokenRequest, name: str) -> None:
        response = request_token(**{name: None})
        assert refusal(response) == (400, "invalid_request", 900144)
        assert f"'{name}'" in text(response)

    def test_g1_4_13_blocked_by_conditional_access(self, forced: Forced) -> None:
        assert refusal(forced("53003")) == (400, "invalid_grant", 53003)

    def test_g1_4_14_pre_consent_for_partner_admins(self, forced: Forced) -> None:
        response = forced("90099")
        assert (response.status_code, response.json()["error_codes"]) == (400, [90099])

    @pytest.mark.parametrize("code", [90038, 900382, 900432])
    def test_g1_4_15_wrong_cloud(self, forced: Forced, code: int) -> None:
        assert refusal(forced(str(code))) == (400, "invalid_request", code)

    @pytest.mark.parametrize(("code", "status"), [(90055, 429), (90024, 429), (90033, 503), (90006, 503)])
    def test_g1_4_16_tenant_throttled_or_service_busy(self, forced: Forced, code: int, status: int) -> None:
        response = forced(str(code), retryAfter=3)
        assert refusal(response) == (status, "temporarily_unavailable", code)
        assert response.headers["Retry-After"] == "3"

    def test_g1_4_17_request_loop(self, forced: Forced) -> None:
        assert refusal(forced("50196")) == (400, "invalid_grant", 50196)

    @pytest.mark.parametrize(
        "code",
        [
            *(50012, 50196, 53003, 70001, 70011, 90002, 90006, 90024, 90033, 90038, 90055, 90099, 500011, 700016),
            *(700024, 700027, 700030, 900144, 900382, 900432, 7000112, 7000215, 7000218, 7000222),
        ],
    )
    def test_g1_4_every_code_can_be_ordered_for_one_tenant(self, forced: Forced, code: int) -> None:
        body = forced(str(code)).json()
        assert body["error_codes"] == [code]
        assert body["error_description"].startswith(f"AADSTS{code}: ")


class TestG14Body:
    def test_g1_4_has_microsofts_shape(self, request_token: TokenRequest) -> None:
        body = request_token(client_secret="wrong").json()
        assert body["error_description"].startswith("AADSTS7000215: Invalid client secret provided")
        assert body.keys() == {
            *("error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri")
        }
        assert f" Trace ID: {body['trace_id']} Correlation ID: {body['correlation_id']}" in body["error_description"]
        assert body["error_uri"].endswith("code=7000215")

    def test_g1_4_older_answers_break_lines(self, control: SandboxControl, request_token: TokenRequest) -> None:
        control.set_switches(token_error_line_breaks=True)
        assert "\r\nTrace ID: " in text(request_token(client_secret="wrong"))

    @pytest.mark.parametrize("tenant", ["common", "consumers", "organizations"])
    def test_g1_1_shared_authorities_are_no_tenants(self, request_token: TokenRequest, tenant: str) -> None:
        assert refusal(request_token(tenant=tenant)) == (400, "invalid_request", 9001023)


class TestG14AzureIdentity:
    def raised(self, secret: str, options: dict[str, Any], tenant: str = TENANT) -> ClientAuthenticationError:
        """What the asynchronous credential raises."""

        async def ask() -> None:
            async with azure.identity.aio.ClientSecretCredential(tenant, APP, secret, **options) as credential:
                await credential.get_token(SCOPE)

        with pytest.raises(ClientAuthenticationError) as refused:
            asyncio.run(ask())
        return refused.value

    def raised_in_sync(self, secret: str, options: dict[str, Any], tenant: str = TENANT) -> ClientAuthenticationError:
        with (
            azure.identity.ClientSecretCredential(tenant, APP, secret, **options) as credential,
            pytest.raises(ClientAuthenticationError) as refused,
        ):
            credential.get_token(SCOPE)
        return refused.value

    def test_g1_4_a_wrong_secret_is_an_error_with_its_code_and_answer(self, azure_options: dict[str, Any]) -> None:
        error = self.raised("wrong", azure_options)
        assert "AADSTS7000215" in str(error)
        assert error.response is not None
        assert error.response.status_code == 401

    def test_g1_4_the_synchronous_one_has_the_code_too(self, azure_options: dict[str, Any]) -> None:
        assert "AADSTS7000215" in str(self.raised_in_sync("wrong", azure_options))

    def test_g1_4_an_unknown_tenant_has_no_code_in_the_synchronous_one(self, azure_options: dict[str, Any]) -> None:
        assert "AADSTS90002" in str(self.raised(SECRET, azure_options, UNKNOWN_TENANT))
        error = self.raised_in_sync(SECRET, azure_options, UNKNOWN_TENANT)
        assert "Unable to get authority configuration" in str(error)
        assert "AADSTS" not in str(error)

    @pytest.mark.parametrize(("code", "status"), [("90055", 429), ("90033", 503)])
    def test_g1_4_throttling_is_an_authentication_error_as_well(
        self, control: SandboxControl, azure_options: dict[str, Any], code: str, status: int
    ) -> None:
        control.add_fault("token_error", code=code, retryAfter=0)
        error = self.raised(SECRET, {**azure_options, "retry_total": 0})
        assert error.response is not None
        assert error.response.status_code == status

    def test_g1_4_a_busy_endpoint_is_asked_three_times_more(
        self, control: SandboxControl, azure_options: dict[str, Any]
    ) -> None:
        control.add_fault("token_error", code="90055", retryAfter=0)
        self.raised(SECRET, {**azure_options, "retry_backoff_factor": 0})
        (fault,) = control.faults()
        assert fault["hits"] == 4

    def test_g1_4_a_body_need_not_be_json(
        self, sandbox: SandboxProcess, control: SandboxControl, azure_options: dict[str, Any]
    ) -> None:
        control.add_fault("unavailable", route="token", body="html")
        assert "Service unavailable" in str(self.raised(SECRET, {**azure_options, "retry_total": 0}))
