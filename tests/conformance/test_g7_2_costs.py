"""G7.2: what a request costs, row by row, as `x-ms-resource-unit` tells it."""

import httpx
import pytest

from tests.conformance.actions import change
from tests.conformance.school import A1, APP, GROUP, ROLES, TENANT, WITH_A1, WITHOUT_LOCATION
from tests.sandbox_process import SandboxControl


@pytest.fixture(autouse=True)
def _can_read_the_directory(control: SandboxControl) -> None:
    control.grant_consent(TENANT, APP, [*ROLES, "Directory.Read.All"])


def units(response: httpx.Response) -> int:
    assert response.is_success, response.text
    return int(response.headers["x-ms-resource-unit"])


class TestG72Rows:
    def test_g7_2_01_users(self, graph: httpx.Client) -> None:
        assert units(graph.get("/users")) == 2

    def test_g7_2_02_one_user(self, graph: httpx.Client) -> None:
        assert units(graph.get(f"/users/{WITH_A1}")) == 1

    @pytest.mark.parametrize("relation", ["licenseDetails", "memberOf"])
    def test_g7_2_03_licence_details_and_groups_of_a_user(self, graph: httpx.Client, relation: str) -> None:
        assert units(graph.get(f"/users/{WITH_A1}/{relation}")) == 2

    @pytest.mark.parametrize("cast", ["", "/microsoft.graph.user", "/graph.user"])
    def test_g7_2_04_members_of_a_group(self, graph: httpx.Client, cast: str) -> None:
        assert units(graph.get(f"/groups/{GROUP}/members{cast}")) == 3

    @pytest.mark.parametrize("cast", ["", "/microsoft.graph.user", "/graph.user"])
    def test_g7_2_05_transitive_members_of_a_group(self, graph: httpx.Client, cast: str) -> None:
        assert units(graph.get(f"/groups/{GROUP}/transitiveMembers{cast}")) == 5

    def test_g7_2_06_subscribed_skus(self, graph: httpx.Client) -> None:
        assert units(graph.get("/subscribedSkus")) == 3

    def test_g7_2_07_contracts(self, graph: httpx.Client) -> None:
        assert units(graph.get("/contracts")) == 3

    @pytest.mark.parametrize(("options", "cost"), [("", 5), ("?$select=id", 2)])
    def test_g7_2_08_get_by_ids(self, graph: httpx.Client, options: str, cost: int) -> None:
        assert units(graph.post(f"/directoryObjects/getByIds{options}", json={"ids": [WITH_A1]})) == cost

    @pytest.mark.parametrize(
        "address", ["/organization", f"/groups/{GROUP}", "/users/delta", "/directory/subscriptions"]
    )
    def test_g7_2_09_any_other_read(self, graph: httpx.Client, address: str) -> None:
        assert units(graph.get(address)) == 1

    def test_g7_2_10_a_write_is_one_of_each(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.reset_counters()
        assert units(change(graph, WITH_A1, [A1])) == 1
        assert units(graph.patch(f"/users/{WITHOUT_LOCATION}", json={"usageLocation": "NL"})) == 1
        assert control.counters()["total"]["writes"] == 2

    def test_g7_2_10_reading_by_post_is_no_write(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.reset_counters()
        graph.post("/directoryObjects/getByIds", json={"ids": [WITH_A1]})
        assert control.counters()["total"].get("writes", 0) == 0

    @pytest.mark.parametrize(
        ("address", "cost"),
        [
            pytest.param("/users?$select=id", 1, id="select saves one"),
            pytest.param("/users?$top=19", 1, id="a small page saves one"),
            pytest.param("/users?$top=20", 2, id="twenty is not small"),
            pytest.param("/users?$top=999", 2, id="a large page costs no more"),
            pytest.param("/users?$top=5&$select=id", 1, id="never below one"),
            pytest.param(f"/groups/{GROUP}/members?$select=id&$top=5", 1, id="both save"),
            pytest.param("/subscribedSkus?$select=skuId", 2, id="also on the inventory"),
        ],
    )
    def test_g7_2_11_modifiers(self, graph: httpx.Client, address: str, cost: int) -> None:
        assert units(graph.get(address)) == cost
