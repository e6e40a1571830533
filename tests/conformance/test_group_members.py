"""Who is in a group, through other groups too, who fails in it, and what others do to it unseen."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conformance.actions import change, skus_of
from tests.conformance.school import (
    A1,
    A3,
    A5,
    BOTH_WAYS,
    GROUP,
    INHERITING,
    PUPIL,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    user_id,
    world_seed,
)
from tests.sandbox_process import SandboxControl

OUTER, OTHER = user_id("outer"), user_id("other")
NOBODY = "00000000-0000-4000-8000-000000000000"


def ids(response: httpx.Response) -> list[str]:
    return [row["id"] for row in response.json()["value"]]


@pytest.fixture
def nested(control: SandboxControl) -> str:
    """A licensed group with a pupil, and in it the group of staff, which is in a circle with it."""
    control.put_group(TENANT, id=OUTER, displayName="outer", members=[PUPIL, GROUP, INHERITING])
    control.change_group(TENANT, GROUP, join=[OUTER])
    return OUTER


class TestNestedGroups:
    def test_members_are_people_and_groups(self, graph: httpx.Client, nested: str) -> None:
        rows = graph.get(f"/groups/{nested}/members", params={"$select": "id,groupTypes,usageLocation"}).json()["value"]
        assert rows == [
            {"@odata.type": "#microsoft.graph.user", "id": PUPIL, "usageLocation": "NL"},
            {"@odata.type": "#microsoft.graph.group", "id": GROUP, "groupTypes": []},
            {"@odata.type": "#microsoft.graph.user", "id": INHERITING, "usageLocation": "NL"},
        ]

    def test_g5_3_transitive_members_are_everybody_once(self, graph: httpx.Client, nested: str) -> None:
        response = graph.get(f"/groups/{nested}/transitiveMembers")
        assert ids(response) == [PUPIL, GROUP, INHERITING, BOTH_WAYS]
        assert response.headers["x-ms-resource-unit"] == "5"

    @pytest.mark.parametrize("cast", ["microsoft.graph.user", "graph.user"])
    def test_g5_3_both_casts_give_people(self, graph: httpx.Client, nested: str, cast: str) -> None:
        params: dict[str, Any] = {"$select": "id", "$top": 2, "$count": "true"}
        eventual = {"ConsistencyLevel": "eventual"}
        first = graph.get(f"/groups/{nested}/transitiveMembers/{cast}", params=params, headers=eventual)
        second = graph.get(first.json()["@odata.nextLink"], headers=eventual)
        assert ids(first) + ids(second) == [PUPIL, INHERITING, BOTH_WAYS]

    def test_g4_1_only_direct_people_are_licensed(
        self, graph: httpx.Client, control: SandboxControl, nested: str
    ) -> None:
        control.change_group(TENANT, nested, leave=[INHERITING], assignedLicenses=[{"skuId": A1}])
        control.set_clock(advance=60)
        assert (skus_of(graph, PUPIL), skus_of(graph, INHERITING)) == ({A1}, {A3})

    def test_pages_go_on_where_they_stopped(self, graph: httpx.Client, nested: str) -> None:
        first = graph.get(f"/groups/{nested}/members", params={"$top": 2})
        assert ids(first) == [PUPIL, GROUP]
        assert ids(graph.get(first.json()["@odata.nextLink"])) == [INHERITING]

    @pytest.mark.parametrize("option", [{"$orderby": "id"}, {"$top": "0"}, {"$top": "1000"}, {"$skiptoken": "x"}])
    def test_what_is_not_supported_is_400(self, graph: httpx.Client, nested: str, option: dict[str, str]) -> None:
        assert graph.get(f"/groups/{nested}/members", params=option).status_code == 400


class TestMemberOf:
    def test_g7_2_lists_direct_groups_for_two_units(self, graph: httpx.Client, nested: str) -> None:
        response = graph.get(f"/users/{INHERITING}/memberOf")
        assert (ids(response), response.headers["x-ms-resource-unit"]) == ([GROUP, nested], "2")
        assert {row["@odata.type"] for row in response.json()["value"]} == {"#microsoft.graph.group"}
        assert ids(graph.get(f"/users/{BOTH_WAYS}/memberOf")) == [GROUP]

    def test_an_unknown_person_is_404(self, graph: httpx.Client) -> None:
        assert graph.get(f"/users/{NOBODY}/memberOf").status_code == 404


class TestMembersWithErrors:
    def test_g4_2_are_those_it_failed_for(self, graph: httpx.Client, control: SandboxControl) -> None:
        assert ids(graph.get(f"/groups/{GROUP}/membersWithLicenseErrors")) == []
        control.change_group(TENANT, GROUP, join=[WITH_NOTHING, WITH_A1], assignedLicenses=[{"skuId": A5}])
        control.set_clock(advance=60)
        assert ids(graph.get(f"/groups/{GROUP}/membersWithLicenseErrors")) == [BOTH_WAYS, WITH_NOTHING, WITH_A1]

    def test_g4_2_are_so_no_longer_once_it_worked(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.change_group(TENANT, GROUP, join=[WITH_A1])
        control.set_clock(advance=60)
        assert ids(graph.get(f"/groups/{GROUP}/membersWithLicenseErrors")) == [WITH_A1]
        change(graph, WITH_A1, [], [A1])
        graph.post(f"/users/{WITH_A1}/reprocessLicenseAssignment")
        assert ids(graph.get(f"/groups/{GROUP}/membersWithLicenseErrors")) == []


class TestWhatOthersDo:
    def test_they_add_and_remove(self, graph: httpx.Client, control: SandboxControl) -> None:
        changed = control.change_group(TENANT, GROUP, join=[PUPIL], leave=[INHERITING])
        assert changed["members"] == [BOTH_WAYS, PUPIL] == ids(graph.get(f"/groups/{GROUP}/members"))
        (entry,) = control.ledger()
        assert (entry["app"], entry["route"], entry["added"], entry["removed"]) == (
            *("", "control", [PUPIL], [INHERITING]),
        )
        control.set_clock(advance=60)
        assert (skus_of(graph, PUPIL), skus_of(graph, INHERITING)) == ({A3}, set())

    def test_they_make_it_dynamic(self, graph: httpx.Client, control: SandboxControl) -> None:
        rule = {"groupTypes": ["DynamicMembership"], "membershipRule": 'user.department -eq "99XB"'}
        assert control.change_group(TENANT, GROUP, **rule)["members"] == []
        control.set_clock(advance=60)
        assert set(ids(graph.get(f"/groups/{GROUP}/members"))) == {INHERITING, BOTH_WAYS}

    def test_they_delete_it(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.delete_group(TENANT, GROUP)
        assert graph.get(f"/groups/{GROUP}").status_code == 404
        control.set_clock(advance=60)
        assert (skus_of(graph, INHERITING), control.groups(TENANT)) == (set(), [])

    def test_a_deleted_person_is_in_no_group(self, control: SandboxControl) -> None:
        control.delete_user(TENANT, INHERITING)
        assert control.group(TENANT, GROUP)["members"] == [BOTH_WAYS]

    @pytest.mark.parametrize(
        ("group", "changes", "sentence"),
        [
            (NOBODY, {}, "has no group"),
            (GROUP, {"join": [NOBODY]}, "does not have"),
            (GROUP, {"groupTypes": ["DynamicMembership"], "membershipRule": "nonsense"}, "rule"),
            (GROUP, {"colour": "red"}, "colour"),
        ],
    )
    def test_nonsense_gets_a_sentence(
        self, control: SandboxControl, group: str, changes: dict[str, Any], sentence: str
    ) -> None:
        with pytest.raises(ValueError, match=sentence):
            control.change_group(TENANT, group, **changes)
        assert list(control.ledger()) == []


class TestRoundTrip:
    def test_a_world_planted_again_goes_on_as_it_would_have(
        self, graph: httpx.Client, control: SandboxControl, nested: str, authorize: Callable[..., dict[str, str]]
    ) -> None:
        control.change_group(TENANT, nested, assignedLicenses=[{"skuId": A1}])
        control.change_group(TENANT, GROUP, leave=[INHERITING])
        exported = control.read_seed()
        control.seed(exported)
        assert control.read_seed() == exported
        graph.headers.update(authorize())
        assert skus_of(graph, PUPIL) == set()
        control.set_clock(advance=60)
        assert (skus_of(graph, PUPIL), skus_of(graph, INHERITING)) == ({A1}, {A1})

    def test_what_was_done_stays_done(self, control: SandboxControl) -> None:
        control.change_group(TENANT, GROUP, join=[PUPIL])
        control.set_clock(advance=60)
        exported = control.read_seed()
        control.seed(exported)
        control.set_clock(advance=60)
        assert control.read_seed() == exported
        assert list(control.ledger()) == []

    def test_a_seed_without_groups_has_none(self, control: SandboxControl) -> None:
        seed = world_seed()
        seed["tenants"][0]["groups"] = []
        control.seed(seed)
        assert control.groups(TENANT) == []
