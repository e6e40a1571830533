"""Licences through groups: what is checked at once, what is processed later, and what people have in the end."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conformance.actions import change, change_body, consumed, message, states
from tests.conformance.school import (
    A1,
    A3,
    A5,
    APP,
    BOTH_WAYS,
    DOMAIN,
    GROUP,
    INHERITING,
    NOT_OWNED,
    PHONE,
    PUPIL,
    ROLES,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
    YAMMER,
    user_id,
)
from tests.sandbox_process import SandboxControl

PUBLIC = "https://graph.microsoft.com/v1.0/directoryObjects"
PLAIN = {"displayName": "Licenties", "mailEnabled": False, "mailNickname": "licenties", "securityEnabled": True}
SETTLED = 60  # sandbox seconds in which a small group is certainly done


@pytest.fixture
def graph(limited_graph: Callable[..., httpx.Client]) -> httpx.Client:
    return limited_graph(*ROLES, "Group.Create", "GroupMember.ReadWrite.All", "Group.ReadWrite.All")


@pytest.fixture
def settle(control: SandboxControl) -> Callable[[], None]:
    return lambda: control.set_clock(advance=SETTLED) and None


def create(graph: httpx.Client, *people: str) -> str:
    bind = {"members@odata.bind": [f"{PUBLIC}/{person}" for person in people]} if people else {}
    group: str = graph.post("/groups", json={**PLAIN, **bind}).json()["id"]
    return group


def join(graph: httpx.Client, group: str, *people: str) -> None:
    body = {"members@odata.bind": [f"{PUBLIC}/{person}" for person in people]}
    assert graph.patch(f"/groups/{group}", json=body).status_code == 204


def leave(graph: httpx.Client, group: str, person: str) -> None:
    assert graph.delete(f"/groups/{group}/members/{person}/$ref").status_code == 204


def license_group(
    graph: httpx.Client, group: str, add: list[Any] | None = None, remove: list[str] | None = None
) -> httpx.Response:
    return graph.post(f"/groups/{group}/assignLicense", json=change_body(add, remove))


def processing(graph: httpx.Client, group: str) -> str | None:
    state = graph.get(f"/groups/{group}", params={"$select": "licenseProcessingState"}).json()["licenseProcessingState"]
    return state["state"] if state else None


def held(graph: httpx.Client, person: str) -> set[tuple[str, str | None, str, str]]:
    return {(one["skuId"], one["assignedByGroup"], one["state"], one["error"]) for one in states(graph, person)}


class TestAtOnce:
    def test_g4_1_is_202_with_a_shortened_group_and_its_place(self, graph: httpx.Client) -> None:
        group = create(graph)
        response = license_group(graph, group, [(A3, [YAMMER])])
        assert response.status_code == 202
        assert response.json().keys() == {"@odata.context", "id", "createdDateTime", "groupTypes", "securityEnabled"}
        assert response.headers["location"].endswith(
            f"/v2/{TENANT}/directoryObjects/{group}/Microsoft.DirectoryServices.Group"
        )
        row = graph.get(f"/groups/{group}", params={"$select": "assignedLicenses"}).json()
        assert row["assignedLicenses"] == [{"skuId": A3, "disabledPlans": [YAMMER]}]

    @pytest.mark.parametrize(
        ("add", "remove", "text"),
        [
            pytest.param([NOT_OWNED], [], "does not correspond to a valid company License", id="not owned"),
            pytest.param([PHONE], [], "depends on the service plan(s)", id="an add-on alone"),
            pytest.param([], [A1], "does not have a corresponding license", id="not there"),
        ],
    )
    def test_g4_1_the_groups_own_skus_are_checked(
        self, graph: httpx.Client, add: list[str], remove: list[str], text: str
    ) -> None:
        group = create(graph)
        response = license_group(graph, group, add, remove)
        assert (response.status_code, text in message(response)) == (400, True)
        assert processing(graph, group) is None

    def test_g4_1_the_base_of_an_add_on_stays(self, graph: httpx.Client) -> None:
        group = create(graph)
        assert license_group(graph, group, [A3, PHONE]).status_code == 202
        assert "depends on" in message(license_group(graph, group, [], [A3]))

    def test_g4_1_seats_are_not_checked(self, graph: httpx.Client, control: SandboxControl) -> None:
        people = [control.add_user(TENANT, userPrincipalName=f"p{n}@{DOMAIN}")["id"] for n in range(5)]
        assert license_group(graph, create(graph, *people), [A5]).status_code == 202

    def test_g4_1_security_groups_only(self, graph: httpx.Client) -> None:
        unified = {**PLAIN, "mailEnabled": True, "securityEnabled": False, "groupTypes": ["Unified"]}
        group = graph.post("/groups", json=unified).json()["id"]
        assert license_group(graph, group, [A3]).status_code == 400

    @pytest.mark.parametrize(
        ("role", "status"), [("LicenseAssignment.ReadWrite.All", 202), ("GroupMember.ReadWrite.All", 403)]
    )
    def test_g2_4_permissions(self, limited_graph: Callable[..., httpx.Client], role: str, status: int) -> None:
        assert license_group(limited_graph(role), GROUP, [(A3, [YAMMER])]).status_code == status


class TestProcessing:
    def test_g4_2_goes_from_queued_to_complete(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_switches(group_processing_seconds=100, group_processing_per_second=1)
        group = create(graph, PUPIL, WITH_NOTHING)
        assert processing(graph, group) is None
        license_group(graph, group, [A1])
        assert (processing(graph, group), held(graph, PUPIL)) == ("QueuedForProcessing", set())
        control.set_clock(advance=100)
        assert (processing(graph, group), held(graph, PUPIL)) == (
            "ProcessingInProgress",
            {(A1, group, "Active", "None")},
        )
        assert held(graph, WITH_NOTHING) == set()
        control.set_clock(advance=2)
        assert processing(graph, group) == "ProcessingComplete"
        assert held(graph, WITH_NOTHING) == {(A1, group, "Active", "None")}

    def test_g4_2_an_empty_group_is_complete_in_time(self, graph: httpx.Client, settle: Callable[[], None]) -> None:
        group = create(graph)
        license_group(graph, group, [A1])
        assert processing(graph, group) == "QueuedForProcessing"
        settle()
        assert processing(graph, group) == "ProcessingComplete"

    def test_g4_5_cannot_be_deleted_before_its_people_have_lost_the_licence(
        self, graph: httpx.Client, settle: Callable[[], None]
    ) -> None:
        group = create(graph, PUPIL)
        license_group(graph, group, [A1])
        settle()
        license_group(graph, group, [], [A1])
        refused = graph.delete(f"/groups/{group}")
        assert (refused.status_code, held(graph, PUPIL)) == (400, {(A1, group, "Active", "None")})
        settle()
        assert graph.delete(f"/groups/{group}").status_code == 204
        assert held(graph, PUPIL) == set()

    def test_g4_8_who_joins_gets_it_and_who_leaves_loses_it(
        self, graph: httpx.Client, settle: Callable[[], None]
    ) -> None:
        group = create(graph)
        license_group(graph, group, [A1])
        join(graph, group, PUPIL)
        settle()
        assert held(graph, PUPIL) == {(A1, group, "Active", "None")}
        leave(graph, group, PUPIL)
        assert held(graph, PUPIL) == {(A1, group, "Active", "None")}
        settle()
        assert held(graph, PUPIL) == set()

    def test_g4_4_without_a_location_the_directorys_counts(
        self, graph: httpx.Client, settle: Callable[[], None]
    ) -> None:
        group = create(graph, WITHOUT_LOCATION)
        license_group(graph, group, [A1])
        settle()
        assert held(graph, WITHOUT_LOCATION) == {(A1, group, "Active", "None")}
        params = {"$select": "usageLocation"}
        assert graph.get(f"/users/{WITHOUT_LOCATION}", params=params).json()["usageLocation"] is None

    def test_g4_4_a_swap_is_one_step_per_person(
        self, graph: httpx.Client, control: SandboxControl, settle: Callable[[], None]
    ) -> None:
        group = create(graph, PUPIL)
        license_group(graph, group, [A1])
        settle()
        license_group(graph, group, [A3], [A1])
        settle()
        assert held(graph, PUPIL) == {(A3, group, "Active", "None")}
        assert len([entry for entry in control.ledger(user=PUPIL) if entry["changed"]]) == 2

    def test_g3_2_direct_and_inherited_are_one_seat(self, graph: httpx.Client, settle: Callable[[], None]) -> None:
        before = consumed(graph, A1)
        group = create(graph, WITH_A1)
        license_group(graph, group, [A1])
        settle()
        assert held(graph, WITH_A1) == {(A1, None, "Active", "None"), (A1, group, "Active", "None")}
        assert consumed(graph, A1) == before
        assert change(graph, WITH_A1, [], [A1]).status_code == 200
        assert held(graph, WITH_A1) == {(A1, group, "Active", "None")}
        assert "inherited from a group" in message(change(graph, WITH_A1, [], [A1]))

    @pytest.mark.parametrize("switch", [{"group_processing_per_second": 0}, {"group_processing_seconds": -1}])
    def test_a_pace_that_cannot_be_is_refused(self, control: SandboxControl, switch: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="Expected `float`"):
            control.set_switches(**switch)


class TestErrors:
    def test_g4_4_seats_run_out_in_order(self, graph: httpx.Client, settle: Callable[[], None]) -> None:
        group = create(graph, PUPIL, WITH_NOTHING)
        license_group(graph, group, [A5])
        settle()
        assert held(graph, PUPIL) == {(A5, group, "Active", "None")}
        assert held(graph, WITH_NOTHING) == {(A5, group, "Error", "CountViolation")}
        assert (processing(graph, group), consumed(graph, A5)) == ("ProcessingComplete", 1)

    def test_g4_4_all_or_nothing(self, graph: httpx.Client, settle: Callable[[], None]) -> None:
        group = create(graph, PUPIL, WITH_NOTHING, WITHOUT_LOCATION)
        license_group(graph, group, [A3, PHONE])
        settle()
        assert held(graph, WITH_NOTHING) == {(A3, group, "Active", "None"), (PHONE, group, "Active", "None")}
        assert held(graph, WITHOUT_LOCATION) == {
            (A3, group, "Error", "CountViolation"),
            (PHONE, group, "Error", "Other"),
        }
        assert consumed(graph, PHONE) == 2

    def test_g4_4_a_swap_that_cannot_be_leaves_the_old(self, graph: httpx.Client, settle: Callable[[], None]) -> None:
        group = create(graph, PUPIL, WITH_NOTHING)
        license_group(graph, group, [A1])
        settle()
        license_group(graph, group, [A5], [A1])
        settle()
        assert held(graph, PUPIL) == {(A5, group, "Active", "None")}
        assert held(graph, WITH_NOTHING) == {
            (A1, group, "ActiveWithError", "Other"),
            (A5, group, "Error", "CountViolation"),
        }

    def test_g4_4_the_errored_wait_for_somebody_to_ask(
        self, graph: httpx.Client, control: SandboxControl, settle: Callable[[], None]
    ) -> None:
        group = create(graph, PUPIL, WITH_NOTHING)
        license_group(graph, group, [A5])
        settle()
        control.add_subscription(TENANT, skuId=A5, totalLicenses=1)
        settle()
        assert held(graph, WITH_NOTHING) == {(A5, group, "Error", "CountViolation")}
        assert graph.post(f"/users/{WITH_NOTHING}/reprocessLicenseAssignment").status_code == 200
        assert held(graph, WITH_NOTHING) == {(A5, group, "Active", "None")}

    def test_g4_4_unless_the_switch_says_otherwise(
        self, graph: httpx.Client, control: SandboxControl, settle: Callable[[], None]
    ) -> None:
        control.set_switches(errored_members_retried=True, errored_members_retry_seconds=10)
        group = create(graph, PUPIL, WITH_NOTHING)
        license_group(graph, group, [A5])
        settle()
        control.add_subscription(TENANT, skuId=A5, totalLicenses=1)
        settle()
        settle()
        assert held(graph, WITH_NOTHING) == {(A5, group, "Active", "None")}

    def test_g4_4_but_not_at_every_look(
        self, graph: httpx.Client, control: SandboxControl, settle: Callable[[], None]
    ) -> None:
        control.set_switches(errored_members_retried=True, errored_members_retry_seconds=3_600)
        group = create(graph, PUPIL, WITH_NOTHING)
        license_group(graph, group, [A5])
        settle()
        control.add_subscription(TENANT, skuId=A5, totalLicenses=1)
        for _ in range(3):
            settle()
            assert held(graph, WITH_NOTHING) == {(A5, group, "Error", "CountViolation")}
            state = graph.get(f"/groups/{group}", params={"$select": "licenseProcessingState"}).json()
            assert state["licenseProcessingState"] == {"state": "ProcessingComplete"}
        control.set_clock(advance=3_600)
        held(graph, WITH_NOTHING)
        settle()
        assert held(graph, WITH_NOTHING) == {(A5, group, "Active", "None")}

    def test_g4_3_mutually_exclusive(self, graph: httpx.Client, settle: Callable[[], None]) -> None:
        group = create(graph, WITH_A1)
        license_group(graph, group, [A3])
        settle()
        assert (A3, group, "Error", "MutuallyExclusiveViolation") in held(graph, WITH_A1)
        assert (A1, None, "Active", "None") in held(graph, WITH_A1)

    def test_g4_3_prohibited_in_the_location(
        self, graph: httpx.Client, control: SandboxControl, settle: Callable[[], None]
    ) -> None:
        control.set_switches(unsupported_locations=["NL"])
        group = create(graph, PUPIL)
        license_group(graph, group, [A1])
        settle()
        assert held(graph, PUPIL) == {(A1, group, "Error", "ProhibitedInUsageLocationViolation")}

    def test_g4_4_leaving_is_blocked_by_what_depends_on_it(
        self, graph: httpx.Client, settle: Callable[[], None]
    ) -> None:
        assert change(graph, INHERITING, [PHONE]).status_code == 200
        leave(graph, GROUP, INHERITING)
        settle()
        assert (A3, GROUP, "ActiveWithError", "DependencyViolation") in held(graph, INHERITING)
        assert graph.post(f"/users/{INHERITING}/reprocessLicenseAssignment").status_code == 400
        change(graph, INHERITING, [], [PHONE])
        assert graph.post(f"/users/{INHERITING}/reprocessLicenseAssignment").status_code == 200
        assert held(graph, INHERITING) == set()


class TestReprocess:
    @pytest.mark.parametrize("content", [None, b"{}"], ids=["no body", "an empty object"])
    def test_g4_6_is_200_with_the_user(self, graph: httpx.Client, content: bytes | None) -> None:
        headers = {"Content-Type": "application/json"} if content else {}
        response = graph.post(f"/users/{BOTH_WAYS}/reprocessLicenseAssignment", content=content, headers=headers)
        assert (response.status_code, response.json()["id"]) == (200, BOTH_WAYS)
        assert "assignedLicenses" not in response.json()

    def test_g4_6_names_the_plans_that_stand_in_the_way(self, graph: httpx.Client, settle: Callable[[], None]) -> None:
        license_group(graph, create(graph, WITH_A1), [A3])
        settle()
        before = held(graph, WITH_A1)
        response = graph.post(f"/users/{WITH_A1}/reprocessLicenseAssignment")
        assert (response.status_code, "are mutually exclusive" in message(response)) == (400, True)
        assert held(graph, WITH_A1) == before

    @pytest.mark.parametrize(
        ("role", "status"), [("User.ReadWrite.All", 200), ("LicenseAssignment.ReadWrite.All", 403)]
    )
    def test_g2_4_needs_the_right_to_users(
        self, limited_graph: Callable[..., httpx.Client], role: str, status: int
    ) -> None:
        assert limited_graph(role).post(f"/users/{PUPIL}/reprocessLicenseAssignment").status_code == status


class TestLedger:
    def test_what_a_group_brings_is_dated_when_due_and_nobodys_write(
        self, graph: httpx.Client, control: SandboxControl, settle: Callable[[], None]
    ) -> None:
        control.set_switches(group_processing_seconds=30, group_processing_per_second=1)
        group = create(graph, PUPIL, WITH_NOTHING)
        license_group(graph, group, [A1])
        (licensed,) = [entry for entry in control.ledger() if entry["route"] == "assignGroupLicense"]
        settle()
        first, second = [entry for entry in control.ledger() if entry["user"]]
        assert (first["user"], second["user"]) == (PUPIL, WITH_NOTHING)
        assert (first["app"], first["route"], first["byGroup"]) == ("", "groupProcessing", group)
        assert (first["time"], second["time"]) == pytest.approx((licensed["time"] + 30, licensed["time"] + 31))
        assert control.writes_per_user(TENANT) == {}

    def test_the_licence_of_a_group_is_there_before_and_after(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        group = create(graph)
        license_group(graph, group, [(A3, [YAMMER])])
        *_, entry = control.ledger(group=group)
        assert (entry["app"], entry["before"]["assignedLicenses"]) == (APP, [])
        assert entry["after"]["assignedLicenses"] == [{"skuId": A3, "disabledPlans": [YAMMER]}]

    def test_a_reprocess_is_a_write_to_the_person(self, graph: httpx.Client, control: SandboxControl) -> None:
        graph.post(f"/users/{INHERITING}/reprocessLicenseAssignment")
        (entry,) = control.ledger()
        assert (entry["user"], entry["app"], entry["changed"]) == (INHERITING, APP, False)


class TestDynamicGroup:
    RULE = 'user.department -eq "99XA"'

    def test_g4_4_is_emptied_first_and_then_the_rule_runs(
        self, graph: httpx.Client, settle: Callable[[], None]
    ) -> None:
        body = {"groupTypes": ["DynamicMembership"], "membershipRule": self.RULE}
        assert graph.patch(f"/groups/{GROUP}", json=body).status_code == 204
        assert graph.get(f"/groups/{GROUP}/members").json()["value"] == []
        settle()
        assert held(graph, INHERITING) == set()
        rows = graph.get(f"/groups/{GROUP}/members").json()["value"]
        assert {row["id"] for row in rows} == {WITH_A1, WITH_NOTHING}
        settle()
        assert held(graph, WITH_NOTHING) == {(A3, GROUP, "Active", "None")}

    def test_follows_its_people(self, graph: httpx.Client, control: SandboxControl, settle: Callable[[], None]) -> None:
        rule = {"groupTypes": ["DynamicMembership"], "membershipRule": self.RULE}
        control.put_group(TENANT, id=user_id("dynamic"), displayName="dynamic", **rule)
        settle()
        graph.patch(f"/users/{PUPIL}", json={"department": "99XA"})
        control.change_user(TENANT, WITH_A1, department=None)
        settle()
        rows = graph.get(f"/groups/{user_id('dynamic')}/members").json()["value"]
        assert {row["id"] for row in rows} == {PUPIL, WITH_NOTHING}

    @pytest.mark.parametrize(
        "rule", [None, 'user.colour -eq "red"', 'user.department -match "x"', "device.x -eq true", "nonsense"]
    )
    def test_a_rule_that_nobody_knows_is_400(self, graph: httpx.Client, rule: str | None) -> None:
        body = {"groupTypes": ["DynamicMembership"], "membershipRule": rule}
        assert graph.patch(f"/groups/{GROUP}", json=body).status_code == 400
        assert len(graph.get(f"/groups/{GROUP}/members").json()["value"]) == 2
