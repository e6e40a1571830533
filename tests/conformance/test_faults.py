"""Faults on order: what the client gets, and what happened all the same."""

from typing import Any

import httpx
import pytest

from tests.conformance.actions import answers, batch, change, change_body, item, skus_of
from tests.conformance.conftest import TokenRequest
from tests.conformance.school import A1, A3, APP, DOMAIN, NEIGHBOUR, ROLES, TENANT, WITH_A1, WITH_NOTHING
from tests.sandbox_process import SandboxControl


def swap(number: object, user: str = WITH_A1) -> dict[str, Any]:
    return item(number, "POST", f"/users/{user}/assignLicense", change_body([A3], [A1]))


class TestAnswers:
    @pytest.mark.parametrize(
        ("kind", "status", "code"),
        [
            ("throttle", 429, "TooManyRequests"),
            ("unavailable", 503, "ServiceUnavailable"),
            ("gateway_timeout", 504, "UnknownError"),
            ("conflict", 409, "Directory_ConcurrencyViolation"),
            ("unauthorized", 401, "InvalidAuthenticationToken"),
        ],
    )
    def test_each_kind_has_its_status_and_applies_nothing(
        self, graph: httpx.Client, control: SandboxControl, kind: str, status: int, code: str
    ) -> None:
        control.add_fault(kind, route="assignLicense")
        response = change(graph, WITH_A1, [A3], [A1])
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)
        assert skus_of(graph, WITH_A1) == {A1}
        assert list(control.ledger()) == []

    @pytest.mark.parametrize(("body", "content_type", "length"), [("html", "text/html", True), ("empty", None, False)])
    def test_a_body_need_not_be_json(
        self, graph: httpx.Client, control: SandboxControl, body: str, content_type: str | None, length: bool
    ) -> None:
        control.add_fault("unavailable", body=body)
        response = graph.get("/organization")
        assert response.headers.get("Content-Type") == content_type
        assert bool(response.content) is length

    @pytest.mark.parametrize("retry_after", [7, 2.128, "Wed, 21 Oct 2026 07:28:00 GMT"])
    def test_retry_after_is_sent_as_given(
        self, graph: httpx.Client, control: SandboxControl, retry_after: object
    ) -> None:
        control.add_fault("throttle", retryAfter=retry_after)
        assert graph.get("/organization").headers["Retry-After"] == str(retry_after)

    def test_any_status_code_and_message(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("error", status=500, code="Odd", message="never seen before")
        response = graph.get("/organization")
        error = response.json()["error"]
        assert (response.status_code, error["code"], error["message"]) == (500, "Odd", "never seen before")

    def test_a_claims_challenge_is_a_401_with_claims(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("unauthorized", claims=True)
        challenge = graph.get("/organization").headers["WWW-Authenticate"]
        assert 'error="insufficient_claims"' in challenge
        assert "claims=" in challenge

    def test_a_dropped_connection_gives_no_answer(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("drop", route="assignLicense", times=1)
        with pytest.raises(httpx.TransportError):
            change(graph, WITH_A1, [A3], [A1])
        assert skus_of(graph, WITH_A1) == {A1}


class TestLostAnswers:
    @pytest.mark.parametrize("body", ["json", "html", "empty"])
    def test_a_504_may_come_after_the_write(self, graph: httpx.Client, control: SandboxControl, body: str) -> None:
        control.add_fault("gateway_timeout", route="assignLicense", applied=True, body=body)
        assert change(graph, WITH_A1, [A3], [A1]).status_code == 504
        assert skus_of(graph, WITH_A1) == {A3}

    def test_a_connection_may_drop_after_the_write(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("drop", route="assignLicense", applied=True, times=1)
        with pytest.raises(httpx.TransportError):
            change(graph, WITH_A1, [A3], [A1])
        assert skus_of(graph, WITH_A1) == {A3}

    def test_a_refused_write_loses_its_answer_too(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("gateway_timeout", route="assignLicense", applied=True)
        assert change(graph, WITH_NOTHING, remove=[A1]).status_code == 504
        assert list(control.ledger()) == []


class TestBatch:
    def test_a_fault_hits_one_item(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("throttle", user=WITH_A1, retryAfter=2.5)
        found = answers(batch(graph, swap(1), item(2, "GET", "/organization")))
        assert (found["1"]["status"], found["1"]["headers"]["Retry-After"]) == (429, "2.5")
        assert found["2"]["status"] == 200

    def test_the_envelope_can_get_lost_after_all_was_done(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("gateway_timeout", route="batch", applied=True, body="html")
        assert batch(graph, swap(1)).status_code == 504
        assert skus_of(graph, WITH_A1) == {A3}

    def test_the_envelope_can_be_refused_before_anything_is_done(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.add_fault("unavailable", route="batch", retryAfter=1)
        response = batch(graph, swap(1))
        assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
        assert skus_of(graph, WITH_A1) == {A1}

    def test_the_line_can_be_cut_between_two_items(self, graph: httpx.Client, control: SandboxControl) -> None:
        other = control.add_user(TENANT, userPrincipalName="x@school.example", usageLocation="NL")["id"]
        control.add_fault("drop", user=other, times=1)
        with pytest.raises(httpx.TransportError):
            batch(graph, swap(1), item(2, "POST", f"/users/{other}/assignLicense", change_body([A1])))
        assert skus_of(graph, WITH_A1) == {A3}
        assert skus_of(graph, other) == set()


class TestLatency:
    def test_graph_answers_late_and_the_control_api_does_not(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_switches(latency_seconds=0.2)
        assert graph.get("/organization").elapsed.total_seconds() >= 0.2
        control.set_switches(latency_seconds=30)
        assert control.health()["status"] == "ok"


class TestMatching:
    def statuses(self, graph: httpx.Client, number: int = 6) -> list[int]:
        return [graph.get("/organization").status_code for _ in range(number)]

    def test_after_so_many_and_so_often(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("unavailable", after=2, times=3)
        assert self.statuses(graph) == [200, 200, 503, 503, 503, 200]

    def test_with_a_probability(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("unavailable", probability=0.5)
        assert {200, 503} == set(self.statuses(graph, 40))

    def test_one_route_only(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("unavailable", route="users")
        assert graph.get("/users").status_code == 503
        assert graph.get(f"/users/{WITH_A1}").status_code == 200

    def test_one_person_only_by_whatever_name(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("unavailable", user=WITH_A1)
        assert graph.get(f"/users/with-a1%40{DOMAIN}").status_code == 503
        assert graph.get(f"/users/{WITH_NOTHING}").status_code == 200

    def test_one_tenant_only(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_fault("unavailable", tenant=NEIGHBOUR)
        assert self.statuses(graph, 1) == [200]

    def test_a_fault_of_graph_leaves_the_token_endpoint_alone(
        self, control: SandboxControl, request_token: TokenRequest
    ) -> None:
        control.add_fault("unavailable")
        assert request_token().status_code == 200

    def test_the_token_endpoint_can_be_meant(self, control: SandboxControl, request_token: TokenRequest) -> None:
        control.add_fault("unavailable", route="token", body="html", times=1)
        assert request_token().status_code == 503
        assert request_token().status_code == 200

    def test_faults_are_listed_with_their_hits_and_cleared_one_by_one(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        first = control.add_fault("unavailable", times=1)
        control.add_fault("conflict", route="users")
        self.statuses(graph, 2)
        assert [(fault["kind"], fault["seen"], fault["hits"]) for fault in control.faults()] == [
            ("unavailable", 2, 1),
            ("conflict", 0, 0),
        ]
        control.clear_faults(first["id"])
        assert [fault["kind"] for fault in control.faults()] == ["conflict"]
        control.clear_faults()
        assert control.faults() == []

    @pytest.mark.parametrize(
        ("kind", "fault"),
        [
            ("unheard-of", {}),
            ("throttle", {"route": "nowhere"}),
            ("throttle", {"colour": "red"}),
            ("token_error", {"code": "1"}),
            ("throttle", {"tenant": "nobody.example"}),
        ],
    )
    def test_a_fault_that_cannot_happen_is_refused(
        self, control: SandboxControl, kind: str, fault: dict[str, str]
    ) -> None:
        with pytest.raises(ValueError, match=r"POST /faults: 40[04]"):
            control.add_fault(kind, **fault)


class TestPermissions:
    def test_fewer_roles_arrive_with_the_next_token(
        self, graph: httpx.Client, control: SandboxControl, authorize: Any
    ) -> None:
        control.withdraw_consent(TENANT, APP, ["User.ReadWrite.All"])
        patch = {"usageLocation": "BE"}
        assert graph.patch(f"/users/{WITH_A1}", json=patch).status_code == 204
        assert graph.patch(f"/users/{WITH_A1}", json=patch, headers=authorize()).status_code == 403
        control.grant_consent(TENANT, APP, ROLES)
        assert graph.patch(f"/users/{WITH_A1}", json=patch, headers=authorize()).status_code == 204
