import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from provisioning.domain.errors import ActionRequiredError, RetryableError
from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import GroupId
from provisioning.domain.reasons import Reason
from provisioning.graph import groups
from tests.unit.graph import fakes
from tests.unit.graph.fakes import A1, A3, TENANT, FakeGraph

GROUP = GroupId("7e2a4d90-13c5-4b6f-a8e1-9d5f0b6c3001")
OTHER = GroupId("7e2a4d90-13c5-4b6f-a8e1-9d5f0b6c3002")
PLAN = "2078e8df-cff6-4290-98cb-5408261a760a"
NEXT = f"https://graph.test/v1.0/groups/{GROUP}/members?$skiptoken=2"
USERS = [{"@odata.type": "#microsoft.graph.user", "id": f"u{n}"} for n in (1, 2)]
DEVICE = {"@odata.type": "#microsoft.graph.device", "id": "d1"}

Answer = Callable[[httpx.Request], httpx.Response]


def shown(group_id: str = GROUP, **properties: Any) -> dict[str, Any]:
    """A group as Graph shows a plain security group that was never licensed."""
    plain = {
        "mailNickname": "lic-a3",
        "securityEnabled": True,
        "groupTypes": [],
        "membershipRule": None,
        "onPremisesSyncEnabled": None,
        "assignedLicenses": [],
        "licenseProcessingState": None,
    }
    return {"id": group_id, **plain, **properties}


def page(*things: dict[str, Any], link: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"value": things} | ({"@odata.nextLink": link} if link else {}))


def tenant_with(items: Callable[[dict[str, Any]], dict[str, Any]], members: Answer) -> FakeGraph:
    """Groups are read in batches, their members by themselves."""
    batch = fakes.batch_of(items)
    return FakeGraph(lambda request: batch(request) if request.url.path.endswith("$batch") else members(request))


class TestOneGroup:
    @pytest.mark.parametrize(
        ("properties", "expected"),
        [
            pytest.param({}, {}, id="a plain security group"),
            pytest.param(
                {"groupTypes": ["DynamicMembership"], "membershipRule": 'user.department -eq "groep 7"'},
                {"is_dynamic": True, "rule": 'user.department -eq "groep 7"'},
                id="of a rule",
            ),
            pytest.param({"onPremisesSyncEnabled": True}, {"is_synced": True}, id="of a sync tool"),
            pytest.param({"onPremisesSyncEnabled": False}, {}, id="once of a sync tool"),
            pytest.param({"securityEnabled": False}, {"is_security": False}, id="no security group"),
            pytest.param(
                {"assignedLicenses": [{"skuId": A3.upper(), "disabledPlans": [PLAN.upper()]}, {"skuId": A1}]},
                {"licences": (GroupLicence(A3, frozenset({PLAN})), GroupLicence(A1))},  # type: ignore[arg-type]  # text
                id="with licences, by SKU",
            ),
            pytest.param(
                {"licenseProcessingState": {"state": "QueuedForProcessing"}}, {"is_processing": True}, id="queued"
            ),
            pytest.param(
                {"licenseProcessingState": {"state": "ProcessingInProgress"}}, {"is_processing": True}, id="under way"
            ),
            pytest.param({"licenseProcessingState": {"state": "ProcessingComplete"}}, {}, id="done"),
            pytest.param({"licenseProcessingState": {"state": "ProcessingFailed"}}, {}, id="failed: not under way"),
            pytest.param({"licenseProcessingState": {}}, {}, id="a state that says nothing"),
        ],
    )
    def test_in_our_words(self, properties: dict[str, Any], expected: dict[str, Any]) -> None:
        graph = tenant_with(lambda _: {"status": 200, "body": shown(**properties)}, fakes.in_sequence(page(*USERS)))
        found = asyncio.run(groups.observe_groups(graph.client, TENANT, [GROUP], with_members=True))
        members = frozenset({"u1", "u2"})
        plain: dict[str, Any] = {"group_id": GROUP, "nickname": "lic-a3", "members": members, "is_complete": True}
        assert found == {GROUP: ObservedGroup(**plain | expected)}


