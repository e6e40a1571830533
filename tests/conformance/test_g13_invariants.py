"""G13: what always holds, over random histories of one school."""

import random
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.conformance.actions import change, consumed, skus_of, states
from tests.conformance.school import (
    A1,
    A3,
    A5,
    BOTH_WAYS,
    GUEST,
    INHERITING,
    NOT_OWNED,
    PHONE,
    PUPIL,
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
