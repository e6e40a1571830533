"""G3.1 to G3.3: assignLicense, what it means and how it answers; its refusals are in test_g3_4_errors.py."""

import httpx
import pytest

from tests.conformance.actions import change, consumed, skus_of, states
from tests.conformance.school import (
    A1,
    A3,
    A5,
    APP,
    BOTH_WAYS,
    DOMAIN,
    GROUP,
    GUEST,
    INHERITING,
    PHONE,
    SHAREPOINT_OF_A3,
    TEAMS,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
    YAMMER,
)
from tests.sandbox_process import SandboxControl

INHERITED = "User license is inherited from a group membership and it cannot be removed directly from the user."
NO_LOCATION = "License assignment cannot be done for user with invalid usage location."


class TestAccepted:
    def test_the_answer_is_the_user_without_any_licence(self, graph: httpx.Client) -> None:
        response = change(graph, WITH_NOTHING, [A1])
        assert response.status_code == 200
        assert response.json().keys() == {
            "@odata.context",
            *("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation"),
            *("preferredLanguage", "surname", "userPrincipalName", "id"),
        }

    def test_a_user_may_be_named_by_user_principal_name(self, graph: httpx.Client) -> None:
        assert change(graph, f"With-Nothing%40{DOMAIN}", [A1]).json()["id"] == WITH_NOTHING

    def test_a_swap_is_one_call(self, graph: httpx.Client) -> None:
        assert change(graph, WITH_A1, [A3], [A1]).status_code == 200
        assert skus_of(graph, WITH_A1) == {A3}

    def test_the_new_state_is_direct_active_and_without_error(self, graph: httpx.Client) -> None:
        change(graph, WITH_NOTHING, [(A3, [YAMMER])])
        (state,) = states(graph, WITH_NOTHING)
        assert state.pop("lastUpdatedDateTime").endswith("Z")
        assert state == {
            "skuId": A3,
            "disabledPlans": [YAMMER],
            "assignedByGroup": None,
            "state": "Active",
            "error": "None",
        }

    def test_disabled_plans_are_replaced_not_merged(self, graph: httpx.Client) -> None:
        change(graph, WITH_A1, [(A1, [TEAMS])])
        assert states(graph, WITH_A1)[0]["disabledPlans"] == [TEAMS]

    def test_an_empty_list_of_disabled_plans_switches_all_on(self, graph: httpx.Client) -> None:
        change(graph, WITH_A1, [A1])
        assert states(graph, WITH_A1)[0]["disabledPlans"] == []

    def test_an_omitted_list_of_disabled_plans_switches_all_on(self, graph: httpx.Client) -> None:
        body = {"addLicenses": [{"skuId": A1}], "removeLicenses": []}
        assert graph.post(f"/users/{WITH_A1}/assignLicense", json=body).status_code == 200
        assert states(graph, WITH_A1)[0]["disabledPlans"] == []

    def test_a_repeated_add_renews_nothing_but_the_date(self, graph: httpx.Client, control: SandboxControl) -> None:
        before = states(graph, WITH_A1)[0]
        assert change(graph, WITH_A1, [(A1, [YAMMER])]).status_code == 200
        after = states(graph, WITH_A1)[0]
        assert after.pop("lastUpdatedDateTime") > before.pop("lastUpdatedDateTime")
        assert after == before
        assert [entry["changed"] for entry in control.ledger()] == [False]

    def test_an_inherited_sku_can_be_held_directly_beside_it_on_one_seat(self, graph: httpx.Client) -> None:
        seats = consumed(graph, A3)
        change(graph, INHERITING, [A3])
        assert {state["assignedByGroup"] for state in states(graph, INHERITING)} == {None, GROUP}
        assert consumed(graph, A3) == seats

    def test_removing_the_direct_one_leaves_the_inherited_one_and_its_seat(self, graph: httpx.Client) -> None:
        seats = consumed(graph, A3)
        change(graph, BOTH_WAYS, remove=[A3])
        assert [state["assignedByGroup"] for state in states(graph, BOTH_WAYS)] == [GROUP]
        assert consumed(graph, A3) == seats

    def test_ids_in_capitals_are_the_same_ids(self, graph: httpx.Client) -> None:
        change(graph, WITH_NOTHING, [A1.upper()])
        assert skus_of(graph, WITH_NOTHING) == {A1}

    def test_an_empty_change_is_accepted_for_anyone(self, graph: httpx.Client) -> None:
        assert change(graph, WITHOUT_LOCATION).status_code == 200

    def test_a_guest_with_a_location_is_a_user_like_any(self, graph: httpx.Client) -> None:
        graph.patch(f"/users/{GUEST}", json={"usageLocation": "NL"})
        assert change(graph, GUEST, [A1]).status_code == 200


