"""G3.4: the error catalogue of assignLicense. One test or more per row, named after it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conformance.actions import batch, change, change_body, item, message, skus_of, states
from tests.conformance.reading import refusal
from tests.conformance.school import (
    A1,
    A3,
    A5,
    GROUP,
    INHERITING,
    MCOEV,
    NOT_OWNED,
    PHONE,
    SHAREPOINT_OF_A1,
    SHAREPOINT_OF_A3,
    SKYPE,
    TEAMS,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
    YAMMER,
)
from tests.sandbox_process import SandboxControl

BAD_REQUEST = (400, "Request_BadRequest")


@pytest.fixture
def refused(graph: httpx.Client, control: SandboxControl) -> Callable[..., str]:
    """The sentence of a refused change, after seeing that it is a bad request and that nothing changed."""

    def refuse(user: str, add: list[Any] | None = None, remove: list[str] | None = None) -> str:
        before, written = states(graph, user), len(list(control.ledger()))
        response = change(graph, user, add, remove)
        assert refusal(response) == BAD_REQUEST
        assert states(graph, user) == before
        assert len(list(control.ledger())) == written
        return message(response)

    return refuse


Refused = Callable[..., str]


class TestG34BadRequests:
    def test_g3_4_01_usage_location(self, refused: Refused) -> None:
        text = "License assignment cannot be done for user with invalid usage location."
        assert refused(WITHOUT_LOCATION, [A1]) == text

    def test_g3_4_02_service_not_sold_there(self, control: SandboxControl, refused: Refused) -> None:
        control.set_switches(unsupported_locations=["NL"])
        assert "not available in the usage location" in refused(WITH_NOTHING, [A1])

    def test_g3_4_03_no_seats(self, graph: httpx.Client, refused: Refused) -> None:
        assert change(graph, WITH_NOTHING, [A5]).status_code == 200
        text = f"Subscription with SKU {A5} does not have any available licenses."
        assert refused(INHERITING, [A5]) == text

    def test_g3_4_04_sku_not_owned(self, refused: Refused) -> None:
        text = f"License {NOT_OWNED} does not correspond to a valid company License."
        assert refused(WITH_NOTHING, [NOT_OWNED]) == text

    @pytest.mark.parametrize("add", [[], [A3]], ids=["a pure removal", "a swap of nothing"])
    def test_g3_4_05_not_held(self, refused: Refused, add: list[str]) -> None:
        assert refused(WITH_NOTHING, add, [A1]) == "User does not have a corresponding license."

    def test_g3_4_06_inherited_only(self, refused: Refused) -> None:
        text = "User license is inherited from a group membership and it cannot be removed directly from the user."
        assert refused(INHERITING, [], [A3]) == text

    def test_g3_4_07_dependency(self, refused: Refused) -> None:
        text = f"License assignment failed because service plan {MCOEV} depends on the service plan(s) {SKYPE}, {TEAMS}"
        assert refused(WITH_NOTHING, [PHONE]) == text

    def test_g3_4_07_dependency_of_what_stays(self, graph: httpx.Client, refused: Refused) -> None:
        assert change(graph, WITH_NOTHING, [PHONE, A3]).status_code == 200
        assert "depends on the service plan(s)" in refused(WITH_NOTHING, [], [A3])

    def test_g3_4_08_conflict(self, refused: Refused) -> None:
        plans = f"{SHAREPOINT_OF_A3}, {SHAREPOINT_OF_A1}"
        text = f"License assignment failed because service plans {plans} are mutually exclusive."
        assert refused(WITH_A1, [A3]) == text

    def test_g3_4_09_proxy_address_clash(self, control: SandboxControl, refused: Refused) -> None:
        control.set_switches(proxy_address_clashes=[WITH_NOTHING])
        text = "Another object with the same value for property proxyAddresses already exists."
        assert refused(WITH_NOTHING, [A1]) == text

    @pytest.mark.parametrize(
        ("body", "missing"),
        [
            ({"addLicenses": []}, "removeLicenses"),
            ({"removeLicenses": []}, "addLicenses"),
            ({}, "addLicenses, removeLicenses"),
        ],
    )
    def test_g3_4_10_parameter_missing(self, graph: httpx.Client, body: dict[str, list[str]], missing: str) -> None:
        response = graph.post(f"/users/{WITH_A1}/assignLicense", json=body)
        assert refusal(response) == BAD_REQUEST
        assert message(response) == (
            "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
            f"The missing parameters are: {missing}."
        )

    @pytest.mark.parametrize("content", [b"{", b"[]", b'{"addLicenses": null, "removeLicenses": []}'])
    def test_g3_4_10_body_unreadable(self, graph: httpx.Client, content: bytes) -> None:
        assert graph.post(f"/users/{WITH_A1}/assignLicense", content=content).status_code == 400

    def test_g3_4_11_guid_malformed(self, refused: Refused) -> None:
        assert refused(WITH_NOTHING, ["not-a-guid"]) == (
            "Cannot convert the literal 'not-a-guid' to the expected type 'Edm.Guid'."
        )

    def test_g3_4_12_disabled_plan_of_another_sku(
        self, graph: httpx.Client, control: SandboxControl, refused: Refused
    ) -> None:
        refused(WITH_NOTHING, [(A1, [MCOEV])])
        control.set_switches(invalid_disabled_plan="ignore")
        assert change(graph, WITH_NOTHING, [(A1, [MCOEV, YAMMER])]).status_code == 200
        assert states(graph, WITH_NOTHING)[0]["disabledPlans"] == [YAMMER]

    def test_g3_4_a_refused_call_applies_no_part_of_itself(self, graph: httpx.Client, refused: Refused) -> None:
        refused(WITH_A1, [NOT_OWNED], [A1])
        assert skus_of(graph, WITH_A1) == {A1}


class TestG34OtherRefusals:
    def test_g3_4_13_user_missing(self, graph: httpx.Client) -> None:
        response = change(graph, GROUP, [A1])
        assert refusal(response) == (404, "Request_ResourceNotFound")
        assert message(response) == (
            f"Resource '{GROUP}' does not exist or one of its queried reference-property objects are not present."
        )

    def test_g3_4_13_user_too_new(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_lag(300)
        fresh = control.add_user(TENANT, userPrincipalName="fresh@school.example", usageLocation="NL")["id"]
        assert change(graph, fresh, [A1]).status_code == 404
        control.set_clock(advance=301)
        assert change(graph, fresh, [A1]).status_code == 200

    def test_g3_4_14_permission_missing(self, limited_graph: Callable[..., httpx.Client]) -> None:
        response = change(limited_graph("User.Read.All"), WITH_A1, [A1])
        assert refusal(response) == (403, "Authorization_RequestDenied")
        assert message(response) == "Insufficient privileges to complete the operation."

    def test_g3_4_14_the_least_privileged_permission_is_enough(
        self, limited_graph: Callable[..., httpx.Client]
    ) -> None:
        assert change(limited_graph("LicenseAssignment.ReadWrite.All"), WITH_A1, [A1]).status_code == 200

    @pytest.mark.parametrize(
        ("authorization", "text"),
        [("", "Access token is empty."), ("Bearer abc", "Access token validation failure.")],
    )
    def test_g3_4_15_token_absent_or_malformed(self, graph: httpx.Client, authorization: str, text: str) -> None:
        response = change(graph, WITH_A1, [A1], Authorization=authorization)
        assert refusal(response) == (401, "InvalidAuthenticationToken")
        assert message(response) == text

    def test_g3_4_15_token_expired(
        self, control: SandboxControl, graph: httpx.Client, authorize: Callable[..., dict[str, str]]
    ) -> None:
        control.set_switches(token_lifetime_seconds=0)
        response = change(graph, WITH_A1, [A1], **authorize())
        assert refusal(response) == (401, "InvalidAuthenticationToken")
        assert message(response) == "Lifetime validation failed, the token is expired."

    def test_g3_4_16_concurrent_writes(self, graph: httpx.Client) -> None:
        twice = (item(n, "POST", f"/users/{WITH_NOTHING}/assignLicense", change_body([A1])) for n in range(2))
        found = batch(graph, *twice).json()["responses"]
        (conflict,) = (answer for answer in found if answer["status"] != 200)
        assert (conflict["status"], conflict["body"]["error"]["code"]) == (409, "Directory_ConcurrencyViolation")
        assert conflict["body"]["error"]["message"] == (
            "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
        )

    def test_g3_4_17_throttled(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_quotas(app_tenant_writes={"capacity": 1, "window": 3_600})
        assert change(graph, WITH_A1, [A1]).status_code == 200
        response = change(graph, WITH_A1, [A1])
        assert refusal(response) == (429, "TooManyRequests")
        assert int(response.headers["Retry-After"]) > 0

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    def test_g3_4_18_wrong_method(self, graph: httpx.Client, method: str) -> None:
        response = graph.request(method, f"/users/{WITH_A1}/assignLicense")
        assert refusal(response) == (405, "Request_BadRequest")
        assert message(response) == "Specified HTTP method is not allowed for the request target."

    @pytest.mark.parametrize("applied", [False, True], ids=["not done", "done all the same"])
    @pytest.mark.parametrize("body", ["json", "html", "empty"])
    @pytest.mark.parametrize(("kind", "status"), [("unavailable", 503), ("gateway_timeout", 504), ("error", 500)])
    def test_g3_4_19_directory_transient(
        self, graph: httpx.Client, control: SandboxControl, kind: str, status: int, body: str, applied: bool
    ) -> None:
        control.add_fault(kind, route="assignLicense", body=body, applied=applied, status=500)
        response = change(graph, WITH_A1, [A3], [A1])
        assert response.status_code == status
        assert ("error" in response.text) == (body == "json")
        assert skus_of(graph, WITH_A1) == ({A3} if applied else {A1})
