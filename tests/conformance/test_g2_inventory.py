"""G2: what the inventory understands of OData, its other keys, the customers of a partner; and objects by their ids."""

from typing import Any

import httpx
import pytest

from tests.conformance.actions import message
from tests.conformance.reading import ids, pages, refusal
from tests.conformance.school import A1, A3, APP, GROUP, ROLES, TEAMS, TENANT, WITH_A1, world_seed
from tests.sandbox_process import SandboxControl

PARTNER = "88888888-0000-4000-8000-000000000001"
SUBSCRIPTIONS = "/directory/subscriptions"


def parts(response: httpx.Response) -> list[str]:
    return [row["skuPartNumber"] for row in response.json()["value"]]


class TestG21SubscribedSkus:
    @pytest.mark.parametrize("option", ["$filter=skuId eq 'x'", "$top=1", "$orderby=skuId", "$search=x"])
    def test_g2_1_filter_top_and_the_like_are_refused(self, graph: httpx.Client, option: str) -> None:
        assert refusal(graph.get(f"/subscribedSkus?{option}")) == (400, "Request_UnsupportedQuery")

    def test_g2_1_select_is_allowed_on_one_as_well(self, graph: httpx.Client) -> None:
        row = graph.get(f"/subscribedSkus/{TENANT}_{A3}?$select=skuId,consumedUnits").json()
        assert row.keys() == {"@odata.context", "skuId", "consumedUnits"}

    def test_g2_1_it_is_never_paged(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(empty_page_every=2, short_page_every=1)
        body = graph.get("/subscribedSkus").json()
        assert (len(body["value"]), "@odata.nextLink" in body) == (4, False)


class TestG21PlanStatuses:
    def plan(self, rows: list[dict[str, Any]]) -> str:
        return next(row["provisioningStatus"] for row in rows if row["servicePlanId"] == TEAMS)

    def test_g2_1_a_plan_may_wait_for_something_in_the_whole_tenant(
        self, graph: httpx.Client, control: SandboxControl, authorize: Any
    ) -> None:
        seed = world_seed()
        seed["tenants"][0]["planStatuses"] = {TEAMS: "PendingProvisioning"}
        control.seed(seed)
        headers = authorize()
        sku = graph.get("/subscribedSkus", headers=headers).json()["value"][0]
        subscription = graph.get(SUBSCRIPTIONS, headers=headers).json()["value"][0]
        (details,) = graph.get(f"/users/{WITH_A1}/licenseDetails", headers=headers).json()["value"]
        plans = (sku["servicePlans"], subscription["serviceStatus"], details["servicePlans"])
        assert {self.plan(rows) for rows in plans} == {"PendingProvisioning"}

    def test_g2_1_a_status_that_does_not_exist_is_refused(self, control: SandboxControl) -> None:
        with pytest.raises(ValueError, match="Invalid enum value 'Sleeping'"):
            control.seed({"tenants": [{"id": PARTNER, "planStatuses": {TEAMS: "Sleeping"}}]}, reset=False)


class TestG22Subscriptions:
    def one(self, graph: httpx.Client) -> dict[str, Any]:
        row: dict[str, Any] = graph.get(SUBSCRIPTIONS).json()["value"][1]
        return row

    def test_g2_2_the_commerce_id_is_an_alternate_key(self, graph: httpx.Client) -> None:
        row = self.one(graph)
        found = graph.get(f"{SUBSCRIPTIONS}(commerceSubscriptionId='{row['commerceSubscriptionId']}')").json()
        assert found.pop("@odata.context").endswith("#directory/subscriptions/$entity")
        assert found == row

    @pytest.mark.parametrize("spelling", ["{root}/{id}", "{root}('{id}')"])
    def test_g2_2_the_id_is_the_key(self, graph: httpx.Client, spelling: str) -> None:
        row = self.one(graph)
        address = spelling.format(root=SUBSCRIPTIONS, id=row["id"])
        assert graph.get(f"{address}?$select=id").json()["id"] == row["id"]

    @pytest.mark.parametrize("key", [f"/{GROUP}", f"(commerceSubscriptionId='{GROUP}')"])
    def test_g2_2_another_key_is_404(self, graph: httpx.Client, key: str) -> None:
        assert graph.get(f"{SUBSCRIPTIONS}{key}").status_code == 404

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            (f"skuId eq '{A3}'", 2),
            ("status eq 'Enabled' and totalLicenses gt 3", 2),
            ("totalLicenses le 1", 2),
            ("nextLifecycleDateTime ge 2027-01-01T00:00:00Z", 1),
            ("nextLifecycleDateTime lt 2027-01-01T00:00:00Z", 0),
            ("nextLifecycleDateTime eq null", 4),
            ("isTrial eq true", 0),
            ("startsWith(skuPartNumber,'M365')", 3),
            ("not(startsWith(skuPartNumber,'M365'))", 2),
            ("skuPartNumber in ('MCOEV_FACULTY', 'M365EDU_A5_FACULTY')", 2),
        ],
    )
    def test_g2_2_filter(self, graph: httpx.Client, text: str, number: int) -> None:
        assert len(parts(graph.get(SUBSCRIPTIONS, params={"$filter": text}))) == number

    @pytest.mark.parametrize(
        "text",
        ["shoeSize eq 1", "assignedLicenses/$count eq 0", "assignedLicenses/any(x:x/skuId eq 1)", "status like 'E'"],
    )
    def test_g2_2_what_cannot_be_filtered_on(self, graph: httpx.Client, text: str) -> None:
        assert graph.get(SUBSCRIPTIONS, params={"$filter": text}).status_code == 400

    def test_g2_2_order_top_count_and_select(self, graph: httpx.Client) -> None:
        options = {"$orderby": "totalLicenses desc", "$top": 2, "$count": "true", "$select": "totalLicenses"}
        found = list(pages(graph, address=SUBSCRIPTIONS, **options))
        rows = [row for page in found for row in page.json()["value"]]
        assert [len(page.json()["value"]) for page in found] == [2, 2, 1]
        assert [row["totalLicenses"] for row in rows] == [500_000, 5, 3, 1, 1]
        assert [page.json().get("@odata.count") for page in found] == [5, None, None]
        assert rows[0].keys() == {"totalLicenses"}

    def test_g2_2_rows_without_a_value_sort_first(self, graph: httpx.Client) -> None:
        rows = graph.get(f"{SUBSCRIPTIONS}?$orderby=nextLifecycleDateTime").json()["value"]
        assert [row["nextLifecycleDateTime"] is None for row in rows] == [*[True] * 4, False]

    @pytest.mark.parametrize("option", ["$select=shoeSize", "$orderby=shoeSize", "$expand=x", "$skip=1", "$top=0"])
    def test_g2_2_nonsense_is_refused(self, graph: httpx.Client, option: str) -> None:
        assert graph.get(f"{SUBSCRIPTIONS}?{option}").status_code == 400


