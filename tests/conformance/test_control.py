"""The control API itself: who may use it, what it refuses, consent as the browser gives it."""

import httpx
import pytest

from tests.conformance.actions import skus_of
from tests.conformance.school import A1, A3, DOMAIN, GROUP, TENANT, WITH_A1, WITH_NOTHING
from tests.sandbox_process import SandboxControl, SandboxProcess


class TestAccess:
    @pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic abc"])
    def test_needs_the_token_of_this_process(
        self, sandbox: SandboxProcess, http: httpx.Client, authorization: str
    ) -> None:
        url = f"https://{sandbox.authority}/_sandbox/health"
        response = http.get(url, headers={"Authorization": authorization})
        assert (response.status_code, list(response.json())) == (401, ["error"])

    def test_a_graph_token_is_not_enough(self, sandbox: SandboxProcess, graph: httpx.Client) -> None:
        assert graph.get(f"https://{sandbox.authority}/_sandbox/health").status_code == 401

    @pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/health", 405)])
    def test_unknown_operations_say_so(self, control: SandboxControl, method: str, path: str, status: int) -> None:
        with pytest.raises(ValueError, match=str(status)):
            control.request(method, path)

    @pytest.mark.parametrize(
        ("method", "path", "content"),
        [
            ("POST", "/seed", {"tenants": [{"name": "no id"}]}),
            ("POST", "/seed", {"colour": "red"}),
            ("POST", "/seed", {"tenants": [{"id": TENANT}]}),
            ("PUT", "/switches", {"nonsense": True}),
            ("PUT", "/switches", {"retry_after": "sometimes"}),
            ("PUT", "/clock", {"factor": 0}),
            ("PUT", "/clock", {"advance": -1}),
            ("PUT", "/lag", {"seconds": -1}),
            ("PUT", "/lag", {}),
            ("POST", "/users", {"tenant": TENANT, "user": {"userPrincipalName": f"with-a1@{DOMAIN}"}}),
            ("POST", "/users", {"tenant": TENANT, "user": {"userPrincipalName": 7}}),
            ("PATCH", "/users", {"tenant": TENANT, "user": {"id": GROUP}}),
            ("PATCH", "/users", {"tenant": TENANT, "user": {"id": WITH_A1, "userPrincipalName": f"guest@{DOMAIN}"}}),
            ("GET", "/users", None),
            ("GET", "/subscriptions", None),
        ],
    )
    def test_nonsense_is_refused_with_a_sentence(
        self, control: SandboxControl, method: str, path: str, content: object
    ) -> None:
        with pytest.raises(ValueError, match=r": 40[04] .{10}"):
            control.request(method, path, content)


class TestWorld:
    def test_health_counts(self, control: SandboxControl) -> None:
        health = control.health()
        assert (health["status"], health["tenants"], health["users"], health["ledger"]) == ("ok", 2, 7, 0)

    def test_reset_empties_and_restores_the_settings(self, control: SandboxControl) -> None:
        control.set_lag(100)
        control.set_clock(factor=50)
        control.set_switches(shuffle_batch=False)
        control.reset()
        assert (control.health()["tenants"], control.clock()["factor"]) == (0, 1.0)
        assert control.set_switches()["shuffle_batch"] is True

    def test_switches_that_are_not_named_stay(self, control: SandboxControl) -> None:
        control.set_switches(shuffle_batch=False)
        assert control.set_switches(conflict_retry_after="5")["shuffle_batch"] is False

    def test_time_runs_at_the_factor_from_now_on(self, control: SandboxControl) -> None:
        before = control.clock()["now"]
        after = control.set_clock(advance=86_400)["now"]
        assert after - before == pytest.approx(86_400, abs=30)


class TestPeople:
    def test_an_added_user_can_be_read_changed_and_deleted(self, graph: httpx.Client, control: SandboxControl) -> None:
        person = control.add_user(TENANT, userPrincipalName=f"new@{DOMAIN}", department="99XC")["id"]
        assert graph.get(f"/users/new%40{DOMAIN}").json()["id"] == person
        control.change_user(TENANT, person, userPrincipalName=f"renamed@{DOMAIN}", usageLocation="NL")
        assert graph.get(f"/users/new%40{DOMAIN}").status_code == 404
        params = {"$select": "department,usageLocation"}
        row = graph.get(f"/users/renamed%40{DOMAIN}", params=params).json()
        assert (row["department"], row["usageLocation"]) == ("99XC", "NL")
        control.delete_user(TENANT, f"renamed@{DOMAIN}")
        assert graph.get(f"/users/{person}").status_code == 404

    def test_licences_can_be_put_on_a_user_behind_everyones_back(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.change_user(TENANT, WITH_NOTHING, assignments=[{"skuId": A1}, {"skuId": A3, "assignedByGroup": GROUP}])
        assert skus_of(graph, WITH_NOTHING) == {A1, A3}

    def test_the_present_state_is_told_past_all_replicas(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_lag(300)
        control.change_user(TENANT, WITH_A1, assignments=[])
        assert skus_of(graph, WITH_A1) == {A1}
        assert control.user(TENANT, WITH_A1)["licenseAssignmentStates"] == []

    def test_a_group_can_be_replaced(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.put_group(TENANT, id=GROUP, displayName="Nieuw", members=[f"with-a1@{DOMAIN}"])
        assert [row["id"] for row in graph.get(f"/groups/{GROUP}/members").json()["value"]] == [WITH_A1]
