"""G5.1 for groups: wherever groups are listed, alone or with people, pages have the habits of pages of people."""

import httpx
import pytest

from tests.conformance.actions import message
from tests.conformance.reading import EVENTUAL, ids, pages, refusal
from tests.conformance.school import A1, A3, GROUP, INHERITING, PUPIL, TENANT, WITH_A1, WITH_NOTHING, user_id
from tests.sandbox_process import SandboxControl

OUTER, TEAMS = user_id("outer"), [user_id(f"team-{number}") for number in range(3)]
COLLECTIONS = [
    *("/groups", f"/groups/{OUTER}/members", f"/groups/{OUTER}/transitiveMembers"),
    *(f"/groups/{OUTER}/membersWithLicenseErrors", f"/users/{PUPIL}/memberOf"),
]
every_collection = pytest.mark.parametrize("address", COLLECTIONS)


@pytest.fixture(autouse=True)
def _nested(control: SandboxControl) -> None:
    """A group with a group in it and three people for whom it fails; a pupil who is in four groups."""
    people = [WITH_A1, WITH_NOTHING, PUPIL]
    failed = {"skuId": A3, "assignedByGroup": OUTER, "state": "Error", "error": "CountViolation"}
    control.put_group(TENANT, id=OUTER, displayName="Outer", members=[GROUP, *people])
    for person in people:
        control.change_user(TENANT, person, assignments=[failed])
    for number, team in enumerate(TEAMS):
        control.put_group(TENANT, id=team, displayName=f"Team {number}", members=[PUPIL])


class TestG51Groups:
    @every_collection
    def test_g5_1_pages_follow_each_other(self, graph: httpx.Client, address: str) -> None:
        whole = ids(graph.get(address))
        assert len(whole) >= 3
        assert [one for page in pages(graph, address=address, **{"$top": 1}) for one in ids(page)] == whole

    @every_collection
    def test_g5_1_an_empty_page_has_a_link(self, graph: httpx.Client, control: SandboxControl, address: str) -> None:
        control.set_switches(empty_page_every=2)
        sizes = [len(ids(page)) for page in pages(graph, address=address, **{"$top": 1})]
        assert sizes[:3] == [1, 0, 1]

    @every_collection
    def test_g5_1_a_page_may_be_shorter_than_asked(
        self, graph: httpx.Client, control: SandboxControl, address: str
    ) -> None:
        control.set_switches(short_page_every=1)
        assert {len(ids(page)) for page in pages(graph, address=address, **{"$top": 2})} <= {0, 1}

    @every_collection
    def test_g5_1_links_age(self, graph: httpx.Client, control: SandboxControl, address: str) -> None:
        control.set_switches(page_token_lifetime_seconds=60)
        link = graph.get(address, params={"$top": 1}).json()["@odata.nextLink"]
        assert graph.get(link).status_code == 200
        control.set_clock(advance=61)
        assert refusal(graph.get(link)) == (400, "Directory_ExpiredPageToken")

    @every_collection
    def test_g5_1_999_is_the_most(self, graph: httpx.Client, address: str) -> None:
        assert graph.get(address, params={"$top": 999}).status_code == 200
        assert graph.get(address, params={"$top": 1000}).status_code == 400

    @every_collection
    @pytest.mark.parametrize("option", ["$skip=1", "$expand=owners"])
    def test_g5_1_skip_and_expand_are_refused(self, graph: httpx.Client, address: str, option: str) -> None:
        response = graph.get(f"{address}?{option}")
        assert refusal(response) == (400, "Request_UnsupportedQuery")
        assert message(response).startswith(f"'{option.partition('=')[0]}' is not supported")

    @every_collection
    def test_g5_1_a_link_nobody_gave_is_refused(self, graph: httpx.Client, address: str) -> None:
        assert refusal(graph.get(f"{address}?$skiptoken=invented")) == (400, "Directory_ExpiredPageToken")

    @every_collection
    def test_g5_1_the_count_is_on_the_first_page_alone(self, graph: httpx.Client, address: str) -> None:
        whole = ids(graph.get(address))
        first, *others = pages(graph, EVENTUAL, address, **{"$top": 1, "$count": "true"})
        assert first.json()["@odata.count"] == len(whole)
        assert all("@odata.count" not in page.json() for page in others)


class TestG52Index:
    """Advanced queries on groups read the index too: which groups there are, and who is in them."""

    @pytest.fixture(autouse=True)
    def _late(self, control: SandboxControl) -> None:
        control.set_switches(index_extra_lag_seconds=60)

    def test_g5_2_10_who_joined_shows_later_in_the_index(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.change_group(TENANT, GROUP, join=[PUPIL])
        cast = f"/groups/{GROUP}/members/microsoft.graph.user"
        advanced = {"$count": "true", "$select": "id"}
        assert PUPIL in ids(graph.get(f"/groups/{GROUP}/members"))
        assert PUPIL not in ids(graph.get(cast, params=advanced, headers=EVENTUAL))
        control.set_clock(advance=61)
        assert PUPIL in ids(graph.get(cast, params=advanced, headers=EVENTUAL))

    def test_g5_2_10_a_group_s_licences_show_later_in_the_index(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.change_group(TENANT, OUTER, assignedLicenses=[{"skuId": A1}])
        wanted = {"$filter": f"assignedLicenses/any(x:x/skuId eq {A1})", "$count": "true"}
        assert ids(graph.get("/groups", params={"$filter": wanted["$filter"]})) == [OUTER]
        assert ids(graph.get("/groups", params=wanted, headers=EVENTUAL)) == []
        control.set_clock(advance=61)
        assert ids(graph.get("/groups", params=wanted, headers=EVENTUAL)) == [OUTER]


class TestG56ByIds:
    def test_g5_6_a_copy_that_does_not_know_a_group_does_not_name_it(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_lag(300)
        fresh = user_id("fresh")
        control.put_group(TENANT, id=fresh, displayName="Vers")
        body = {"ids": [fresh, INHERITING]}
        assert ids(graph.post("/directoryObjects/getByIds", json=body)) == [INHERITING]
        control.set_clock(advance=301)
        assert ids(graph.post("/directoryObjects/getByIds", json=body)) == [fresh, INHERITING]
