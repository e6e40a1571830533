"""G10.3: one app in many tenants. Consent is given and withdrawn per permission; a new token brings it to the app."""

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qs, urlparse

import httpx
import jwt
import pytest

from tests.conformance.conftest import TokenRequest
from tests.conformance.credentials import refusal
from tests.conformance.school import APP, NEIGHBOUR, OTHER_APP, ROLES, TENANT, WITH_A1
from tests.sandbox_process import SandboxControl, SandboxProcess

RETURN_TO = "https://service.example/consent"
LOCATION = {"usageLocation": "BE"}


def roles(response: httpx.Response) -> list[str]:
    claims = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
    found: list[str] = claims.get("roles", [])
    return found


class TestG103Permissions:
    @pytest.mark.parametrize("role", ROLES)
    def test_g10_3_each_is_withdrawn_and_given_by_itself(
        self, control: SandboxControl, request_token: TokenRequest, role: str
    ) -> None:
        control.withdraw_consent(TENANT, APP, [role])
        assert roles(request_token()) == [held for held in ROLES if held != role]
        control.grant_consent(TENANT, APP, [role])
        assert roles(request_token()) == ROLES

    def test_g10_3_a_change_reaches_the_app_with_a_new_token_alone(
        self, graph: httpx.Client, control: SandboxControl, authorize: Callable[..., dict[str, str]]
    ) -> None:
        control.withdraw_consent(TENANT, APP, ["User.ReadWrite.All"])
        assert graph.patch(f"/users/{WITH_A1}", json=LOCATION).status_code == 204
        fresh = authorize()
        assert graph.patch(f"/users/{WITH_A1}", json=LOCATION, headers=fresh).status_code == 403
        control.grant_consent(TENANT, APP, ["User.ReadWrite.All"])
        assert graph.patch(f"/users/{WITH_A1}", json=LOCATION, headers=fresh).status_code == 403
        assert graph.patch(f"/users/{WITH_A1}", json=LOCATION, headers=authorize()).status_code == 204

    def test_g10_3_consent_in_one_tenant_is_none_in_another(self, request_token: TokenRequest) -> None:
        assert refusal(request_token(tenant=NEIGHBOUR)) == (400, "unauthorized_client", 700016)

    def test_g10_3_without_any_permission_a_token_comes_all_the_same(
        self, control: SandboxControl, request_token: TokenRequest
    ) -> None:
        control.withdraw_consent(TENANT, APP, ROLES)
        assert (request_token().status_code, roles(request_token())) == (200, [])

    def test_g10_3_without_a_service_principal_no_token_comes(
        self, control: SandboxControl, request_token: TokenRequest
    ) -> None:
        control.withdraw_consent(TENANT, APP)
        assert refusal(request_token())[2] == 700016

    def test_g10_3_a_disabled_service_principal_keeps_the_token_it_has(
        self, graph: httpx.Client, control: SandboxControl, request_token: TokenRequest
    ) -> None:
        control.grant_consent(TENANT, APP, enabled=False)
        assert request_token().status_code == 400
        assert graph.get("/organization").status_code == 200


class TestG103FreshConsent:
    @pytest.fixture
    def slow(self, control: SandboxControl) -> SandboxControl:
        control.set_switches(consent_delay_seconds=120)
        return control

    def test_g10_3_a_first_consent_may_be_unknown_for_a_while(
        self, slow: SandboxControl, request_token: TokenRequest
    ) -> None:
        slow.grant_consent(NEIGHBOUR, APP, ROLES)
        assert refusal(request_token(tenant=NEIGHBOUR))[2] == 700016
        slow.set_clock(advance=121)
        assert roles(request_token(tenant=NEIGHBOUR)) == ROLES

    def test_g10_3_or_its_roles_may_be_missing(self, slow: SandboxControl, request_token: TokenRequest) -> None:
        slow.set_switches(fresh_consent="missing_roles")
        slow.grant_consent(NEIGHBOUR, APP, ROLES)
        assert roles(request_token(tenant=NEIGHBOUR)) == []
        slow.set_clock(advance=121)
        assert roles(request_token(tenant=NEIGHBOUR)) == ROLES

    def test_g10_3_a_permission_added_later_is_missing_for_a_while(
        self, slow: SandboxControl, request_token: TokenRequest
    ) -> None:
        slow.grant_consent(TENANT, APP, ["Directory.Read.All"])
        assert roles(request_token()) == ROLES
        slow.set_clock(advance=121)
        assert roles(request_token()) == sorted([*ROLES, "Directory.Read.All"])

    def test_g10_3_a_repeated_consent_delays_nothing(self, slow: SandboxControl, request_token: TokenRequest) -> None:
        slow.grant_consent(TENANT, APP, ROLES)
        assert roles(request_token()) == ROLES


