"""G13: what always holds, over random histories of one school."""

import random
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.conformance.actions import change, change_body, consumed, message, skus_of, states
from tests.conformance.school import (
    A1,
    A3,
    A5,
    BOTH_WAYS,
    GROUP,
    GUEST,
    INHERITING,
    NOT_OWNED,
    PHONE,
    PUPIL,
    TENANT,
    WITH_A1,
    WITH_NOTHING,
    WITHOUT_LOCATION,
    YAMMER,
)
from tests.sandbox_process import SandboxControl

PEOPLE = [WITH_A1, WITH_NOTHING, WITHOUT_LOCATION, INHERITING, BOTH_WAYS, GUEST, PUPIL]
OWNED, ALL = [A1, A3, A5, PHONE], [A1, A3, A5, PHONE, NOT_OWNED]


def census(graph: httpx.Client) -> dict[str, list[dict[str, Any]]]:
    rows = graph.get("/users", params={"$select": "id,licenseAssignmentStates"}).json()["value"]
    return {row["id"]: row["licenseAssignmentStates"] for row in rows}


def holders(people: dict[str, list[dict[str, Any]]]) -> Counter[str]:
    """People per SKU who take a seat of it."""
    held = ({state["skuId"] for state in found if state["state"].startswith("Active")} for found in people.values())
    return Counter(sku_id for skus in held for sku_id in skus)


def something(rng: random.Random) -> tuple[str, list[str], list[str]]:
    """A change that may be right or wrong."""
    adding = rng.sample(ALL, rng.randint(0, 2))
    removing = [sku for sku in rng.sample(ALL, rng.randint(0, 2)) if sku not in adding]
    return rng.choice(PEOPLE), adding, removing


@pytest.mark.parametrize("seed", range(3))
class TestG13Histories:
    def test_g13_1_seats_taken_are_people_who_hold(self, graph: httpx.Client, seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(25):
            change(graph, *something(rng))
        found = holders(census(graph))
        rows = graph.get("/subscribedSkus").json()["value"]
        assert {row["skuId"]: row["consumedUnits"] for row in rows} == {sku: found[sku] for sku in OWNED}

    def test_g13_2_a_refused_call_changes_nothing(self, graph: httpx.Client, seed: int) -> None:
        rng, refused = random.Random(seed), 0
        before = census(graph)
        for _ in range(25):
            is_refused = change(graph, *something(rng)).is_error
            after = census(graph)
            assert not is_refused or after == before
            before, refused = after, refused + is_refused
        assert 0 < refused < 25

    def test_g13_2_seats_never_go_below_none_by_assignment(self, graph: httpx.Client, seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(25):
            change(graph, *something(rng))
        rows = graph.get("/subscribedSkus").json()["value"]
        assert [row["skuPartNumber"] for row in rows if row["consumedUnits"] > row["prepaidUnits"]["enabled"]] == []


class TestG13Repeats:
    def test_g13_3_a_repeated_add_changes_the_plans_and_the_date_alone(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        change(graph, WITH_NOTHING, [A1])
        first, seats = states(graph, WITH_NOTHING)[0], consumed(graph, A1)
        control.set_clock(advance=60)
        assert change(graph, WITH_NOTHING, [(A1, [YAMMER])]).status_code == 200
        (second,) = states(graph, WITH_NOTHING)
        differing = {name for name in first if first[name] != second[name]}
        assert differing == {"disabledPlans", "lastUpdatedDateTime"}
        assert consumed(graph, A1) == seats

    def test_g13_6_an_assignment_without_error_says_so_in_words(self, graph: httpx.Client) -> None:
        assert {state["error"] for found in census(graph).values() for state in found} == {"None"}

    def test_g13_7_the_answer_never_shows_licences(self, graph: httpx.Client) -> None:
        response = change(graph, WITH_NOTHING, [A1])
        assert not {"assignedLicenses", "licenseAssignmentStates"} & response.json().keys()
        assert skus_of(graph, WITH_NOTHING) == {A1}


class TestG13Groups:
    """Invariants 4 and 5: a group is seen to later, person by person, and forgives what a direct licence does not."""

    def license(self, graph: httpx.Client, control: SandboxControl, sku_id: str, people: list[str]) -> httpx.Response:
        control.change_group(TENANT, GROUP, join=people, assignedLicenses=[])
        return graph.post(f"/groups/{GROUP}/assignLicense", json=change_body([sku_id]))

    def settle(self, control: SandboxControl) -> None:
        control.set_clock(advance=60)

    def test_g13_4_a_group_is_seen_to_later(self, graph: httpx.Client, control: SandboxControl) -> None:
        assert self.license(graph, control, A1, [PUPIL]).status_code == 202
        assert skus_of(graph, PUPIL) == set()
        self.settle(control)
        assert skus_of(graph, PUPIL) == {A1}

    def test_g13_4_seats_run_out_in_the_order_of_the_queue(self, graph: httpx.Client, control: SandboxControl) -> None:
        seats = next(row for row in control.subscriptions(TENANT) if row["skuId"] == A1)
        control.change_subscription(TENANT, seats["id"], totalLicenses=consumed(graph, A1) + 1)
        control.change_group(TENANT, GROUP, leave=[INHERITING, BOTH_WAYS])
        self.license(graph, control, A1, [WITH_NOTHING, PUPIL])
        self.settle(control)
        assert [states(graph, person)[0]["error"] for person in (WITH_NOTHING, PUPIL)] == ["None", "CountViolation"]

    def test_g13_5_the_group_path_tolerates_a_null_location_and_the_direct_path_does_not(
        self, graph: httpx.Client, control: SandboxControl
    ) -> None:
        refused = change(graph, WITHOUT_LOCATION, [A1])
        assert (refused.status_code, "usage location" in message(refused)) == (400, True)
        self.license(graph, control, A1, [WITHOUT_LOCATION])
        self.settle(control)
        (held,) = states(graph, WITHOUT_LOCATION)
        assert (held["skuId"], held["assignedByGroup"], held["state"], held["error"]) == (A1, GROUP, "Active", "None")
        assert graph.get(f"/users/{WITHOUT_LOCATION}?$select=usageLocation").json()["usageLocation"] is None
