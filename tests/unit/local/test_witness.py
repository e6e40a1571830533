"""The ledger and the log are held against each other, and every way to differ is named."""

from typing import Any

import msgspec
import pytest

from provisioning.local import witness
from provisioning.local.witness import compare

APP = "our-app"


class Line(msgspec.Struct, frozen=True):
    kind: str
    correlation: str | None = None


def wrote(request: str, *, changed: bool = True, user: str = "one", app: str = APP) -> dict[str, Any]:
    return {"app": app, "tenant": "school", "user": user, "changed": changed, "clientRequestId": request}


def joined(request: str, *people: str, left: tuple[str, ...] = ()) -> dict[str, Any]:
    return {**wrote(request), "user": None, "group": "licensed", "added": list(people), "removed": list(left)}


def accepted(request: str) -> Line:
    return Line("attempt.accepted", request)


def found_done(request: str) -> Line:
    return Line("attempt.found_done", request)


class TestCompare:
    def test_every_change_with_one_line_is_equal(self) -> None:
        testimony = compare([wrote("a"), wrote("b", user="two")], [accepted("a"), found_done("b")], app=APP)

        assert testimony == witness.Testimony(changes=2, claims=2, repeats=0)
        assert testimony.is_equal

    def test_nothing_written_and_nothing_claimed_is_equal(self) -> None:
        assert compare([], [Line("order.accepted"), Line("attempt.refused", "a")], app=APP).is_equal

    def test_a_change_that_no_line_claims_is_named(self) -> None:
        testimony = compare([wrote("a"), wrote("b")], [accepted("a")], app=APP)

        assert testimony.unclaimed == ("b",)
        assert not testimony.is_equal

    def test_a_line_without_a_write_is_named(self) -> None:
        testimony = compare([wrote("a")], [accepted("a"), found_done("ghost")], app=APP)

        assert testimony.unwritten == ("ghost",)
        assert not testimony.is_equal

    def test_a_claim_without_a_request_id_matches_no_write(self) -> None:
        assert not compare([], [Line("attempt.accepted")], app=APP).is_equal

    @pytest.mark.parametrize(
        ("ledger", "events", "field"),
        [
            pytest.param([wrote("a")], [accepted("a"), found_done("a")], "claimed_twice", id="two lines, one change"),
            pytest.param([wrote("a"), wrote("a")], [accepted("a")], "written_twice", id="two changes, one request"),
        ],
    )
    def test_once_is_once(self, ledger: list[dict[str, Any]], events: list[Line], field: str) -> None:
        testimony = compare(ledger, events, app=APP)

        assert getattr(testimony, field) == ("a",)
        assert not testimony.is_equal

    def test_a_repeat_that_changed_nothing_is_counted_and_no_difference(self) -> None:
        testimony = compare([wrote("a"), wrote("b", changed=False)], [accepted("a"), accepted("b")], app=APP)

        assert (testimony.changes, testimony.repeats) == (1, 1)
        assert testimony.is_equal

    def test_what_others_wrote_is_not_ours(self) -> None:
        assert compare([wrote("x", app=""), wrote("y", app="another")], [], app=APP).is_equal

    def test_a_change_taken_for_absent_and_repeated_stands_under_the_repeat(self) -> None:
        ledger = [wrote("a"), wrote("b", changed=False)]
        testimony = compare(ledger, [Line("attempt.found_absent", "a"), accepted("b")], app=APP)

        assert (testimony.believed_absent, testimony.repeats) == (1, 1)
        assert testimony.is_equal

    @pytest.mark.parametrize(
        "ledger",
        [
            pytest.param([wrote("a")], id="never repeated"),
            pytest.param([wrote("a"), wrote("b", changed=False, user="two")], id="repeated for somebody else"),
            pytest.param([wrote("b", changed=False), wrote("a")], id="the repeat came before"),
        ],
    )
    def test_a_change_taken_for_absent_without_a_repeat_is_unclaimed(self, ledger: list[dict[str, Any]]) -> None:
        testimony = compare(ledger, [Line("attempt.found_absent", "a"), accepted("b")], app=APP)

        assert testimony.unclaimed == ("a",)


class TestMembers:
    """One write takes several people into a group; each of them has a line."""

    @pytest.mark.parametrize(
        "lines",
        [
            pytest.param([accepted("a")] * 2, id="under the call's id"),
            pytest.param([accepted("a#0"), found_done("a#1")], id="numbered within it"),
        ],
    )
    def test_a_line_each_is_equal(self, lines: list[Line]) -> None:
        testimony = compare([joined("a", "one", "two")], lines, app=APP)

        assert (testimony.changes, testimony.claims) == (2, 2)
        assert testimony.is_equal

    @pytest.mark.parametrize("lines", [0, 1])
    def test_too_few_lines_leave_the_call_unclaimed(self, lines: int) -> None:
        assert compare([joined("a", "one", "two")], [accepted("a")] * lines, app=APP).unclaimed == ("a",)

    def test_too_many_claim_it_twice(self) -> None:
        assert compare([joined("a", "one", "two")], [accepted("a")] * 3, app=APP).claimed_twice == ("a",)

    def test_who_left_is_one_line(self) -> None:
        assert compare([joined("a", left=("one",))], [accepted("a")], app=APP).is_equal

    def test_a_group_made_or_licensed_is_one_line(self) -> None:
        assert compare([joined("a"), joined("b")], [accepted("a"), accepted("b")], app=APP).is_equal

    def test_lines_of_a_refused_call_have_no_write(self) -> None:
        assert compare([], [accepted("a#0"), accepted("a#1")], app=APP).unwritten == ("a",)