class TestG103ConsentPage:
    def consent(self, sandbox: SandboxProcess, http: httpx.Client, **changes: str) -> httpx.Response:
        options = {"client_id": APP, "redirect_uri": RETURN_TO, "state": "signed state"} | changes
        return http.get(f"https://{sandbox.authority}/{NEIGHBOUR}/adminconsent", params=options)

    def test_g10_3_grants_what_the_app_asks_for_and_goes_back(
        self, sandbox: SandboxProcess, http: httpx.Client, request_token: TokenRequest
    ) -> None:
        assert request_token(tenant=NEIGHBOUR).status_code == 400
        response = self.consent(sandbox, http)
        assert response.status_code == 302
        location = urlparse(response.headers["Location"])
        assert f"{location.scheme}://{location.netloc}{location.path}" == RETURN_TO
        answer = {"tenant": [NEIGHBOUR], "state": ["signed state"], "admin_consent": ["True"]}
        assert parse_qs(location.query) == answer
        assert request_token(tenant=NEIGHBOUR).status_code == 200

    def test_g10_3_an_administrator_may_refuse(
        self, sandbox: SandboxProcess, control: SandboxControl, http: httpx.Client, request_token: TokenRequest
    ) -> None:
        control.add_fault("consent_refused", tenant=NEIGHBOUR)
        answer = parse_qs(urlparse(self.consent(sandbox, http).headers["Location"]).query)
        assert answer["error"] == ["permission_denied"]
        assert request_token(tenant=NEIGHBOUR).status_code == 400

    def test_g10_3_fresh_consent_may_take_a_while(
        self, sandbox: SandboxProcess, control: SandboxControl, http: httpx.Client, request_token: TokenRequest
    ) -> None:
        control.set_switches(consent_delay_seconds=120)
        self.consent(sandbox, http)
        assert request_token(tenant=NEIGHBOUR).json()["error_codes"] == [700016]
        control.set_clock(advance=121)
        assert request_token(tenant=NEIGHBOUR).status_code == 200

    def test_g10_3_only_registered_addresses_are_returned_to(
        self, sandbox: SandboxProcess, control: SandboxControl, http: httpx.Client
    ) -> None:
        control.register_app(APP, redirectUris=[RETURN_TO])
        assert self.consent(sandbox, http).status_code == 302
        assert self.consent(sandbox, http, redirect_uri="https://evil.example").status_code == 400

    def test_g10_3_without_an_address_there_is_nowhere_to_go(self, sandbox: SandboxProcess, http: httpx.Client) -> None:
        assert self.consent(sandbox, http, redirect_uri="").status_code == 400

    def test_g10_3_an_unknown_app_gets_nowhere(self, sandbox: SandboxProcess, http: httpx.Client) -> None:
        assert self.consent(sandbox, http, client_id=OTHER_APP[::-1]).status_code == 400

    def test_g10_3_a_page_may_ask_first(
        self, sandbox: SandboxProcess, control: SandboxControl, http: httpx.Client, request_token: TokenRequest
    ) -> None:
        control.set_switches(admin_consent="asks")
        page = self.consent(sandbox, http)
        assert (page.status_code, "User.ReadWrite.All" in page.text) == (200, True)
        assert request_token(tenant=NEIGHBOUR).status_code == 400
        cancelled = self.consent(sandbox, http, answer="cancel")
        answer = parse_qs(urlparse(cancelled.headers["Location"]).query)
        assert answer["error"] == ["permission_denied"]
        assert "admin_consent" not in answer
        assert request_token(tenant=NEIGHBOUR).status_code == 400
        assert self.consent(sandbox, http, answer="accept").status_code == 302
        assert request_token(tenant=NEIGHBOUR).status_code == 200

    def test_g10_3_the_links_of_the_page_lead_on(
        self, sandbox: SandboxProcess, control: SandboxControl, http: httpx.Client
    ) -> None:
        control.set_switches(admin_consent="asks")
        accept, cancel = re.findall(r'href="([^"]+)"', self.consent(sandbox, http).text)
        answers = [http.get(f"https://{sandbox.authority}{unescape(link)}") for link in (accept, cancel)]
        queries = [parse_qs(urlparse(answer.headers["Location"]).query) for answer in answers]
        assert [query.get("admin_consent") for query in queries] == [["True"], None]
        assert {query["state"][0] for query in queries} == {"signed state"}
