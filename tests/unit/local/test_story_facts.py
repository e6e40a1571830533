"""What a scene did is read from the twin's ledger: who kept what, who gained, who stood without."""

from typing import Any

import pytest

from provisioning.local.story_facts import gained_and_lost, kept_off, without_licence

A1, A3, PLAN = "a1", "a3", "yammer"
State = dict[str, tuple[str, ...]] | None


def write(user: str, before: State, after: State) -> dict[str, Any]:
    """States by product and the plans switched off in it; None is somebody who is not there."""
    return {"user": user, "before": _told(before), "after": _told(after)}


def _told(state: State) -> dict[str, Any] | None:
    if state is None:
        return None
    return {"licenseAssignmentStates": [{"skuId": sku, "disabledPlans": plans} for sku, plans in state.items()]}


class TestKeptOff:
    def test_a_swap_that_carries_the_choice_over_keeps_it(self) -> None:
        kept = kept_off([write("one", {A1: (PLAN,)}, {A3: (PLAN,)}), write("two", {A1: ()}, {A3: ()})], PLAN)
        assert kept.before == kept.after == {"one"}

    def test_a_plan_that_comes_back_on_shows(self) -> None:
        kept = kept_off([write("one", {A1: (PLAN,)}, {A3: ()})], PLAN)
        assert (kept.before, kept.after) == ({"one"}, frozenset())

    def test_what_counts_is_before_the_first_write_and_after_the_last(self) -> None:
        kept = kept_off([write("one", {A1: (PLAN,)}, {A1: ()}), write("one", {A1: ()}, {A3: (PLAN,)})], PLAN)
        assert kept.before == kept.after == {"one"}

    def test_an_account_that_came_or_went_has_nothing_switched_off(self) -> None:
        kept = kept_off([write("new", None, {A3: (PLAN,)}), write("gone", {A3: (PLAN,)}, None)], PLAN)
        assert (kept.before, kept.after) == ({"gone"}, {"new"})


class TestGainedAndLost:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            pytest.param({}, {A3: ()}, (1, 0), id="a seat given"),
            pytest.param({A3: ()}, {}, (0, 1), id="a seat taken"),
            pytest.param({A3: ()}, {A3: (PLAN,)}, (0, 0), id="a seat kept, a plan changed"),
            pytest.param({}, {}, (0, 0), id="a usage location set"),
        ],
    )
    def test_each_write_counts_once(self, before: State, after: State, expected: tuple[int, int]) -> None:
        assert gained_and_lost([write("one", before, after)], A3) == expected


class TestWithoutLicence:
    def test_a_swap_in_one_call_leaves_nobody_without(self) -> None:
        assert without_licence([write("one", {A1: ()}, {A3: ()})]) == 0

    def test_a_swap_in_two_calls_does(self) -> None:
        assert without_licence([write("one", {A1: ()}, {}), write("one", {}, {A3: ()})]) == 1

    def test_who_never_had_one_is_not_counted(self) -> None:
        assert without_licence([write("one", {}, {})]) == 0


class TestWritesToGroups:
    def test_tell_of_no_person(self) -> None:
        joined = {"user": None, "group": "licensed", "added": ["one"], "removed": [], "before": {}, "after": {}}
        assert kept_off([joined], PLAN) == kept_off([], PLAN)
        assert gained_and_lost([joined], A3) == (0, 0)
        assert without_licence([joined]) == 0