class TestObserveGroups:
    def observe(self, graph: FakeGraph, *wanted: GroupId, with_members: bool = True) -> Any:
        return asyncio.run(groups.observe_groups(graph.client, TENANT, wanted, with_members=with_members))

    def test_direct_users_of_every_page_count(self) -> None:
        members = fakes.in_sequence(page(USERS[0], DEVICE, link=NEXT), page(link=NEXT + "3"), page(USERS[1]))
        graph = tenant_with(lambda _: {"status": 200, "body": shown()}, members)
        found = self.observe(graph, GROUP)[GROUP]
        assert found.members == {"u1", "u2"}
        assert found.is_complete

    def test_members_are_asked_without_a_cast_and_999_at_a_time(self) -> None:
        graph = tenant_with(lambda _: {"status": 200, "body": shown()}, fakes.in_sequence(page()))
        self.observe(graph, GROUP)
        url = graph.requests[-1].url
        assert url.path == f"/v1.0/groups/{GROUP}/members"
        assert (url.params["$top"], url.params["$select"]) == ("999", "id")

    def test_twenty_groups_without_members_are_one_call(self) -> None:
        wanted = [GroupId(f"7e2a4d90-13c5-4b6f-a8e1-{n:012d}") for n in range(20)]
        graph = FakeGraph(fakes.batch_of(lambda item: {"status": 200, "body": shown(item["url"][8:44])}))
        found = self.observe(graph, *wanted, with_members=False)
        assert set(found) == set(wanted)
        assert all(not group.is_complete and not group.members for group in found.values())
        assert len(graph.requests) == 1

    def test_only_the_needed_fields_are_asked_for(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 404}))
        self.observe(graph, GROUP)
        [[item]] = graph.batches
        path, _, query = item["url"].partition("?$select=")
        assert path == f"/groups/{GROUP}"
        assert {"id", "assignedLicenses", "licenseProcessingState", "membershipRule"} <= set(query.split(","))
        assert "displayName" not in query

    def test_found_gone_and_unreadable_are_three_things(self) -> None:
        third = GroupId("7e2a4d90-13c5-4b6f-a8e1-9d5f0b6c3003")
        statuses = {GROUP: 200, OTHER: 404, third: 503}
        graph = tenant_with(
            lambda item: {"status": statuses[GroupId(item["url"][8:44])], "body": shown()}, fakes.in_sequence(page())
        )
        found = self.observe(graph, GROUP, OTHER, third)
        assert found[GROUP].group_id == GROUP
        assert found[OTHER] is None
        assert third not in found

    @pytest.mark.parametrize("status", [403, 404, 503])
    def test_members_that_stay_unreadable_make_it_incomplete(self, status: int) -> None:
        """Also 404: a new group may be known to one replica and not to the next."""
        members = fakes.in_sequence(page(USERS[0], link=NEXT), httpx.Response(status))
        graph = tenant_with(lambda _: {"status": 200, "body": shown()}, members)
        found = self.observe(graph, GROUP)[GROUP]
        assert not found.is_complete

    def test_a_missing_permission_stops_the_tenant(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 403}))
        with pytest.raises(ActionRequiredError):
            self.observe(graph, GROUP)

    def test_an_odd_id_stays_inside_its_place(self) -> None:
        graph = FakeGraph(fakes.batch_of(lambda _: {"status": 404}))
        self.observe(graph, GroupId("a/b?c"))
        assert graph.batches[0][0]["url"].startswith("/groups/a%2Fb%3Fc?$select=")

    def test_no_groups_no_call(self) -> None:
        graph = FakeGraph(fakes.in_sequence(httpx.Response(500)))
        assert self.observe(graph) == {}
        assert graph.requests == []


class TestFindGroup:
    def find(self, *answers: httpx.Response, nickname: str = "lic-a3") -> Any:
        self.graph = FakeGraph(fakes.in_sequence(*answers))
        return asyncio.run(groups.find_group(self.graph.client, TENANT, nickname))

    def test_with_its_members(self) -> None:
        found = self.find(page(shown(assignedLicenses=[{"skuId": A3, "disabledPlans": []}])), page(*USERS))
        assert (found.group_id, found.nickname, found.members) == (GROUP, "lic-a3", {"u1", "u2"})
        assert found.licence(A3)
        assert found.is_complete

    def test_by_its_nickname_alone(self) -> None:
        self.find(page())
        query = self.graph.requests[0].url.params
        assert query["$filter"] == "mailNickname eq 'lic-a3'"
        assert "assignedLicenses" in query["$select"]

    def test_a_quote_in_the_name_ends_nothing(self) -> None:
        self.find(page(), nickname="o'neill")
        assert self.graph.requests[0].url.params["$filter"] == "mailNickname eq 'o''neill'"

    def test_none(self) -> None:
        assert self.find(page()) is None

    def test_an_empty_page_is_not_the_end(self) -> None:
        assert self.find(page(link=NEXT), page(shown()), page()).group_id == GROUP

    def test_two_of_a_name_need_a_person(self) -> None:
        with pytest.raises(ActionRequiredError, match="2 groups with the nickname 'lic-a3'") as caught:
            self.find(page(shown(), shown(OTHER)))
        assert caught.value.reason is Reason.GROUP_CHANGED

    def test_not_readable_is_not_none(self) -> None:
        with pytest.raises(RetryableError):
            self.find(httpx.Response(503))
