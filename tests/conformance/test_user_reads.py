"""GET /users and GET, PATCH /users/{id}: paging, `$select`, `$filter`, consistency of headers."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.conformance.actions import message
from tests.conformance.school import (
    A1,
    A3,
    APP,
    BOTH_WAYS,
    DOMAIN,
    GUEST,
    INHERITING,
    PUPIL,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
    YAMMER,
)
from tests.sandbox_process import SandboxControl

CROWDED = "77777777-0000-4000-8000-000000000001"
EVENTUAL = {"ConsistencyLevel": "eventual"}
EVERYBODY = [WITH_A1, WITH_NOTHING, WITHOUT_LOCATION, INHERITING, BOTH_WAYS, GUEST, PUPIL]


def ids(response: httpx.Response) -> list[str]:
    return [user["id"] for user in response.json()["value"]]


def pages(graph: httpx.Client, headers: dict[str, str] | None = None, **options: Any) -> Iterator[httpx.Response]:
    response = graph.get("/users", params=options, headers=headers)
    yield response
    while link := response.json().get("@odata.nextLink"):
        response = graph.get(link, headers=headers)
        yield response


class TestPaging:
    def test_pages_together_hold_everybody_once(self, graph: httpx.Client) -> None:
        collected = [user for page in pages(graph, **{"$top": 3}) for user in ids(page)]
        assert collected == EVERYBODY

    def test_a_link_is_absolute_on_this_host_and_keeps_the_options(self, graph: httpx.Client) -> None:
        link = graph.get("/users", params={"$top": 3, "$select": "id,department"}).json()["@odata.nextLink"]
        assert link.startswith(f"{graph.base_url}users?")
        assert graph.get(link).json()["value"][0].keys() == {"id", "department"}
        assert len(graph.get(link).json()["value"]) == 3

    def test_the_last_page_has_no_link(self, graph: httpx.Client) -> None:
        assert "@odata.nextLink" not in graph.get("/users").json()

    @pytest.mark.parametrize("top", [0, 1000, "many"])
    def test_a_page_has_1_to_999_users(self, graph: httpx.Client, top: object) -> None:
        assert "Invalid page size" in message(graph.get("/users", params={"$top": top}))

    def test_a_page_has_100_users_unless_asked(
        self, graph: httpx.Client, control: SandboxControl, authorize: Callable[..., dict[str, str]]
    ) -> None:
        crowd = {"id": CROWDED, "population": [{"count": 150, "prefix": "crowd"}]}
        control.seed({"tenants": [crowd]}, reset=False)
        control.grant_consent(CROWDED, APP, ["User.Read.All"])
        assert len(ids(graph.get("/users", headers=authorize(tenant=CROWDED)))) == 100

    def test_a_link_nobody_gave_is_refused(self, graph: httpx.Client) -> None:
        response = graph.get("/users", params={"$skiptoken": "invented"})
        assert response.json()["error"]["code"] == "Directory_ExpiredPageToken"

    def test_people_who_come_and_go_shift_no_page(self, graph: httpx.Client, control: SandboxControl) -> None:
        link = graph.get("/users", params={"$top": 3}).json()["@odata.nextLink"]
        control.delete_user(TENANT, WITH_A1)
        assert ids(graph.get(link)) == EVERYBODY[3:6]

    def test_an_empty_page_in_the_middle_has_a_link(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(empty_page_every=2)
        sizes = [len(ids(page)) for page in pages(graph, **{"$top": 3})]
        assert sizes == [3, 0, 3, 0, 1]

    def test_links_can_age(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(page_token_lifetime_seconds=60)
        link = graph.get("/users", params={"$top": 3}).json()["@odata.nextLink"]
        assert graph.get(link).status_code == 200
        control.set_clock(advance=61)
        assert graph.get(link).json()["error"]["code"] == "Directory_ExpiredPageToken"


class TestSelect:
    def test_the_default_is_eleven_properties(self, graph: httpx.Client) -> None:
        row = graph.get("/users").json()["value"][0]
        assert len(row) == 11
        assert "usageLocation" not in row

    def test_exactly_the_named_properties_come_back(self, graph: httpx.Client) -> None:
        select = "id,userPrincipalName,accountEnabled,usageLocation,userType,assignedLicenses,licenseAssignmentStates"
        row = graph.get("/users", params={"$select": select}).json()["value"][0]
        assert ",".join(row) == select

    def test_a_single_property(self, graph: httpx.Client) -> None:
        assert graph.get("/users", params={"$select": "department"}).json()["value"][0] == {"department": "99XA"}

    def test_an_unknown_property_is_refused(self, graph: httpx.Client) -> None:
        response = graph.get("/users", params={"$select": "id,shoeSize"})
        assert "Could not find a property named 'shoeSize'" in message(response)

    def test_a_real_property_that_the_twin_does_not_keep_is_null(self, graph: httpx.Client) -> None:
        assert graph.get(f"/users/{WITH_A1}", params={"$select": "city"}).json()["city"] is None

    def test_assigned_licenses_merge_what_states_tell_apart(self, graph: httpx.Client) -> None:
        params = {"$select": "assignedLicenses,licenseAssignmentStates"}
        row = graph.get(f"/users/{BOTH_WAYS}", params=params).json()
        assert row["assignedLicenses"] == [{"disabledPlans": [], "skuId": A3}]
        assert [state["disabledPlans"] for state in row["licenseAssignmentStates"]] == [[YAMMER], []]

    def test_extension_attributes_are_all_there(self, graph: httpx.Client) -> None:
        row = graph.get(f"/users/{PUPIL}", params={"$select": "onPremisesExtensionAttributes"}).json()
        attributes = row["onPremisesExtensionAttributes"]
        assert (len(attributes), attributes["extensionAttribute1"]) == (15, "groep 8")


class TestFilter:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("department eq '99XA'", [WITH_A1, WITH_NOTHING]),
            ("usageLocation eq null", [WITHOUT_LOCATION, GUEST]),
            ("accountEnabled eq false", [PUPIL]),
            ("userType eq 'guest'", [GUEST]),
            ("startsWith(userPrincipalName,'with')", [WITH_A1, WITH_NOTHING, WITHOUT_LOCATION]),
            (f"id in ('{PUPIL}', '{GUEST}')", [GUEST, PUPIL]),
            (f"assignedLicenses/any(x:x/skuId eq {A3})", [INHERITING, BOTH_WAYS]),
            ("department eq '99XA' and (displayName eq 'with-a1' or displayName eq 'pupil')", [WITH_A1]),
        ],
    )
    def test_the_default_index_answers(self, graph: httpx.Client, text: str, found: list[str]) -> None:
        assert ids(graph.get("/users", params={"$filter": text})) == found

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("assignedLicenses/$count ne 0", [WITH_A1, INHERITING, BOTH_WAYS]),
            (f"not(assignedLicenses/any(x:x/skuId eq {A1})) and department eq '99XA'", [WITH_NOTHING]),
            ("department ne null", [WITH_A1, WITH_NOTHING, INHERITING, BOTH_WAYS]),
            ("usageLocation in ('NL') and department eq null", [PUPIL]),
            (f"endsWith(userPrincipalName,'pupil@{DOMAIN}')", [PUPIL]),
        ],
    )
    def test_the_rest_needs_the_advanced_index(self, graph: httpx.Client, text: str, found: list[str]) -> None:
        options = {"$filter": text, "$count": "true"}
        refused = graph.get("/users", params=options)
        assert (refused.status_code, message(refused)) == (400, "Unsupported Query.")
        response = graph.get("/users", params=options, headers=EVENTUAL)
        assert ids(response) == found
        assert response.json()["@odata.count"] == len(found)

    @pytest.mark.parametrize("text", ["licenseAssignmentStates eq null", "shoeSize eq 1"])
    def test_properties_without_an_index_are_refused(self, graph: httpx.Client, text: str) -> None:
        assert "not indexed" in message(graph.get("/users", params={"$filter": text}))

    @pytest.mark.parametrize("text", ["department eq", "department eq 'a' b", "(department eq 'a'", "eq"])
    def test_what_cannot_be_parsed_is_refused(self, graph: httpx.Client, text: str) -> None:
        assert graph.get("/users", params={"$filter": text}).status_code == 400

    def test_page_2_of_a_licence_filter_needs_the_advanced_headers(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        options = {"$filter": f"assignedLicenses/any(x:x/skuId eq {A3})", "$top": "1"}
        weak = graph.get("/users", params=options).json()["@odata.nextLink"]
        assert graph.get(weak).json()["error"]["code"] == "Directory_ExpiredPageToken"
        strong = graph.get("/users", params=options | {"$count": "true"}, headers=EVENTUAL).json()["@odata.nextLink"]
        assert graph.get(strong).json()["error"]["code"] == "Directory_ExpiredPageToken"
        assert ids(graph.get(strong, headers=EVENTUAL)) == [BOTH_WAYS]
        control.set_switches(users_page_token_expires=False)
        assert ids(graph.get(weak)) == [BOTH_WAYS]

    def test_a_link_of_the_advanced_index_needs_the_header_again(self, graph: httpx.Client) -> None:
        options = {"$top": "3", "$count": "true"}
        link = graph.get("/users", params=options, headers=EVENTUAL).json()["@odata.nextLink"]
        assert graph.get(link).json()["error"]["code"] == "Directory_ExpiredPageToken"
        assert ids(graph.get(link, headers=EVENTUAL)) == EVERYBODY[3:6]

    def test_the_count_is_on_the_first_page_only(self, graph: httpx.Client) -> None:
        first, second, *_ = pages(graph, EVENTUAL, **{"$top": 3, "$count": "true"})
        assert first.json()["@odata.count"] == len(EVERYBODY)
        assert "@odata.count" not in second.json()


class TestCount:
    def test_needs_the_header(self, graph: httpx.Client) -> None:
        assert message(graph.get("/users/$count")) == "$count is not currently supported."

    def test_is_plain_text(self, graph: httpx.Client) -> None:
        response = graph.get("/users/$count", headers=EVENTUAL)
        assert (response.text, response.headers["Content-Type"]) == (str(len(EVERYBODY)), "text/plain")


class TestOneUser:
    def test_by_id_or_name(self, graph: httpx.Client) -> None:
        assert graph.get(f"/users/{WITH_A1}").json()["id"] == WITH_A1
        assert graph.get(f"/users/WITH-A1%40{DOMAIN}").json()["id"] == WITH_A1

    def test_licence_details_show_what_works(self, graph: httpx.Client) -> None:
        (details,) = graph.get(f"/users/{WITH_A1}/licenseDetails").json()["value"]
        plans = {plan["servicePlanId"]: plan["provisioningStatus"] for plan in details["servicePlans"]}
        assert details["skuPartNumber"] == "STANDARDWOFFPACK_FACULTY"
        assert plans.pop(YAMMER) == "Disabled"
        assert set(plans.values()) == {"Success"}


class TestPatch:
    def test_usage_location_is_set_with_204_and_no_body(self, graph: httpx.Client) -> None:
        body = {"@odata.type": "#microsoft.graph.user", "usageLocation": "NL"}
        response = graph.patch(f"/users/{WITHOUT_LOCATION}", json=body)
        assert (response.status_code, response.content) == (204, b"")
        params = {"$select": "usageLocation"}
        assert graph.get(f"/users/{WITHOUT_LOCATION}", params=params).json()["usageLocation"] == "NL"

    @pytest.mark.parametrize(
        "body",
        [
            *({"usageLocation": "XX"}, {"usageLocation": 31}, {"accountEnabled": "yes"}, {"userPrincipalName": None}),
            *({"assignedLicenses": []}, {"shoeSize": "44"}, ["usageLocation"], {"onPremisesExtensionAttributes": [1]}),
        ],
    )
    def test_nonsense_is_refused(self, graph: httpx.Client, body: Any) -> None:
        assert graph.patch(f"/users/{WITH_A1}", json=body).status_code == 400

    def test_a_name_that_is_taken_is_refused_and_a_free_one_is_not(self, graph: httpx.Client) -> None:
        taken = {"userPrincipalName": f"PUPIL@{DOMAIN}"}
        assert "already exists" in message(graph.patch(f"/users/{WITH_A1}", json=taken))
        assert graph.patch(f"/users/{PUPIL}", json=taken).status_code == 204

    def test_extension_attributes_are_merged(self, graph: httpx.Client) -> None:
        body = {"onPremisesExtensionAttributes": {"extensionAttribute2": "nieuw"}}
        assert graph.patch(f"/users/{PUPIL}", json=body).status_code == 204
        row = graph.get(f"/users/{PUPIL}", params={"$select": "onPremisesExtensionAttributes"}).json()
        attributes = row["onPremisesExtensionAttributes"]
        assert (attributes["extensionAttribute1"], attributes["extensionAttribute2"]) == ("groep 8", "nieuw")

    def test_the_licence_permission_is_not_enough(self, limited_graph: Callable[..., httpx.Client]) -> None:
        graph = limited_graph("LicenseAssignment.ReadWrite.All", "User.Read.All")
        assert graph.patch(f"/users/{WITH_A1}", json={"usageLocation": "BE"}).status_code == 403


class TestRoutes:
    def test_an_unknown_segment_is_400(self, graph: httpx.Client) -> None:
        assert message(graph.get("/nonsense")) == "Resource not found for the segment 'nonsense'."

    def test_segments_are_case_insensitive(self, graph: httpx.Client) -> None:
        assert graph.get("/Organization").status_code == 200