class TestErrorShape:
    def test_ids_are_in_the_body_and_in_the_headers(self, graph: httpx.Client) -> None:
        response = change(graph, WITH_NOTHING, remove=[A1], **{"client-request-id": "my-own-id"})
        inner = response.json()["error"]["innerError"]
        assert inner["client-request-id"] == response.headers["client-request-id"] == "my-own-id"
        assert inner["request-id"] == response.headers["request-id"] != "my-own-id"

    def test_without_a_client_request_id_the_request_id_is_repeated(self, graph: httpx.Client) -> None:
        headers = change(graph, WITH_NOTHING, [A1]).headers
        assert headers["client-request-id"] == headers["request-id"]

    def test_the_inner_date_has_no_zone(self, graph: httpx.Client) -> None:
        date = change(graph, WITH_NOTHING, remove=[A1]).json()["error"]["innerError"]["date"]
        assert len(date) == len("2026-02-03T08:20:11")


class TestConsumedUnits:
    def test_counts_people_not_assignments(self, graph: httpx.Client) -> None:
        assert consumed(graph, A3) == 2

    def test_follows_every_accepted_change(self, graph: httpx.Client) -> None:
        change(graph, WITH_A1, [A3], [A1])
        assert (consumed(graph, A1), consumed(graph, A3)) == (0, 3)

    def test_a_deleted_user_frees_the_seat(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.delete_user(TENANT, WITH_A1)
        assert consumed(graph, A1) == 0
        assert change(graph, WITH_A1, [A1]).status_code == 404

    def test_an_inherited_licence_in_error_takes_no_seat(self, graph: httpx.Client, control: SandboxControl) -> None:
        error = {"skuId": A3, "assignedByGroup": GROUP, "state": "Error", "error": "CountViolation"}
        control.change_user(TENANT, WITH_NOTHING, assignments=[error])
        assert consumed(graph, A3) == 2
        assert states(graph, WITH_NOTHING)[0]["error"] == "CountViolation"


class TestSwitches:
    @pytest.mark.parametrize(
        ("warning_units_assignable", "status"), [(False, 400), (True, 200)], ids=["by default refused", "switched on"]
    )
    def test_units_in_grace(
        self, graph: httpx.Client, control: SandboxControl, warning_units_assignable: bool, status: int
    ) -> None:
        control.set_switches(warning_units_assignable=warning_units_assignable)
        subscription = next(held for held in control.subscriptions(TENANT) if held["skuId"] == A5)
        control.change_subscription(TENANT, subscription["id"], status="Warning")
        assert change(graph, WITH_NOTHING, [A5]).status_code == status

    def test_the_same_sku_added_and_removed_is_refused_or_renewed(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        assert change(graph, WITH_A1, [A1], [A1]).status_code == 400
        control.set_switches(same_sku_in_add_and_remove="reassign")
        assert change(graph, WITH_A1, [A1], [A1]).status_code == 200
        assert skus_of(graph, WITH_A1) == {A1}

    def test_most_skus_per_call_and_per_user(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(max_skus_per_call=1)
        assert change(graph, WITH_NOTHING, [A3, PHONE]).status_code == 400
        control.set_switches(max_skus_per_call=None, max_licences_per_user=1)
        assert change(graph, WITH_NOTHING, [A3, PHONE]).status_code == 400
        assert change(graph, WITH_NOTHING, [A3]).status_code == 200

    def test_synchronised_and_restricted_accounts(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.change_user(TENANT, WITH_NOTHING, onPremisesSyncEnabled=True)
        control.change_user(TENANT, WITH_A1, isManagementRestricted=True)
        assert change(graph, WITH_NOTHING, [A1]).status_code == 200
        assert change(graph, WITH_A1, [A1]).status_code == 403
        control.set_switches(synced_accounts_assignable=False, restricted_units_refuse=False)
        assert change(graph, WITH_NOTHING, [A1]).status_code == 400
        assert change(graph, WITH_A1, [A1]).status_code == 200


class TestTenantRules:
    def test_a_prerequisite_in_the_same_call_is_enough(self, graph: httpx.Client) -> None:
        assert change(graph, WITH_NOTHING, [PHONE, A3]).status_code == 200

    def test_a_conflict_disappears_with_the_plan_switched_off(self, graph: httpx.Client) -> None:
        assert change(graph, WITH_A1, [(A3, [SHAREPOINT_OF_A3])]).status_code == 200
        assert skus_of(graph, WITH_A1) == {A1, A3}

    def test_tokens_of_one_tenant_never_reach_another(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.grant_consent("neighbour.example", APP, ["User.Read.All"])
        assert {user["id"] for user in graph.get("/users").json()["value"]} >= {WITH_A1}
        assert control.counters()["tenants"].keys() == {TENANT}
