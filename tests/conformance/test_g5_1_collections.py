"""G5.1 wherever something is listed, people, groups or both: pages have the same habits everywhere."""

import httpx
import pytest

from tests.conformance.actions import message
from tests.conformance.reading import EVENTUAL, ids, pages, refusal
from tests.conformance.school import GROUP, OUTER, PUPIL, UNIT
from tests.sandbox_process import SandboxControl

PEOPLE = [
    *("/users", "/education/users", "/education/schools/school-1/users", f"/groups/{GROUP}/members"),
    *(f"/groups/{GROUP}/members/graph.user", f"/administrativeUnits/{UNIT}/members"),
]
GROUPS = [
    *("/groups", f"/groups/{OUTER}/members", f"/groups/{OUTER}/transitiveMembers"),
    *(f"/groups/{OUTER}/membersWithLicenseErrors", f"/users/{PUPIL}/memberOf"),
]
SUBSCRIPTIONS, SCHOOLS = "/directory/subscriptions", "/education/schools"
every_collection = pytest.mark.parametrize("address", [*PEOPLE, *GROUPS])


pytestmark = pytest.mark.usefixtures("nested")


@pytest.fixture(autouse=True)
def _plain_casts(control: SandboxControl) -> None:
    control.set_switches(casts_are_advanced=False)


class TestG51EveryCollection:
    @every_collection
    def test_g5_1_pages_follow_each_other(self, graph: httpx.Client, address: str) -> None:
        whole = ids(graph.get(address))
        assert len(whole) >= (3 if address in GROUPS else 2)
        assert [one for page in pages(graph, address=address, **{"$top": 1}) for one in ids(page)] == whole

    @every_collection
    def test_g5_1_an_empty_page_has_a_link(self, graph: httpx.Client, control: SandboxControl, address: str) -> None:
        control.set_switches(empty_page_every=2)
        sizes = [len(ids(page)) for page in pages(graph, address=address, **{"$top": 1})]
        assert sizes[:3] == [1, 0, 1]

    @pytest.mark.parametrize(
        ("address", "sizes"), [*((one, {1}) for one in PEOPLE), *((one, {0, 1}) for one in GROUPS)]
    )
    def test_g5_1_a_page_may_be_shorter_than_asked(
        self, graph: httpx.Client, control: SandboxControl, address: str, sizes: set[int]
    ) -> None:
        control.set_switches(short_page_every=1)
        assert {len(ids(page)) for page in pages(graph, address=address, **{"$top": 2})} <= sizes

    @pytest.mark.parametrize("address", [*PEOPLE, *GROUPS, SUBSCRIPTIONS])
    def test_g5_1_links_age(self, graph: httpx.Client, control: SandboxControl, address: str) -> None:
        control.set_switches(page_token_lifetime_seconds=60)
        link = graph.get(address, params={"$top": 1}).json()["@odata.nextLink"]
        assert graph.get(link).status_code == 200
        control.set_clock(advance=61)
        assert refusal(graph.get(link)) == (400, "Directory_ExpiredPageToken")

    @pytest.mark.parametrize("address", [*PEOPLE, *GROUPS, SUBSCRIPTIONS, SCHOOLS])
    def test_g5_1_999_is_the_most(self, graph: httpx.Client, address: str) -> None:
        assert graph.get(address, params={"$top": 999}).status_code == 200
        assert graph.get(address, params={"$top": 1000}).status_code == 400

    @pytest.mark.parametrize(
        ("address", "option"),
        [
            *((one, option) for one in PEOPLE for option in ("$skip=1", "$expand=manager")),
            *((one, option) for one in GROUPS for option in ("$skip=1", "$expand=owners")),
        ],
    )
    def test_g5_1_skip_and_expand_are_refused(self, graph: httpx.Client, address: str, option: str) -> None:
        response = graph.get(f"{address}?{option}")
        assert refusal(response) == (400, "Request_UnsupportedQuery")
        assert message(response).startswith(f"'{option.partition('=')[0]}' is not supported")

    @every_collection
    def test_g5_1_a_link_nobody_gave_is_refused(self, graph: httpx.Client, address: str) -> None:
        assert refusal(graph.get(f"{address}?$skiptoken=invented")) == (400, "Directory_ExpiredPageToken")

    @pytest.mark.parametrize("address", GROUPS)
    def test_g5_1_the_count_is_on_the_first_page_alone(self, graph: httpx.Client, address: str) -> None:
        whole = ids(graph.get(address))
        first, *others = pages(graph, EVENTUAL, address, **{"$top": 1, "$count": "true"})
        assert first.json()["@odata.count"] == len(whole)
        assert all("@odata.count" not in page.json() for page in others)
