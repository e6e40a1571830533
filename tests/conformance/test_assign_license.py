"""POST /users/{id}/assignLicense: semantics, refusals, and what they never do."""

from collections.abc import Callable

import httpx
import pytest

from tests.conformance.actions import change, consumed, message, skus_of, states
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


class TestRefused:
    @pytest.mark.parametrize(
        ("user", "add", "remove", "text"),
        [
            pytest.param(WITHOUT_LOCATION, [A1], [], NO_LOCATION, id="no usage location"),
            pytest.param(
                WITH_NOTHING, [NOT_OWNED], [], f"License {NOT_OWNED} does not correspond to a valid company License.",
                id="SKU not owned",
            ),
            pytest.param(WITH_NOTHING, [], [A1], "User does not have a corresponding license.", id="not held"),
            pytest.param(WITH_NOTHING, [A3], [A1], "User does not have a corresponding license.", id="swap of nothing"),
            pytest.param(INHERITING, [], [A3], INHERITED, id="held through a group only"),
            pytest.param(
                WITH_NOTHING, [PHONE], [],
                f"License assignment failed because service plan {MCOEV} depends on "
                f"the service plan(s) {SKYPE}, {TEAMS}",
                id="dependency",
            ),
            pytest.param(
                WITH_A1, [A3], [],
                f"License assignment failed because service plans {SHAREPOINT_OF_A3}, {SHAREPOINT_OF_A1} "
                "are mutually exclusive.",
                id="conflict of A1 and A3",
            ),
            pytest.param(
                WITH_NOTHING, ["not-a-guid"], [],
                "Cannot convert the literal 'not-a-guid' to the expected type 'Edm.Guid'.", id="malformed id",
            ),
        ],
    )  # fmt: skip
    def test_each_has_its_sentence_and_changes_nothing(
        self, graph: httpx.Client, control: SandboxControl, user: str, add: list[str], remove: list[str], text: str
    ) -> None:
        before = states(graph, user)
        response = change(graph, user, add, remove)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "Request_BadRequest")
        assert message(response) == text
        assert states(graph, user) == before
        assert list(control.ledger()) == []

    def test_no_seat_left(self, graph: httpx.Client) -> None:
        assert change(graph, WITH_NOTHING, [A5]).status_code == 200
        response = change(graph, INHERITING, [A5])
        assert message(response) == f"Subscription with SKU {A5} does not have any available licenses."

    def test_a_refused_call_applies_no_part_of_itself(self, graph: httpx.Client) -> None:
        seats = consumed(graph, A1)
        assert change(graph, WITH_A1, [NOT_OWNED], [A1]).status_code == 400
        assert skus_of(graph, WITH_A1) == {A1}
        assert consumed(graph, A1) == seats

    @pytest.mark.parametrize(
        ("body", "missing"),
        [
            ({"addLicenses": []}, "removeLicenses"),
            ({"removeLicenses": []}, "addLicenses"),
            ({}, "addLicenses, removeLicenses"),
        ],
    )
    def test_both_collections_must_be_there(
        self, graph: httpx.Client, body: dict[str, list[str]], missing: str
    ) -> None:
        response = graph.post(f"/users/{WITH_A1}/assignLicense", json=body)
        assert message(response) == (
            "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
            f"The missing parameters are: {missing}."
        )

    @pytest.mark.parametrize("content", [b"{", b"[]", b'{"addLicenses": null, "removeLicenses": []}'])
    def test_a_body_that_cannot_be_read_is_a_bad_request(self, graph: httpx.Client, content: bytes) -> None:
        assert graph.post(f"/users/{WITH_A1}/assignLicense", content=content).status_code == 400

    def test_an_unknown_user_is_404(self, graph: httpx.Client) -> None:
        response = change(graph, GROUP, [A1])
        assert (response.status_code, response.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
        assert message(response).startswith(f"Resource '{GROUP}' does not exist")

    def test_without_permission_it_is_403(self, limited_graph: Callable[..., httpx.Client]) -> None:
        response = change(limited_graph("User.Read.All"), WITH_A1, [A1])
        assert (response.status_code, response.json()["error"]["code"]) == (403, "Authorization_RequestDenied")

    def test_the_least_privileged_permission_is_enough(self, limited_graph: Callable[..., httpx.Client]) -> None:
        assert change(limited_graph("LicenseAssignment.ReadWrite.All"), WITH_A1, [A1]).status_code == 200

    def test_another_method_is_405(self, graph: httpx.Client) -> None:
        assert graph.get(f"/users/{WITH_A1}/assignLicense").status_code == 405


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

    @pytest.mark.parametrize(
        ("authorization", "text"),
        [
            ("", "Access token is empty."),
            ("Bearer abc", "Access token validation failure."),
        ],
    )
    def test_a_bad_token_is_401(self, graph: httpx.Client, authorization: str, text: str) -> None:
        response = graph.get("/organization", headers={"Authorization": authorization})
        assert (response.status_code, response.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
        assert message(response) == text

    def test_an_expired_token_is_401(
        self, control: SandboxControl, graph: httpx.Client, authorize: Callable[..., dict[str, str]]
    ) -> None:
        control.set_switches(token_lifetime_seconds=0)
        response = graph.get("/organization", headers=authorize())
        assert message(response) == "Lifetime validation failed, the token is expired."


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

    def test_a_disabled_plan_of_another_sku_is_refused_or_ignored(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        assert change(graph, WITH_NOTHING, [(A1, [MCOEV])]).status_code == 400
        control.set_switches(invalid_disabled_plan="ignore")
        assert change(graph, WITH_NOTHING, [(A1, [MCOEV, YAMMER])]).status_code == 200
        assert states(graph, WITH_NOTHING)[0]["disabledPlans"] == [YAMMER]

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

    def test_a_location_where_nothing_is_sold(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(unsupported_locations=["NL"], unsupported_location_message="not here")
        assert message(change(graph, WITH_NOTHING, [A1])) == "not here"

    def test_a_proxy_address_clash(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(proxy_address_clashes=[WITH_NOTHING])
        assert "proxyAddresses already exists" in message(change(graph, WITH_NOTHING, [A1]))

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

    def test_removing_a_prerequisite_alone_is_refused(self, graph: httpx.Client) -> None:
        change(graph, WITH_NOTHING, [PHONE, A3])
        assert "depends on the service plan(s)" in message(change(graph, WITH_NOTHING, remove=[A3]))

    def test_a_conflict_disappears_with_the_plan_switched_off(self, graph: httpx.Client) -> None:
        assert change(graph, WITH_A1, [(A3, [SHAREPOINT_OF_A3])]).status_code == 200
        assert skus_of(graph, WITH_A1) == {A1, A3}

    def test_tokens_of_one_tenant_never_reach_another(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.grant_consent("neighbour.example", APP, ["User.Read.All"])
        assert {user["id"] for user in graph.get("/users").json()["value"]} >= {WITH_A1}
        assert control.counters()["tenants"].keys() == {TENANT}
