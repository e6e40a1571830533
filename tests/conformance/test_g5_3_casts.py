"""G5.3: members as users. A cast with other options is an advanced query."""

import httpx
import pytest

from tests.conformance.reading import EVENTUAL, ids, pages, refusal
from tests.conformance.school import BOTH_WAYS, GROUP, INHERITING
from tests.sandbox_process import SandboxControl

MEMBERS = [INHERITING, BOTH_WAYS]
both_spellings = pytest.mark.parametrize("cast", ["microsoft.graph.user", "graph.user"])


@both_spellings
class TestG53Casts:
    def address(self, cast: str) -> str:
        return f"/groups/{GROUP}/members/{cast}"

    def test_g5_3_alone_it_needs_nothing(self, graph: httpx.Client, cast: str) -> None:
        response = graph.get(self.address(cast))
        assert ids(response) == MEMBERS
        assert "@odata.type" not in response.json()["value"][0]

    @pytest.mark.parametrize("option", ["$select=id", "$top=999", "$filter=accountEnabled eq true"])
    def test_g5_3_with_other_options_it_needs_the_advanced_headers(
        self, graph: httpx.Client, cast: str, option: str
    ) -> None:
        address = f"{self.address(cast)}?{option}"
        assert refusal(graph.get(address)) == (400, "Request_UnsupportedQuery")
        assert refusal(graph.get(f"{address}&$count=true")) == (400, "Request_UnsupportedQuery")
        assert ids(graph.get(f"{address}&$count=true", headers=EVENTUAL)) == MEMBERS

    def test_g5_3_the_header_goes_with_every_page(self, graph: httpx.Client, cast: str) -> None:
        options = {"$top": 1, "$count": "true"}
        found = list(pages(graph, EVENTUAL, address=self.address(cast), **options))
        assert [ids(page) for page in found] == [[user] for user in MEMBERS]
        assert refusal(graph.get(found[0].json()["@odata.nextLink"]))[0] == 400

    def test_g5_3_a_count_without_the_header_is_ignored(self, graph: httpx.Client, cast: str) -> None:
        body = graph.get(f"{self.address(cast)}?$count=true").json()
        assert (len(body["value"]), "@odata.count" in body) == (2, False)

    def test_g5_3_whether_so_is_a_switch(self, graph: httpx.Client, control: SandboxControl, cast: str) -> None:
        control.set_switches(casts_are_advanced=False)
        assert ids(graph.get(f"{self.address(cast)}?$select=id")) == MEMBERS
