"""The ledger: what was written, by whom, and what people were in between."""

import httpx
import pytest

from tests.conformance.actions import batch, change, item
from tests.conformance.school import (
    A1,
    A3,
    APP,
    EXCHANGE_OF_A1,
    EXCHANGE_OF_A3,
    NEIGHBOUR,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
    YAMMER,
    user_id,
)
from tests.sandbox_process import SandboxControl

MAIL = [EXCHANGE_OF_A1, EXCHANGE_OF_A3]


def skus(state: dict[str, object] | None) -> list[str]:
    assert state is not None
    held = state["licenseAssignmentStates"]
    assert isinstance(held, list)
    return [entry["skuId"] for entry in held]


class TestEntries:
    def test_tell_who_what_and_whether_it_mattered(self, graph: httpx.Client, control: SandboxControl) -> None:
        response = change(graph, WITH_A1, [A3], [A1], **{"client-request-id": "attempt-1"})
        (entry,) = control.ledger()
        assert (entry["tenant"], entry["user"], entry["app"]) == (TENANT, WITH_A1, APP)
        assert (entry["route"], entry["changed"], entry["sequence"]) == ("assignLicense", True, 1)
        assert (entry["clientRequestId"], entry["requestId"]) == ("attempt-1", response.headers["request-id"])
        assert (skus(entry["before"]), skus(entry["after"])) == ([A1], [A3])

    def test_a_patch_is_a_write_too(self, graph: httpx.Client, control: SandboxControl) -> None:
        graph.patch(f"/users/{WITHOUT_LOCATION}", json={"usageLocation": "NL"})
        (entry,) = control.ledger()
        assert (entry["route"], entry["before"]["usageLocation"], entry["after"]["usageLocation"]) == (
            *("patchUser", None, "NL"),
        )

    def test_what_the_control_api_changes_is_there_without_an_app(self, control: SandboxControl) -> None:
        control.change_user(TENANT, WITH_A1, accountEnabled=False)
        control.delete_user(TENANT, WITH_A1)
        assert [(entry["app"], entry["route"]) for entry in control.ledger()] == [("", "control")] * 2
        assert list(control.ledger())[1]["after"] is None

    @pytest.mark.parametrize(
        ("plans", "changed"), [([YAMMER], False), ([], True)], ids=["the same plans", "other plans"]
    )
    def test_a_repeat_counts_as_unchanged(
        self, graph: httpx.Client, control: SandboxControl, plans: list[str], changed: bool
    ) -> None:
        change(graph, WITH_A1, [(A1, plans)])
        assert [entry["changed"] for entry in control.ledger()] == [changed]

    def test_can_be_read_on_from_a_sequence_number_and_filtered(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        for user in (WITH_A1, WITH_NOTHING, WITH_NOTHING):
            change(graph, user, [(A1, [YAMMER])])
        assert [entry["sequence"] for entry in control.ledger(since=1)] == [2, 3]
        assert [entry["sequence"] for entry in control.ledger(top=1)] == [1, 2, 3]
        assert [entry["sequence"] for entry in control.ledger(user=WITH_NOTHING, changed="true")] == [2]


class TestQuestions:
    def test_a_person_at_a_moment(self, graph: httpx.Client, control: SandboxControl) -> None:
        start = control.clock()["now"]
        control.set_clock(advance=100)
        change(graph, WITH_A1, [A3], [A1])
        control.set_clock(advance=100)
        assert skus(control.state_at(TENANT, WITH_A1, start + 50)) == [A1]
        assert skus(control.state_at(TENANT, WITH_A1, start + 150)) == [A3]
        assert skus(control.state_at(TENANT, WITH_A1)) == [A3]
        assert skus(control.state_at(TENANT, WITH_NOTHING, start)) == []

    def test_writes_per_person(self, graph: httpx.Client, control: SandboxControl) -> None:
        change(graph, WITH_A1, [A3], [A1])
        change(graph, WITH_A1, [A3])
        change(graph, WITH_NOTHING, [A1])
        assert control.writes_per_user(TENANT) == {
            WITH_A1: {"writes": 2, "changed": 1},
            WITH_NOTHING: {"writes": 1, "changed": 1},
        }

    def test_a_swap_in_one_call_leaves_no_gap(self, graph: httpx.Client, control: SandboxControl) -> None:
        change(graph, WITH_A1, [A3], [A1])
        assert control.gaps(TENANT, [MAIL], users=[WITH_A1]) == []

    def test_remove_then_add_leaves_one_with_its_length(self, graph: httpx.Client, control: SandboxControl) -> None:
        change(graph, WITH_A1, remove=[A1])
        control.set_clock(advance=60)
        change(graph, WITH_A1, [A3])
        (gap,) = control.gaps(TENANT, [MAIL], users=[WITH_A1])
        assert gap["user"] == WITH_A1
        assert gap["until"] - gap["since"] == pytest.approx(60, abs=5)

    def test_a_gap_that_lasts_has_no_end(self, graph: httpx.Client, control: SandboxControl) -> None:
        change(graph, WITH_A1, remove=[A1])
        (gap,) = control.gaps(TENANT, [MAIL], users=[WITH_A1])
        assert gap["until"] is None

    def test_a_plan_switched_off_is_a_gap(self, graph: httpx.Client, control: SandboxControl) -> None:
        assert control.gaps(TENANT, [[YAMMER]], users=[WITH_A1])[0]["until"] is None
        change(graph, WITH_A1, [A1])
        assert control.gaps(TENANT, [[YAMMER]], users=[WITH_A1])[0]["until"] is not None
        now = control.clock()["now"]
        assert control.gaps(TENANT, [[YAMMER]], users=[WITH_A1], since=now) == []


class TestOrder:
    def test_is_that_of_time_over_all_tenants(self, graph: httpx.Client, control: SandboxControl) -> None:
        """What a group brought the neighbours a while ago comes before what is written here now."""
        control.add_subscription(NEIGHBOUR, skuId=A3, totalLicenses=5)
        control.add_user(NEIGHBOUR, userPrincipalName="buur@neighbour.example", usageLocation="NL")
        members = {"members": ["buur@neighbour.example"], "assignedLicenses": [{"skuId": A3}]}
        control.put_group(NEIGHBOUR, id=user_id("buren"), displayName="Buren", **members)
        control.set_clock(advance=60)
        change(graph, WITH_A1, [(A1, [])])
        entries = list(control.ledger())
        assert [entry["route"] for entry in entries[-2:]] == ["groupProcessing", "assignLicense"]
        assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)

    def test_a_batch_happens_at_one_moment(self, graph: httpx.Client, control: SandboxControl) -> None:
        control.set_clock(factor=100_000)
        people = (WITH_A1, WITH_NOTHING, WITHOUT_LOCATION)
        batch(graph, *(item(one, "PATCH", f"/users/{one}", {"usageLocation": "BE"}) for one in people))
        times = [entry["time"] for entry in control.ledger()]
        assert len(times) == len(people)
        assert len(set(times)) == 1
