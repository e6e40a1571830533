"""Groups: creation, members, deletion, and what the ledger says of it (dossier 4.1, 4.5, 4.8, 6.1)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conformance.actions import answers, batch, item, message
from tests.conformance.school import (
    A3,
    APP,
    DOMAIN,
    GROUP,
    INHERITING,
    PUPIL,
    ROLES,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    user_id,
)
from tests.sandbox_process import SandboxControl

PUBLIC = "https://graph.microsoft.com/v1.0/directoryObjects"
NOBODY = "00000000-0000-4000-8000-000000000000"
PLAIN = {"displayName": "Licentie A3", "mailEnabled": False, "mailNickname": "licentie-a3", "securityEnabled": True}
DYNAMIC = {"groupTypes": ["DynamicMembership"], "membershipRule": 'user.department -eq "99XA"'}
RIGHTS = ["Group.Create", "GroupMember.ReadWrite.All"]
TOO_NEW = "The source resource object or one of the objects being referenced do not exist."
ALREADY = "One or more added object references already exist for the following modified properties: 'members'."


@pytest.fixture
def graph(limited_graph: Callable[..., httpx.Client]) -> httpx.Client:
    return limited_graph(*ROLES, *RIGHTS)


def bind(*people: str) -> dict[str, Any]:
    return {"members@odata.bind": [f"{PUBLIC}/{person}" for person in people]}


def create(graph: httpx.Client, **more: Any) -> str:
    response = graph.post("/groups", json={**PLAIN, **more})
    assert response.status_code == 201, response.text
    group: str = response.json()["id"]
    return group


def members(graph: httpx.Client, group: str) -> list[str]:
    return [row["id"] for row in graph.get(f"/groups/{group}/members").json()["value"]]


class TestCreation:
    def test_g4_8_is_201_with_the_group(self, graph: httpx.Client) -> None:
        response = graph.post("/groups", json=PLAIN)
        assert response.status_code == 201
        created = response.json()
        assert created["@odata.context"].endswith("#groups/$entity")
        assert PLAIN.items() <= created.items()
        assert graph.get(f"/groups/{created['id']}").json()["mailNickname"] == "licentie-a3"
        assert members(graph, created["id"]) == []

    def test_g4_8_members_may_come_along(self, graph: httpx.Client) -> None:
        assert members(graph, create(graph, **bind(PUPIL, WITH_A1))) == [PUPIL, WITH_A1]

    def test_g4_8_at_most_twenty_of_them(self, graph: httpx.Client) -> None:
        assert graph.post("/groups", json={**PLAIN, **bind(*[PUPIL] * 21)}).status_code == 400

    @pytest.mark.parametrize("name", PLAIN)
    def test_four_properties_are_needed(self, graph: httpx.Client, name: str) -> None:
        response = graph.post("/groups", json={key: value for key, value in PLAIN.items() if key != name})
        assert response.status_code == 400
        assert name in message(response)

    @pytest.mark.parametrize(
        ("role", "status"),
        [("Group.Create", 201), ("Group.ReadWrite.All", 201), ("GroupMember.ReadWrite.All", 403)],
    )
    def test_g2_4_needs_a_permission_of_its_own(
        self, limited_graph: Callable[..., httpx.Client], role: str, status: int
    ) -> None:
        assert limited_graph(role).post("/groups", json=PLAIN).status_code == status

    def test_two_may_have_one_nickname(self, graph: httpx.Client) -> None:
        assert create(graph) != create(graph)


class TestListing:
    @pytest.mark.parametrize(
        "text",
        [
            "mailNickname eq 'licentie-a3'",
            "displayName eq 'licentie a3'",
            "startswith(displayName,'Licentie')",
            "mailNickname eq 'licentie-a3' and securityEnabled eq true",
        ],
    )
    def test_g13_finds_by_name(self, graph: httpx.Client, text: str) -> None:
        created = create(graph)
        rows = graph.get("/groups", params={"$filter": text, "$select": "id,mailNickname"}).json()["value"]
        assert rows == [{"id": created, "mailNickname": "licentie-a3"}]

    def test_g4_2_finds_by_licence(self, graph: httpx.Client) -> None:
        create(graph)
        rows = graph.get("/groups", params={"$filter": f"assignedLicenses/any(x:x/skuId eq {A3})"}).json()["value"]
        assert [row["id"] for row in rows] == [GROUP]

    def test_g4_2_page_2_of_such_a_filter_is_a_trap_with_a_way_round(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        licences = [{"skuId": A3}]
        for number in range(2):
            control.put_group(TENANT, id=user_id(f"g{number}"), displayName="g", assignedLicenses=licences)
        params: dict[str, Any] = {"$filter": f"assignedLicenses/any(x:x/skuId eq {A3})", "$top": 1}
        link = graph.get("/groups", params=params).json()["@odata.nextLink"]
        response = graph.get(link)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "Directory_ExpiredPageToken")
        eventual = {"ConsistencyLevel": "eventual"}
        first = graph.get("/groups", params={**params, "$count": "true"}, headers=eventual).json()
        assert (first["@odata.count"], len(first["value"])) == (3, 1)
        assert graph.get(first["@odata.nextLink"]).status_code == 400
        assert len(graph.get(first["@odata.nextLink"], headers=eventual).json()["value"]) == 1

    def test_g4_2_finds_those_with_errors(self, graph: httpx.Client, control: SandboxControl) -> None:
        params = {"$filter": "hasMembersWithLicenseErrors eq true", "$select": "id,hasMembersWithLicenseErrors"}
        assert graph.get("/groups", params=params).json()["value"] == []
        held = {"skuId": A3, "assignedByGroup": GROUP, "state": "Error", "error": "CountViolation"}
        control.change_user(TENANT, INHERITING, assignments=[held])
        assert graph.get("/groups", params=params).json()["value"] == [{"id": GROUP}]

    def test_is_paged(self, graph: httpx.Client) -> None:
        created = [create(graph) for _ in range(2)]
        first = graph.get("/groups", params={"$top": 2, "$select": "id"}).json()
        second = graph.get(first["@odata.nextLink"]).json()
        assert [row["id"] for row in first["value"] + second["value"]] == [GROUP, *created]
        assert "@odata.nextLink" not in second

    @pytest.mark.parametrize("option", [{"$filter": "visibility eq 'x'"}, {"$select": "colour"}])
    def test_what_it_does_not_know_is_400(self, graph: httpx.Client, option: dict[str, str]) -> None:
        assert graph.get("/groups", params=option).status_code == 400


class TestAddingMembers:
    @pytest.mark.parametrize("root", ["{own}/directoryObjects", PUBLIC, "https://graph.microsoft.com/v1.0/users"])
    def test_g4_8_twenty_in_one_write(self, graph: httpx.Client, control: SandboxControl, root: str) -> None:
        people = [control.add_user(TENANT, userPrincipalName=f"crowd-{n}@{DOMAIN}")["id"] for n in range(20)]
        group = create(graph)
        own = str(graph.base_url).rstrip("/")
        links = [f"{root.format(own=own)}/{person}" for person in people]
        control.reset_counters()
        response = graph.patch(f"/groups/{group}", json={"members@odata.bind": links})
        assert (response.status_code, response.headers["x-ms-resource-unit"]) == (204, "1")
        assert control.counters()["total"]["writes"] == 1
        assert members(graph, group) == people

    @pytest.mark.parametrize("people", [[], [PUPIL] * 21, ["not-an-id"]], ids=["none", "21", "no id"])
    def test_g4_8_none_too_many_or_malformed_is_400(self, graph: httpx.Client, people: list[str]) -> None:
        group = create(graph)
        assert graph.patch(f"/groups/{group}", json=bind(*people)).status_code == 400
        assert members(graph, group) == []

    def test_g4_8_somebody_who_is_in_already_stops_all(self, graph: httpx.Client) -> None:
        group = create(graph, **bind(PUPIL))
        response = graph.patch(f"/groups/{group}", json=bind(WITH_A1, PUPIL))
        assert (response.status_code, message(response)) == (400, ALREADY)
        assert members(graph, group) == [PUPIL]

    def test_g4_8_somebody_who_does_not_exist_stops_all_and_is_named(self, graph: httpx.Client) -> None:
        group = create(graph)
        response = graph.patch(f"/groups/{group}", json=bind(WITH_A1, NOBODY))
        assert (response.status_code, response.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
        assert NOBODY in message(response)
        assert members(graph, group) == []

    def test_one_by_reference(self, graph: httpx.Client) -> None:
        group = create(graph)
        reference = {"@odata.id": f"{PUBLIC}/{PUPIL}"}
        assert graph.post(f"/groups/{group}/members/$ref", json=reference).status_code == 204
        again = graph.post(f"/groups/{group}/members/$ref", json=reference)
        assert (again.status_code, message(again)) == (400, ALREADY)
        assert members(graph, group) == [PUPIL]

    def test_g4_8_a_group_may_be_too_new(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(group_known_after_seconds=60)
        group = create(graph)
        response = graph.patch(f"/groups/{group}", json=bind(PUPIL))
        assert (response.status_code, message(response)) == (400, TOO_NEW)
        control.set_clock(advance=61)
        assert graph.patch(f"/groups/{group}", json=bind(PUPIL)).status_code == 204

    @pytest.mark.parametrize(
        ("kind", "fragment"),
        [(DYNAMIC, "dynamic membership"), ({"onPremisesSyncEnabled": True}, "on-premises mastered")],
        ids=["dynamic", "synced"],
    )
    def test_g4_8_members_of_others_are_theirs(
        self, graph: httpx.Client, control: SandboxControl, kind: dict[str, Any], fragment: str
    ) -> None:
        control.put_group(TENANT, id=user_id("theirs"), displayName="theirs", members=[PUPIL], **kind)
        group = user_id("theirs")
        for response in (
            graph.patch(f"/groups/{group}", json=bind(WITH_A1)),
            graph.post(f"/groups/{group}/members/$ref", json={"@odata.id": f"{PUBLIC}/{WITH_A1}"}),
            graph.delete(f"/groups/{group}/members/{PUPIL}/$ref"),
        ):
            assert (response.status_code, fragment in message(response)) == (400, True)
        assert members(graph, group) == [PUPIL]

    def test_g2_4_needs_a_permission_of_its_own(self, limited_graph: Callable[..., httpx.Client]) -> None:
        graph = limited_graph("Group.Create", "LicenseAssignment.ReadWrite.All", "User.ReadWrite.All")
        group = create(graph)
        assert graph.patch(f"/groups/{group}", json=bind(PUPIL)).status_code == 403
        assert graph.delete(f"/groups/{group}/members/{PUPIL}/$ref").status_code == 403

    def test_g2_4_the_right_to_members_changes_no_properties(self, graph: httpx.Client) -> None:
        assert graph.patch(f"/groups/{create(graph)}", json={"displayName": "x"}).status_code == 403


class TestRemovingMembers:
    def test_g4_8_is_204_and_somebody_who_is_none_is_named(self, graph: httpx.Client) -> None:
        group = create(graph, **bind(PUPIL, WITH_A1))
        assert graph.delete(f"/groups/{group}/members/{PUPIL}/$ref").status_code == 204
        assert members(graph, group) == [WITH_A1]
        again = graph.delete(f"/groups/{group}/members/{PUPIL}/$ref")
        assert (again.status_code, PUPIL in message(again)) == (404, True)

    def test_who_comes_back_comes_last(self, graph: httpx.Client) -> None:
        group = create(graph, **bind(PUPIL, WITH_A1))
        graph.delete(f"/groups/{group}/members/{PUPIL}/$ref")
        graph.patch(f"/groups/{group}", json=bind(PUPIL))
        assert members(graph, group) == [WITH_A1, PUPIL]

    def test_a_group_that_is_not_there_is_named(self, graph: httpx.Client) -> None:
        for response in (
            graph.delete(f"/groups/{NOBODY}/members/{PUPIL}/$ref"),
            graph.patch(f"/groups/{NOBODY}", json=bind(PUPIL)),
        ):
            assert (response.status_code, NOBODY in message(response)) == (404, True)


class TestDeletion:
    def test_g4_5_waits_until_the_licences_are_gone(self, limited_graph: Callable[..., httpx.Client]) -> None:
        graph = limited_graph("Group.ReadWrite.All")
        response = graph.delete(f"/groups/{GROUP}")
        assert response.status_code == 400
        assert "there is a product license assigned to the group" in message(response)
        created = create(graph)
        assert graph.delete(f"/groups/{created}").status_code == 204
        assert graph.get(f"/groups/{created}").status_code == 404


class TestBatch:
    def test_g6_1_a_chain_is_carried_out_in_order(self, graph: httpx.Client) -> None:
        group = create(graph)
        response = batch(
            graph,
            item(1, "PATCH", f"/groups/{group}", bind(PUPIL)),
            item(2, "PATCH", f"/groups/{group}", bind(WITH_A1), dependsOn=["1"]),
            item(3, "DELETE", f"/groups/{group}/members/{PUPIL}/$ref", dependsOn=["2"]),
        )
        assert {answer["status"] for answer in answers(response).values()} == {204}
        assert members(graph, group) == [WITH_A1]

    def test_g6_1_what_depends_on_a_refused_one_is_not_tried(self, graph: httpx.Client) -> None:
        group = create(graph, **bind(PUPIL))
        first = item(1, "PATCH", f"/groups/{group}", bind(PUPIL))
        second = item(2, "PATCH", f"/groups/{group}", bind(WITH_A1), dependsOn=["1"])
        found = answers(batch(graph, first, second))
        assert (found["1"]["status"], found["2"]["status"]) == (400, 424)
        assert members(graph, group) == [PUPIL]

    @pytest.mark.parametrize(("conflicts", "statuses"), [(True, [204, 409]), (False, [204, 204])])
    def test_g6_1_two_at_once_collide(
        self, graph: httpx.Client, control: SandboxControl, conflicts: bool, statuses: list[int]
    ) -> None:
        control.set_switches(same_group_in_batch_conflicts=conflicts)
        group = create(graph)
        two = [item(n, "PATCH", f"/groups/{group}", bind(who)) for n, who in enumerate([PUPIL, WITH_A1])]
        assert sorted(answer["status"] for answer in answers(batch(graph, *two)).values()) == statuses

    def test_two_groups_do_not(self, graph: httpx.Client) -> None:
        two = [item(n, "PATCH", f"/groups/{create(graph)}", bind(PUPIL)) for n in range(2)]
        created = [item(n, "POST", "/groups", PLAIN) for n in range(2, 4)]
        found = answers(batch(graph, *two, *created))
        assert {number: answer["status"] for number, answer in found.items()} == {
            "0": 204,
            "1": 204,
            "2": 201,
            "3": 201,
        }


class TestFaults:
    @pytest.mark.parametrize(
        ("route", "method", "path", "body"),
        [
            ("groups", "GET", "/groups", None),
            ("createGroup", "POST", "/groups", PLAIN),
            ("patchGroup", "PATCH", f"/groups/{GROUP}", bind(PUPIL)),
            ("addMember", "POST", f"/groups/{GROUP}/members/$ref", {"@odata.id": f"{PUBLIC}/{PUPIL}"}),
            ("removeMember", "DELETE", f"/groups/{GROUP}/members/{INHERITING}/$ref", None),
            ("deleteGroup", "DELETE", f"/groups/{GROUP}", None),
        ],
    )
    def test_hit_each_route(
        self, graph: httpx.Client, control: SandboxControl, route: str, method: str, path: str, body: Any
    ) -> None:
        control.add_fault("gateway_timeout", route=route)
        assert graph.request(method, path, json=body).status_code == 504


class TestLag:
    def test_g5_6_a_new_group_is_seen_late_and_so_are_its_members(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_lag(600)
        group = create(graph)
        statuses = {graph.get(f"/groups/{group}").status_code for _ in range(20)}
        assert 404 in statuses
        control.set_clock(advance=601)
        assert graph.get(f"/groups/{group}").status_code == 200
        graph.patch(f"/groups/{group}", json=bind(PUPIL))
        assert [] in [members(graph, group) for _ in range(20)]
        control.set_clock(advance=601)
        assert {tuple(members(graph, group)) for _ in range(10)} == {(PUPIL,)}

    def test_g4_8_a_copy_that_does_not_know_the_group_says_so(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_lag(600)
        group = create(graph)
        refused = [graph.patch(f"/groups/{group}", json=bind(who)) for who in (PUPIL, WITH_A1, WITH_NOTHING)]
        assert {(r.status_code, message(r)) for r in refused if r.status_code != 204} == {(400, TOO_NEW)}


class TestLedger:
    def test_names_the_group_and_who_joined_and_left(self, graph: httpx.Client, control: SandboxControl) -> None:
        group = create(graph)
        graph.patch(f"/groups/{group}", json=bind(PUPIL, WITH_A1), headers={"client-request-id": "call-1"})
        graph.delete(f"/groups/{group}/members/{PUPIL}/$ref")
        created, joined, left = control.ledger(group=group)
        assert (created["route"], created["before"], created["after"]["mailNickname"]) == (
            *("createGroup", None, "licentie-a3"),
        )
        assert (joined["tenant"], joined["user"], joined["group"], joined["app"]) == (TENANT, None, group, APP)
        assert (joined["clientRequestId"], joined["changed"]) == ("call-1", True)
        assert (joined["added"], joined["removed"]) == ([PUPIL, WITH_A1], [])
        assert (left["route"], left["added"], left["removed"]) == ("removeMember", [], [PUPIL])

    def test_a_refused_write_is_not_in_it(self, graph: httpx.Client, control: SandboxControl) -> None:
        graph.patch(f"/groups/{GROUP}", json=bind(INHERITING))
        assert list(control.ledger()) == []

    def test_entries_of_people_and_of_groups_are_told_apart(self, graph: httpx.Client, control: SandboxControl) -> None:
        graph.patch(f"/groups/{GROUP}", json=bind(PUPIL))
        graph.patch(f"/users/{PUPIL}", json={"department": "x"})
        assert [entry["route"] for entry in control.ledger(user=PUPIL)] == ["patchUser"]
        assert [entry["route"] for entry in control.ledger(group=GROUP)] == ["patchGroup"]
        assert "group" not in next(control.ledger(user=PUPIL))
