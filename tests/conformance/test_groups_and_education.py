"""Groups and administrative units: reads."""

from collections.abc import Callable

import httpx
import pytest

from tests.conformance.school import (
    A3,
    BOTH_WAYS,
    GROUP,
    INHERITING,
    TENANT,
    UNIT,
    WITH_A1,
    WITH_NOTHING,
)
from tests.sandbox_process import SandboxControl


def ids(response: httpx.Response) -> list[str]:
    return [row["id"] for row in response.json()["value"]]


class TestGroup:
    def test_licences_come_only_when_asked_for(self, graph: httpx.Client) -> None:
        assert "assignedLicenses" not in graph.get(f"/groups/{GROUP}").json()
        params = {"$select": "id,assignedLicenses,licenseProcessingState"}
        row = graph.get(f"/groups/{GROUP}", params=params).json()
        assert row["assignedLicenses"] == [{"skuId": A3, "disabledPlans": []}]
        assert row["licenseProcessingState"] == {"state": "ProcessingComplete"}

    def test_an_unknown_group_is_404(self, graph: httpx.Client) -> None:
        assert graph.get(f"/groups/{UNIT}").status_code == 404


class TestMembers:
    def test_are_directory_objects_with_their_type(self, graph: httpx.Client) -> None:
        response = graph.get(f"/groups/{GROUP}/members")
        assert ids(response) == [INHERITING, BOTH_WAYS]
        assert {row["@odata.type"] for row in response.json()["value"]} == {"#microsoft.graph.user"}

    @pytest.mark.parametrize("cast", ["microsoft.graph.user", "graph.user"])
    def test_both_spellings_of_the_cast_give_plain_users(self, graph: httpx.Client, cast: str) -> None:
        options, eventual = {"$select": "id,usageLocation", "$count": "true"}, {"ConsistencyLevel": "eventual"}
        rows = graph.get(f"/groups/{GROUP}/members/{cast}", params=options, headers=eventual).json()["value"]
        assert rows[0] == {"id": INHERITING, "usageLocation": "NL"}

    def test_are_paged(self, graph: httpx.Client) -> None:
        first = graph.get(f"/groups/{GROUP}/members", params={"$top": 1})
        assert ids(first) == [INHERITING]
        assert ids(graph.get(first.json()["@odata.nextLink"])) == [BOTH_WAYS]

    def test_deleted_people_are_members_no_longer(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.delete_user(TENANT, INHERITING)
        assert ids(graph.get(f"/groups/{GROUP}/members")) == [BOTH_WAYS]

    def test_need_a_permission_of_their_own(self, limited_graph: Callable[..., httpx.Client]) -> None:
        assert limited_graph("User.Read.All").get(f"/groups/{GROUP}/members").status_code == 403


class TestAdministrativeUnit:
    @pytest.mark.parametrize("root", ["/administrativeUnits", "/directory/administrativeUnits"])
    def test_members_are_readable_at_both_addresses(self, graph: httpx.Client, root: str) -> None:
        assert ids(graph.get(f"{root}/{UNIT}/members")) == [WITH_A1, WITH_NOTHING]
        assert graph.get(f"{root}/{GROUP}/members").status_code == 404