class TestG23Organization:
    def test_g2_3_one_can_be_read_by_its_id(self, graph: httpx.Client) -> None:
        assert graph.get(f"/organization/{TENANT}?$select=displayName").json()["displayName"] == "Een School"
        assert graph.get(f"/organization/{GROUP}").status_code == 404


class TestG103Contracts:
    def test_g10_3_a_partner_lists_its_customers(
        self, graph: httpx.Client, control: SandboxControl, authorize: Any
    ) -> None:
        contract = {
            "id": "c-1",
            "customerId": TENANT,
            "defaultDomainName": "school.example",
            "displayName": "Een School",
        }
        control.seed({"tenants": [{"id": PARTNER, "contracts": [contract]}]}, reset=False)
        control.grant_consent(PARTNER, APP, ["Directory.Read.All"])
        (row,) = graph.get("/contracts", headers=authorize(tenant=PARTNER)).json()["value"]
        assert {name: row[name] for name in contract} == contract
        assert row["contractType"] == "ResellerPartnerContract"

    def test_g10_3_it_needs_the_directory(self, graph: httpx.Client, control: SandboxControl, authorize: Any) -> None:
        assert graph.get("/contracts").status_code == 403
        control.grant_consent(TENANT, APP, [*ROLES, "Directory.Read.All"])
        assert graph.get("/contracts", headers=authorize()).json()["value"] == []


class TestG72GetByIds:
    def test_g7_2_users_and_groups_that_exist(self, graph: httpx.Client) -> None:
        response = graph.post("/directoryObjects/getByIds", json={"ids": [WITH_A1, GROUP, TENANT]})
        kinds = {row["id"]: row["@odata.type"] for row in response.json()["value"]}
        assert kinds == {WITH_A1: "#microsoft.graph.user", GROUP: "#microsoft.graph.group"}

    @pytest.mark.parametrize(("kind", "found"), [("user", [WITH_A1]), ("group", [GROUP]), ("device", [])])
    def test_g7_2_of_the_types_that_are_asked_for(self, graph: httpx.Client, kind: str, found: list[str]) -> None:
        body = {"ids": [WITH_A1, GROUP, WITH_A1.upper()], "types": [kind]}
        response = graph.post("/directoryObjects/getByIds?$select=id,displayName", json=body)
        assert ids(response) == found
        assert all(row.keys() == {"@odata.type", "id", "displayName"} for row in response.json()["value"])

    @pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["x"] * 1_001}, {"ids": "x"}, []])
    def test_g7_2_nonsense_is_refused(self, graph: httpx.Client, body: Any) -> None:
        assert graph.post("/directoryObjects/getByIds", json=body).status_code == 400


class TestG55LicenceDetails:
    def test_g5_5_the_id_is_opaque_and_steady(self, graph: httpx.Client) -> None:
        first, second = (graph.get(f"/users/{WITH_A1}/licenseDetails").json()["value"] for _ in range(2))
        assert first == second
        assert (A1 in first[0]["id"], WITH_A1 in first[0]["id"], len(first[0]["id"])) == (False, False, 43)

    def test_g5_5_a_user_has_no_expansions(self, graph: httpx.Client) -> None:
        response = graph.get(f"/users/{WITH_A1}?$expand=manager")
        assert message(response) == "'$expand' is not supported by the service."
