"""G5.5: one user, licence details, PATCH; and how routes are named."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conformance.actions import message
from tests.conformance.school import (
    DOMAIN,
    PUPIL,
    WITH_A1,
    WITHOUT_LOCATION,
    YAMMER,
)


class TestG55OneUser:
    def test_g5_5_by_id_or_name(self, graph: httpx.Client) -> None:
        assert graph.get(f"/users/{WITH_A1}").json()["id"] == WITH_A1
        assert graph.get(f"/users/WITH-A1%40{DOMAIN}").json()["id"] == WITH_A1

    def test_g5_5_licence_details_show_what_works(self, graph: httpx.Client) -> None:
        (details,) = graph.get(f"/users/{WITH_A1}/licenseDetails").json()["value"]
        plans = {plan["servicePlanId"]: plan["provisioningStatus"] for plan in details["servicePlans"]}
        assert details["skuPartNumber"] == "STANDARDWOFFPACK_FACULTY"
        assert plans.pop(YAMMER) == "Disabled"
        assert set(plans.values()) == {"Success"}


class TestG55Patch:
    def test_g5_5_usage_location_is_set_with_204_and_no_body(self, graph: httpx.Client) -> None:
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
    def test_g5_5_nonsense_is_refused(self, graph: httpx.Client, body: Any) -> None:
        assert graph.patch(f"/users/{WITH_A1}", json=body).status_code == 400

    def test_g5_5_a_name_that_is_taken_is_refused_and_a_free_one_is_not(self, graph: httpx.Client) -> None:
        taken = {"userPrincipalName": f"PUPIL@{DOMAIN}"}
        assert "already exists" in message(graph.patch(f"/users/{WITH_A1}", json=taken))
        assert graph.patch(f"/users/{PUPIL}", json=taken).status_code == 204

    def test_g5_5_extension_attributes_are_merged(self, graph: httpx.Client) -> None:
        body = {"onPremisesExtensionAttributes": {"extensionAttribute2": "nieuw"}}
        assert graph.patch(f"/users/{PUPIL}", json=body).status_code == 204
        row = graph.get(f"/users/{PUPIL}", params={"$select": "onPremisesExtensionAttributes"}).json()
        attributes = row["onPremisesExtensionAttributes"]
        assert (attributes["extensionAttribute1"], attributes["extensionAttribute2"]) == ("groep 8", "nieuw")

    def test_g5_5_the_licence_permission_is_not_enough(self, limited_graph: Callable[..., httpx.Client]) -> None:
        graph = limited_graph("LicenseAssignment.ReadWrite.All", "User.Read.All")
        assert graph.patch(f"/users/{WITH_A1}", json={"usageLocation": "BE"}).status_code == 403


class TestRoutes:
    def test_an_unknown_segment_is_400(self, graph: httpx.Client) -> None:
        assert message(graph.get("/nonsense")) == "Resource not found for the segment 'nonsense'."

    def test_segments_are_case_insensitive(self, graph: httpx.Client) -> None:
        assert graph.get("/Organization").status_code == 200
