"""G5.4: delta queries on users, spoken to by hand."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.conformance.actions import change, message
from tests.conformance.school import (
    A1,
    A3,
    BOTH_WAYS,
    GROUP,
    GUEST,
    INHERITING,
    PUPIL,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
)
from tests.sandbox_process import SandboxControl

EVERYBODY = {WITH_A1, WITH_NOTHING, WITHOUT_LOCATION, INHERITING, BOTH_WAYS, GUEST, PUPIL}
SELECT = "id,userPrincipalName,accountEnabled,usageLocation,assignedLicenses"
DAY = 86_400
Rows = list[dict[str, Any]]


def pages(
    graph: httpx.Client, start: str = "/users/delta", headers: dict[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """The pages of one round, from a first address or from a deltaLink."""
    link: str | None = start
    while link:
        response = graph.get(link, headers=headers)
        assert response.status_code == 200, response.text
        body = response.json()
        yield body
        link = body.get("@odata.nextLink")


def a_round(
    graph: httpx.Client, start: str = f"/users/delta?$select={SELECT}", headers: dict[str, str] | None = None
) -> tuple[Rows, str]:
    """All rows of a round, and where the next one starts."""
    told = list(pages(graph, start, headers))
    return [row for page in told for row in page["value"]], told[-1]["@odata.deltaLink"]


def ids(rows: Rows) -> list[str]:
    return [row["id"] for row in rows]


@pytest.fixture
def link(graph: httpx.Client) -> str:
    """Where a client stands that has read everything."""
    return a_round(graph)[1]


class TestG54FirstRound:
    @pytest.mark.parametrize("spelling", ["delta", "delta()", "microsoft.graph.delta()"])
    def test_g5_4_both_spellings_begin_with_everybody(self, graph: httpx.Client, spelling: str) -> None:
        rows, _ = a_round(graph, f"/users/{spelling}?$select={SELECT}")
        assert set(ids(rows)) == EVERYBODY
        assert ",".join(rows[0]) == SELECT

    def test_g5_4_it_comes_in_pages_with_links_that_hold_nothing_but_a_token(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_switches(delta_page_size=3)
        first, second, third = pages(graph, f"/users/delta?$select={SELECT}")
        assert [len(page["value"]) for page in (first, second, third)] == [3, 3, 1]
        assert first["@odata.nextLink"].startswith(f"{graph.base_url}users/delta?$skiptoken=")
        assert parse_qs(urlsplit(third["@odata.deltaLink"]).query).keys() == {"$deltatoken"}
        assert "@odata.deltaLink" not in first
        assert set(ids(first["value"] + second["value"] + third["value"])) == EVERYBODY

    def test_g5_4_without_select_the_default_properties_come(self, graph: httpx.Client) -> None:
        row = a_round(graph, "/users/delta")[0][0]
        assert {"id", "displayName", "userPrincipalName"} <= row.keys()
        assert "assignedLicenses" not in row

    def test_g5_4_the_id_comes_unasked(self, graph: httpx.Client) -> None:
        assert a_round(graph, "/users/delta?$select=usageLocation")[0][0].keys() == {"id", "usageLocation"}

    def test_g5_4_what_happens_meanwhile_is_told_by_the_next_round(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_switches(delta_page_size=3)
        reading = pages(graph, f"/users/delta?$select={SELECT}")
        next(reading)
        change(graph, WITH_A1, [A3], [A1])
        late = control.add_user(TENANT, userPrincipalName="late@school.example")["id"]
        *_, last = reading
        rows, _ = a_round(graph, last["@odata.deltaLink"])
        assert set(ids(rows)) == {WITH_A1, late}

    def test_g5_4_order_is_arbitrary_unless_switched(self, graph: httpx.Client, control: SandboxControl) -> None:
        orders = {tuple(ids(a_round(graph)[0])) for _ in range(5)}
        assert len(orders) > 1
        control.set_switches(shuffle_delta=False)
        assert {tuple(ids(a_round(graph)[0])) for _ in range(2)} == {
            (WITH_A1, WITH_NOTHING, WITHOUT_LOCATION, INHERITING, BOTH_WAYS, GUEST, PUPIL)
        }


class TestG54Changes:
    def test_g5_4_a_quiet_tenant_has_an_empty_page_and_a_fresh_link(self, graph: httpx.Client, link: str) -> None:
        assert a_round(graph, link)[0] == []

    def test_g5_4_a_change_brings_the_user_with_all_that_was_selected(self, graph: httpx.Client, link: str) -> None:
        change(graph, WITH_A1, [A3], [A1])
        ((row,), following) = a_round(graph, link)
        assert row["id"] == WITH_A1
        assert [held["skuId"] for held in row["assignedLicenses"]] == [A3]
        assert ",".join(row) == SELECT
        assert a_round(graph, following)[0] == []

    def test_g5_4_several_changes_of_one_user_are_one_row_with_the_last_state(
        self, graph: httpx.Client, link: str
    ) -> None:
        change(graph, WITH_A1, [A3], [A1])
        change(graph, WITH_A1, [A1], [A3])
        (row,) = a_round(graph, link)[0]
        assert [held["skuId"] for held in row["assignedLicenses"]] == [A1]

    def test_g5_4_select_is_frozen_and_decides_what_is_tracked(self, graph: httpx.Client) -> None:
        link = a_round(graph, "/users/delta?$select=id,usageLocation")[1]
        change(graph, WITH_A1, [A3], [A1])
        assert a_round(graph, link)[0] == []
        graph.patch(f"/users/{WITH_A1}", json={"usageLocation": "BE"})
        assert a_round(graph, f"{link}&$select=id,displayName")[0] == [{"id": WITH_A1, "usageLocation": "BE"}]

    def test_g5_4_a_repeated_assignment_is_no_change_of_assigned_licenses(self, graph: httpx.Client, link: str) -> None:
        change(graph, BOTH_WAYS, [A3])
        assert a_round(graph, link)[0] == []

    @pytest.mark.parametrize(("is_tracked", "found"), [(False, []), (True, [WITH_NOTHING])])
    def test_g5_4_whether_assignment_states_are_tracked_is_a_switch(
        self, graph: httpx.Client, control: SandboxControl, is_tracked: bool, found: list[str]
    ) -> None:
        control.set_switches(delta_tracks_assignment_states=is_tracked)
        link = a_round(graph, "/users/delta?$select=id,licenseAssignmentStates")[1]
        error = {"skuId": A3, "assignedByGroup": GROUP, "state": "Error", "error": "CountViolation"}
        control.change_user(TENANT, WITH_NOTHING, assignments=[error])
        assert ids(a_round(graph, link)[0]) == found

    def test_g5_4_prefer_minimal_returns_changed_properties_only(self, graph: httpx.Client, link: str) -> None:
        graph.patch(f"/users/{WITH_A1}", json={"usageLocation": "BE"})
        response = graph.get(link, headers={"Prefer": "return=minimal"})
        assert response.json()["value"] == [{"id": WITH_A1, "usageLocation": "BE"}]
        assert response.headers["Preference-Applied"] == "return=minimal"

    def test_g5_4_a_long_round_comes_in_pages(self, graph: httpx.Client, control: SandboxControl, link: str) -> None:
        control.set_switches(delta_page_size=2)
        moved = [WITH_A1, WITH_NOTHING, INHERITING, GUEST, PUPIL]
        for user in moved:
            graph.patch(f"/users/{user}", json={"usageLocation": "BE"})
        sizes = [len(page["value"]) for page in pages(graph, link)]
        assert sizes == [2, 2, 1]
        assert set(ids(a_round(graph, link)[0])) == set(moved)


class TestG54Removal:
    def test_g5_4_a_deleted_user_is_removed_with_the_reason_changed(
        self, graph: httpx.Client, control: SandboxControl, link: str
    ) -> None:
        control.delete_user(TENANT, WITH_A1)
        assert a_round(graph, link)[0] == [{"id": WITH_A1, "@removed": {"reason": "changed"}}]

    def test_g5_4_after_thirty_days_the_reason_is_deleted(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.delete_user(TENANT, WITH_A1)
        control.set_clock(advance=29 * DAY)
        link = a_round(graph)[1]
        control.set_clock(advance=2 * DAY)
        assert a_round(graph, link)[0] == [{"id": WITH_A1, "@removed": {"reason": "deleted"}}]

    def test_g5_4_a_purged_user_is_deleted_at_once(
        self, graph: httpx.Client, control: SandboxControl, link: str
    ) -> None:
        control.purge_user(TENANT, WITH_A1)
        assert a_round(graph, link)[0] == [{"id": WITH_A1, "@removed": {"reason": "deleted"}}]

    def test_g5_4_a_restored_user_is_a_user_again(
        self, graph: httpx.Client, control: SandboxControl, link: str
    ) -> None:
        control.delete_user(TENANT, WITH_A1)
        gone, link = a_round(graph, link)
        control.add_user(TENANT, id=WITH_A1, userPrincipalName="back@school.example")
        (row,) = a_round(graph, link)[0]
        assert "@removed" in gone[0]
        assert row["userPrincipalName"] == "back@school.example"

    def test_g5_4_a_deleted_user_is_not_in_a_first_round(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.delete_user(TENANT, WITH_A1)
        assert set(ids(a_round(graph)[0])) == EVERYBODY - {WITH_A1}


class TestG54Options:
    @pytest.mark.parametrize("option", ["$top=5", "$expand=manager", "$orderby=displayName", "$search=x"])
    def test_g5_4_top_expand_and_orderby_are_unsupported(self, graph: httpx.Client, option: str) -> None:
        response = graph.get(f"/users/delta?{option}")
        assert (response.status_code, response.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")

    def test_g5_4_a_filter_on_ids_follows_those_alone(self, graph: httpx.Client) -> None:
        wanted = f"id eq '{WITH_A1}' or id eq '{PUPIL}'"
        rows, link = a_round(graph, f"/users/delta?$filter={wanted}&$select=id,usageLocation")
        assert set(ids(rows)) == {WITH_A1, PUPIL}
        for user in (WITH_A1, GUEST):
            graph.patch(f"/users/{user}", json={"usageLocation": "BE"})
        assert ids(a_round(graph, link)[0]) == [WITH_A1]

    @pytest.mark.parametrize(("number", "status"), [(50, 200), (51, 400)])
    def test_g5_4_fifty_ids_are_the_most(self, graph: httpx.Client, number: int, status: int) -> None:
        wanted = " or ".join([f"id eq '{WITH_A1}'"] * number)
        assert graph.get("/users/delta", params={"$filter": wanted}).status_code == status

    def test_g5_4_any_other_filter_is_refused(self, graph: httpx.Client) -> None:
        response = graph.get("/users/delta", params={"$filter": "accountEnabled eq true"})
        assert "only filter that delta query supports" in message(response)

    def test_g5_4_an_unknown_property_is_refused(self, graph: httpx.Client) -> None:
        assert "shoeSize" in message(graph.get("/users/delta?$select=shoeSize"))

    def test_g5_4_latest_gives_a_link_and_nothing_else(self, graph: httpx.Client) -> None:
        rows, link = a_round(graph, "/users/delta?$select=id,usageLocation&$deltaToken=latest")
        assert rows == []
        graph.patch(f"/users/{WITH_A1}", json={"usageLocation": "BE"})
        assert a_round(graph, link)[0] == [{"id": WITH_A1, "usageLocation": "BE"}]

    def test_g5_4_user_read_is_enough_and_no_less(self, limited_graph: Callable[..., httpx.Client]) -> None:
        assert limited_graph("User.Read.All").get("/users/delta").status_code == 200
        assert limited_graph("LicenseAssignment.ReadWrite.All").get("/users/delta").status_code == 403


class TestG54BadHabits:
    def test_g5_4_empty_pages_have_links(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(delta_page_size=3, empty_page_every=2)
        sizes = [len(page["value"]) for page in pages(graph)]
        assert sizes == [3, 0, 3, 0, 1]

    def test_g5_4_objects_may_come_twice(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(delta_page_size=3, delta_repeats=1)
        rows, link = a_round(graph)
        assert (len(rows), set(ids(rows))) == (9, EVERYBODY)
        assert a_round(graph, link)[0] == []

    def test_g5_4_old_changes_may_be_replayed(self, graph: httpx.Client, control: SandboxControl, link: str) -> None:
        control.set_switches(delta_replays=1)
        for user in (WITH_A1, PUPIL):
            graph.patch(f"/users/{user}", json={"usageLocation": "BE"})
        first, link = a_round(graph, link)
        replayed, _ = a_round(graph, link)
        assert (set(ids(first)), ids(replayed)) == ({WITH_A1, PUPIL}, [PUPIL])

    def test_g5_4_a_client_that_applies_every_page_is_right_whatever_the_habits(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        control.set_switches(delta_page_size=2, delta_repeats=1, delta_replays=3, empty_page_every=3)
        rows, link = a_round(graph)
        known = {row["id"]: row for row in rows}
        for number, user in enumerate((WITH_A1, PUPIL, WITH_A1, GUEST, WITH_A1)):
            graph.patch(f"/users/{user}", json={"usageLocation": ("BE", "DE")[number % 2]})
            rows, link = a_round(graph, link)
            known |= {row["id"]: row for row in rows}
        control.delete_user(TENANT, GUEST)
        known |= {row["id"]: row for row in a_round(graph, link)[0]}
        present = {key: row["usageLocation"] for key, row in known.items() if "@removed" not in row}
        truth = graph.get("/users", params={"$select": "id,usageLocation"}).json()["value"]
        assert present == {row["id"]: row["usageLocation"] for row in truth}

    @pytest.mark.parametrize(
        "switch", [{"delta_page_size": 0}, {"delta_repeats": -1}, {"delta_replays": -1}, {"empty_page_every": 1}]
    )
    def test_g5_4_habits_that_would_lose_objects_are_refused(
        self, control: SandboxControl, switch: dict[str, int]
    ) -> None:
        with pytest.raises(ValueError, match="Expected `int` >="):
            control.set_switches(**switch)

    def test_g5_4_changes_show_late_by_a_delay(self, graph: httpx.Client, control: SandboxControl, link: str) -> None:
        control.set_switches(delta_delay_seconds=120)
        change(graph, WITH_A1, [A3], [A1])
        nothing, link = a_round(graph, link)
        assert nothing == []
        control.set_clock(advance=121)
        assert ids(a_round(graph, link)[0]) == [WITH_A1]

    def test_g5_4_a_row_shows_the_state_that_delta_has_reached(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        link = a_round(graph, "/users/delta?$select=id,usageLocation")[1]
        control.set_switches(delta_delay_seconds=120)
        graph.patch(f"/users/{WITH_A1}", json={"usageLocation": "BE"})
        control.set_clock(advance=121)
        graph.patch(f"/users/{WITH_A1}", json={"usageLocation": "DE"})
        rows, link = a_round(graph, link)
        assert rows == [{"id": WITH_A1, "usageLocation": "BE"}]
        control.set_clock(advance=121)
        assert a_round(graph, link)[0] == [{"id": WITH_A1, "usageLocation": "DE"}]

    def test_g5_4_a_lagging_tenant_loses_no_change(
        self, graph: httpx.Client, control: SandboxControl, link: str
    ) -> None:
        control.set_lag(30)
        change(graph, WITH_A1, [A3], [A1])
        seen, link = a_round(graph, link)
        control.set_clock(advance=31)
        rows, _ = a_round(graph, link)
        assert ids(seen + rows) == [WITH_A1]


class TestG54Resync:
    def refused(self, graph: httpx.Client, link: str) -> tuple[int, str, str]:
        response = graph.get(link)
        return response.status_code, response.json()["error"]["code"], response.headers.get("Location", "")

    def test_g5_4_a_delta_token_lives_seven_days(self, graph: httpx.Client, control: SandboxControl, link: str) -> None:
        control.set_clock(advance=7 * DAY - 60)
        assert graph.get(link).status_code == 200
        control.set_clock(advance=120)
        status, code, location = self.refused(graph, link)
        assert (status, code) == (410, "syncStateNotFound")
        assert location == f"{graph.base_url}users/delta?$select={SELECT}&$deltatoken="

    def test_g5_4_the_location_starts_over(self, graph: httpx.Client, control: SandboxControl, link: str) -> None:
        control.set_clock(advance=8 * DAY)
        rows, following = a_round(graph, self.refused(graph, link)[2])
        assert set(ids(rows)) == EVERYBODY
        assert a_round(graph, following)[0] == []

    @pytest.mark.parametrize("code", ["resyncRequired", "syncStateNotFound"])
    def test_g5_4_gone_can_be_ordered_for_one_tenant(
        self, graph: httpx.Client, control: SandboxControl, link: str, code: str
    ) -> None:
        control.add_fault("gone", code=code, tenant=TENANT, times=1)
        assert graph.get("/users/delta").status_code == 200
        assert self.refused(graph, link)[:2] == (410, code)
        assert graph.get(link).status_code == 200

    def test_g5_4_a_fault_of_graph_hits_delta_once_and_no_token(
        self, graph: httpx.Client, control: SandboxControl, link: str
    ) -> None:
        control.add_fault("unavailable", times=1)
        assert [graph.get(link).status_code for _ in range(2)] == [503, 200]

    def test_g5_4_a_token_of_another_world_is_not_found(
        self, graph: httpx.Client, control: SandboxControl, link: str, authorize: Callable[..., dict[str, str]]
    ) -> None:
        control.seed(control.read_seed())
        response = graph.get(link, headers=authorize())
        assert (response.status_code, response.json()["error"]["code"]) == (410, "syncStateNotFound")

    def test_g5_4_an_invented_token_is_not_found(self, graph: httpx.Client) -> None:
        assert self.refused(graph, "/users/delta?$deltatoken=invented")[:2] == (410, "syncStateNotFound")

    def test_g5_4_an_aged_skiptoken_is_a_400(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(delta_page_size=3, page_token_lifetime_seconds=60)
        link = graph.get("/users/delta").json()["@odata.nextLink"]
        assert graph.get(link).status_code == 200
        control.set_clock(advance=61)
        assert self.refused(graph, link)[:2] == (400, "Directory_ExpiredPageToken")
        assert self.refused(graph, "/users/delta?$skiptoken=invented")[:2] == (400, "Directory_ExpiredPageToken")

    def test_g5_4_gone_takes_no_route(self, control: SandboxControl) -> None:
        with pytest.raises(ValueError, match="leave the route out"):
            control.add_fault("gone", route="users")


class TestG54Groups:
    """What a group brings or takes is a change to the person."""

    def members(self, rows: Rows) -> dict[str, set[str]]:
        return {row["id"]: {held["skuId"] for held in row["assignedLicenses"]} for row in rows}

    def test_g5_4_what_a_group_gives_is_told_once_it_is_there(
        self, graph: httpx.Client, control: SandboxControl, link: str
    ) -> None:
        control.change_group(TENANT, GROUP, join=[PUPIL])
        rows, link = a_round(graph, link)
        assert rows == []
        control.set_clock(advance=60)
        rows, link = a_round(graph, link)
        assert self.members(rows) == {PUPIL: {A3}}

    def test_g5_4_what_a_group_takes_is_told_as_well(
        self, graph: httpx.Client, control: SandboxControl, link: str
    ) -> None:
        control.change_group(TENANT, GROUP, leave=[INHERITING])
        control.set_clock(advance=60)
        assert self.members(a_round(graph, link)[0]) == {INHERITING: set()}

    def test_g5_4_who_fails_in_a_group_holds_nothing_new(
        self, graph: httpx.Client, control: SandboxControl, link: str
    ) -> None:
        control.change_group(TENANT, GROUP, join=[WITH_A1])
        control.set_clock(advance=60)
        assert a_round(graph, link)[0] == []
        control.set_switches(delta_tracks_assignment_states=True)
        rows, _ = a_round(graph, "/users/delta?$select=id,licenseAssignmentStates")
        (failed,) = [row for row in rows if row["id"] == WITH_A1]
        assert {held["error"] for held in failed["licenseAssignmentStates"]} == {"None", "MutuallyExclusiveViolation"}
