"""/subscribedSkus, /directory/subscriptions and /organization."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conformance.actions import change
from tests.conformance.school import A1, A3, A5, DOMAIN, PHONE, TENANT, WITH_NOTHING
from tests.sandbox_process import SandboxControl


def sku(graph: httpx.Client, sku_id: str) -> dict[str, Any]:
    rows = graph.get("/subscribedSkus").json()["value"]
    return next(row for row in rows if row["skuId"] == sku_id)


def subscription(control: SandboxControl, sku_id: str) -> str:
    return next(held["id"] for held in control.subscriptions(TENANT) if held["skuId"] == sku_id)


class TestSubscribedSkus:
    def test_one_row_per_sku_however_many_subscriptions(self, graph: httpx.Client) -> None:
        rows = graph.get("/subscribedSkus").json()["value"]
        assert [row["skuId"] for row in rows] == [A1, A3, A5, PHONE]

    def test_several_subscriptions_are_summed_and_named(self, graph: httpx.Client, control: SandboxControl) -> None:
        row = sku(graph, A3)
        assert row["prepaidUnits"] == {"enabled": 4, "suspended": 0, "warning": 0, "lockedOut": 0}
        assert row["subscriptionIds"] == [held["id"] for held in control.subscriptions(TENANT) if held["skuId"] == A3]

    def test_the_fields_are_microsofts(self, graph: httpx.Client) -> None:
        row = sku(graph, A3)
        assert row["id"] == f"{TENANT}_{A3}"
        assert (row["accountId"], row["accountName"]) == (TENANT, "school")
        assert (row["skuPartNumber"], row["appliesTo"]) == ("M365EDU_A3_FACULTY", "User")
        assert (row["capabilityStatus"], row["consumedUnits"]) == ("Enabled", 2)
        assert len(row["servicePlans"]) == 46
        assert row["servicePlans"][0].keys() == {
            *("servicePlanId", "servicePlanName", "provisioningStatus", "appliesTo")
        }

    def test_company_plans_say_so(self, graph: httpx.Client) -> None:
        scopes = {plan["servicePlanName"]: plan["appliesTo"] for plan in sku(graph, A3)["servicePlans"]}
        assert (scopes["INTUNE_O365"], scopes["TEAMS1"]) == ("Company", "User")

    def test_one_can_be_read_by_its_id(self, graph: httpx.Client) -> None:
        assert graph.get(f"/subscribedSkus/{TENANT}_{A5}").json()["skuId"] == A5
        assert graph.get(f"/subscribedSkus/{TENANT}_{TENANT}").status_code == 404

    def test_select_is_honoured_and_the_rest_refused(self, graph: httpx.Client) -> None:
        rows = graph.get("/subscribedSkus", params={"$select": "skuId,consumedUnits"}).json()["value"]
        assert rows[0].keys() == {"skuId", "consumedUnits"}
        assert graph.get("/subscribedSkus", params={"$top": 1}).status_code == 400

    @pytest.mark.parametrize(
        ("status", "field"), [("Warning", "warning"), ("Suspended", "suspended"), ("LockedOut", "lockedOut")]
    )
    def test_units_move_with_the_status_of_their_subscription(
        self, graph: httpx.Client, control: SandboxControl, status: str, field: str
    ) -> None:
        control.change_subscription(TENANT, subscription(control, A5), status=status)
        row = sku(graph, A5)
        assert (row["capabilityStatus"], row["prepaidUnits"][field], row["prepaidUnits"]["enabled"]) == (status, 1, 0)
        assert change(graph, WITH_NOTHING, [A5]).status_code == 400

    def test_one_enabled_unit_makes_the_sku_enabled(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.change_subscription(TENANT, subscription(control, A3), status="Suspended")
        row = sku(graph, A3)
        assert (row["capabilityStatus"], row["prepaidUnits"]["suspended"]) == ("Enabled", 3)

    def test_a_deleted_subscription_takes_its_sku_along(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.change_subscription(TENANT, subscription(control, A5), status="Deleted")
        assert A5 not in {row["skuId"] for row in graph.get("/subscribedSkus").json()["value"]}
        assert "valid company License" in change(graph, WITH_NOTHING, [A5]).text

    def test_reduction_leaves_people_their_licence_and_goes_below_zero(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        change(graph, WITH_NOTHING, [A5])
        control.change_subscription(TENANT, subscription(control, A5), totalLicenses=0)
        row = sku(graph, A5)
        assert (row["prepaidUnits"]["enabled"], row["consumedUnits"]) == (0, 1)


class TestSchedule:
    def test_seats_appear_when_their_moment_comes(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.add_subscription(TENANT, skuId=A5, totalLicenses=10, appearsIn=3_600)
        assert sku(graph, A5)["prepaidUnits"]["enabled"] == 1
        control.set_clock(advance=3_601)
        assert sku(graph, A5)["prepaidUnits"]["enabled"] == 11

    def test_a_life_can_be_planned_ahead(self, graph: httpx.Client, control: SandboxControl) -> None:
        changes = [{"in": 60, "status": "Warning"}, {"in": 120, "status": "Suspended"}]
        control.add_subscription(TENANT, skuId=A5, totalLicenses=10, changes=changes)
        control.set_clock(advance=61)
        assert sku(graph, A5)["prepaidUnits"]["warning"] == 10
        control.set_clock(advance=60)
        assert sku(graph, A5)["prepaidUnits"]["suspended"] == 10

    def test_an_unknown_sku_is_refused_with_a_sentence(self, control: SandboxControl) -> None:
        with pytest.raises(ValueError, match="is not in the catalogue of the sandbox"):
            control.add_subscription(TENANT, skuId=TENANT, totalLicenses=1)


class TestDirectorySubscriptions:
    def test_every_subscription_is_a_row(self, graph: httpx.Client) -> None:
        rows = graph.get("/directory/subscriptions").json()["value"]
        assert [(row["skuPartNumber"], row["totalLicenses"], row["status"]) for row in rows] == [
            ("STANDARDWOFFPACK_FACULTY", 500_000, "Enabled"),
            ("M365EDU_A3_FACULTY", 3, "Enabled"),
            ("M365EDU_A3_FACULTY", 1, "Enabled"),
            ("M365EDU_A5_FACULTY", 1, "Enabled"),
            ("MCOEV_FACULTY", 5, "Enabled"),
        ]
        assert rows[1]["nextLifecycleDateTime"] == "2099-07-31T00:00:00Z"
        assert rows[1]["id"] != rows[1]["commerceSubscriptionId"]


class TestOrganization:
    def test_names_the_tenant_its_country_and_its_domains(self, graph: httpx.Client) -> None:
        (row,) = graph.get("/organization").json()["value"]
        assert (row["id"], row["displayName"]) == (TENANT, "Een School")
        assert (row["countryLetterCode"], row["defaultUsageLocation"]) == ("NL", "NL")
        domains = {domain["name"]: (domain["isDefault"], domain["isInitial"]) for domain in row["verifiedDomains"]}
        assert domains == {DOMAIN: (True, False), "eenschool.onmicrosoft.com": (False, True)}


@pytest.mark.parametrize("path", ["/subscribedSkus", "/directory/subscriptions", "/organization"])
class TestPermissions:
    def test_organization_read_is_enough(self, limited_graph: Callable[..., httpx.Client], path: str) -> None:
        assert limited_graph("Organization.Read.All").get(path).status_code == 200

    def test_user_read_is_not(self, limited_graph: Callable[..., httpx.Client], path: str) -> None:
        assert limited_graph("User.Read.All").get(path).status_code == 403
