"""G5.1: pages of people, their sizes, their links; `$select`."""

from collections.abc import Callable

import httpx
import pytest

from tests.conformance.actions import message
from tests.conformance.reading import EVERYBODY, ids, pages
from tests.conformance.school import (
    A3,
    APP,
    BOTH_WAYS,
    PUPIL,
    TENANT,
    WITH_A1,
    YAMMER,
)
from tests.sandbox_process import SandboxControl

CROWDED = "77777777-0000-4000-8000-000000000001"


class TestG51Paging:
    def test_g5_1_pages_together_hold_everybody_once(self, graph: httpx.Client) -> None:
        collected = [user for page in pages(graph, **{"$top": 3}) for user in ids(page)]
        assert collected == EVERYBODY

    def test_g5_1_a_link_is_absolute_on_this_host_and_keeps_the_options(self, graph: httpx.Client) -> None:
        link = graph.get("/users", params={"$top": 3, "$select": "id,department"}).json()["@odata.nextLink"]
        assert link.startswith(f"{graph.base_url}users?")
        assert graph.get(link).json()["value"][0].keys() == {"id", "department"}
        assert len(graph.get(link).json()["value"]) == 3

    def test_g5_1_the_last_page_has_no_link(self, graph: httpx.Client) -> None:
        assert "@odata.nextLink" not in graph.get("/users").json()

    @pytest.mark.parametrize("top", [0, 1000, "many"])
    def test_g5_1_a_page_has_1_to_999_users(self, graph: httpx.Client, top: object) -> None:
        assert "Invalid page size" in message(graph.get("/users", params={"$top": top}))

    def test_g5_1_a_page_has_100_users_unless_asked(
        self, graph: httpx.Client, control: SandboxControl, authorize: Callable[..., dict[str, str]]
    ) -> None:
        crowd = {"id": CROWDED, "population": [{"count": 150, "prefix": "crowd"}]}
        control.seed({"tenants": [crowd]}, reset=False)
        control.grant_consent(CROWDED, APP, ["User.Read.All"])
        assert len(ids(graph.get("/users", headers=authorize(tenant=CROWDED)))) == 100

    def test_g5_1_a_link_nobody_gave_is_refused(self, graph: httpx.Client) -> None:
        response = graph.get("/users", params={"$skiptoken": "invented"})
        assert response.json()["error"]["code"] == "Directory_ExpiredPageToken"

    def test_g5_1_people_who_come_and_go_shift_no_page(self, graph: httpx.Client, control: SandboxControl) -> None:
        link = graph.get("/users", params={"$top": 3}).json()["@odata.nextLink"]
        control.delete_user(TENANT, WITH_A1)
        assert ids(graph.get(link)) == EVERYBODY[3:6]

    def test_g5_1_an_empty_page_in_the_middle_has_a_link(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(empty_page_every=2)
        sizes = [len(ids(page)) for page in pages(graph, **{"$top": 3})]
        assert sizes == [3, 0, 3, 0, 1]

    def test_g5_1_links_can_age(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(page_token_lifetime_seconds=60)
        link = graph.get("/users", params={"$top": 3}).json()["@odata.nextLink"]
        assert graph.get(link).status_code == 200
        control.set_clock(advance=61)
        assert graph.get(link).json()["error"]["code"] == "Directory_ExpiredPageToken"


class TestG51SignInActivity:
    def test_g5_1_a_page_with_sign_ins_has_500_users_at_most(
        self, graph: httpx.Client, control: SandboxControl, authorize: Callable[..., dict[str, str]]
    ) -> None:
        control.seed({"tenants": [{"id": CROWDED, "population": [{"count": 600, "prefix": "crowd"}]}]}, reset=False)
        control.grant_consent(CROWDED, APP, ["User.Read.All"])
        asked = {"$top": 999, "$select": "id,signInActivity"}
        assert len(ids(graph.get("/users", params=asked, headers=authorize(tenant=CROWDED)))) == 500

    def test_g5_1_sign_ins_can_be_asked_for_ten_times_a_minute(self, graph: httpx.Client) -> None:
        statuses = [graph.get("/users?$select=id,signInActivity").status_code for _ in range(11)]
        assert statuses == [*[200] * 10, 429]
        assert graph.get("/users?$select=id").status_code == 200


class TestG51Select:
    def test_g5_1_the_default_is_eleven_properties(self, graph: httpx.Client) -> None:
        row = graph.get("/users").json()["value"][0]
        assert len(row) == 11
        assert "usageLocation" not in row

    def test_g5_1_exactly_the_named_properties_come_back(self, graph: httpx.Client) -> None:
        select = "id,userPrincipalName,accountEnabled,usageLocation,userType,assignedLicenses,licenseAssignmentStates"
        row = graph.get("/users", params={"$select": select}).json()["value"][0]
        assert ",".join(row) == select

    def test_g5_1_a_single_property(self, graph: httpx.Client) -> None:
        assert graph.get("/users", params={"$select": "department"}).json()["value"][0] == {"department": "99XA"}

    def test_g5_1_an_unknown_property_is_refused(self, graph: httpx.Client) -> None:
        response = graph.get("/users", params={"$select": "id,shoeSize"})
        assert "Could not find a property named 'shoeSize'" in message(response)

    def test_g5_1_a_real_property_that_the_twin_does_not_keep_is_null(self, graph: httpx.Client) -> None:
        assert graph.get(f"/users/{WITH_A1}", params={"$select": "city"}).json()["city"] is None

    def test_g5_1_assigned_licenses_merge_what_states_tell_apart(self, graph: httpx.Client) -> None:
        params = {"$select": "assignedLicenses,licenseAssignmentStates"}
        row = graph.get(f"/users/{BOTH_WAYS}", params=params).json()
        assert row["assignedLicenses"] == [{"disabledPlans": [], "skuId": A3}]
        assert [state["disabledPlans"] for state in row["licenseAssignmentStates"]] == [[YAMMER], []]

    def test_g5_1_extension_attributes_are_all_there(self, graph: httpx.Client) -> None:
        row = graph.get(f"/users/{PUPIL}", params={"$select": "onPremisesExtensionAttributes"}).json()
        attributes = row["onPremisesExtensionAttributes"]
        assert (len(attributes), attributes["extensionAttribute1"]) == (15, "groep 8")
