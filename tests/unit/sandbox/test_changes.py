from typing import Any

import pytest

from provisioning.sandbox.changes import RECYCLED_SECONDS, Change, Changes
from provisioning.sandbox.delta import changed_names
from provisioning.sandbox.model import Assignment, User

PERSON = User(id="1", userPrincipalName="a@x.example", usageLocation="NL")


def log(*entries: tuple[float, str, Any, Any]) -> Changes:
    changes = Changes()
    for entry in entries:
        changes.record(*entry)
    return changes


class TestReached:
    @pytest.mark.parametrize(("moment", "expected"), [(0.5, 0), (1.0, 1), (1.5, 1), (2.0, 3), (9.0, 3)])
    def test_counts_what_had_happened_by_then(self, moment: float, expected: int) -> None:
        assert log((1.0, "a", None, "A"), (2.0, "b", None, "B"), (2.0, "a", "A", "A2")).reached(moment) == expected


class TestStatesBefore:
    def test_are_those_that_later_changes_replaced_first(self) -> None:
        changes = log((1.0, "a", None, "A"), (2.0, "a", "A", "A2"), (3.0, "a", "A2", "A3"), (4.0, "b", "B", None))
        assert changes.states_before(0) == {"a": None, "b": "B"}
        assert changes.states_before(2) == {"a": "A2", "b": "B"}
        assert changes.states_before(4) == {}


class TestBin:
    def test_is_emptied_after_thirty_days_and_not_before(self) -> None:
        changes = log((1.0, "a", "A", None))
        changes.empty_bin(RECYCLED_SECONDS, {"a": None})
        assert (len(changes), changes.is_purged("a", 2)) == (1, False)
        changes.empty_bin(RECYCLED_SECONDS + 1.0, {"a": None})
        assert (len(changes), changes.is_purged("a", 2), changes.is_purged("a", 1)) == (2, True, False)

    def test_keeps_what_was_restored(self) -> None:
        changes = log((1.0, "a", "A", None), (2.0, "a", None, "A"))
        changes.empty_bin(2 * RECYCLED_SECONDS, {"a": "A"})
        assert len(changes) == 2

    def test_is_emptied_once(self) -> None:
        changes = log((1.0, "a", "A", None))
        changes.purge(2.0, "a")
        changes.empty_bin(2 * RECYCLED_SECONDS, {"a": None})
        assert len(changes) == 2

    def test_a_purged_id_that_is_used_again_is_not_purged(self) -> None:
        changes = log((1.0, "a", "A", None))
        changes.purge(2.0, "a")
        changes.record(3.0, "a", None, "A")
        assert not changes.is_purged("a", 9)


class TestChangedNames:
    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            ({}, set()),
            ({"usageLocation": "BE"}, {"usageLocation"}),
            ({"department": "99XA"}, set()),
            ({"extensions": {"extension_grade": "8"}}, {"extension_grade"}),
            ({"assignments": (Assignment("sku", "now"),)}, {"assignedLicenses", "licenseAssignmentStates"}),
            ({"assignments": (Assignment("sku", "now", state="Error"),)}, {"licenseAssignmentStates"}),
        ],
    )
    def test_are_those_that_are_tracked_and_differ(self, after: dict[str, Any], expected: set[str]) -> None:
        tracked = ("usageLocation", "extension_grade", "assignedLicenses", "licenseAssignmentStates")
        values = {name: getattr(PERSON, name) for name in PERSON.__struct_fields__}
        assert changed_names(Change(1.0, "1", PERSON, User(**values | after)), tracked) == expected

    @pytest.mark.parametrize(("before", "after"), [(None, PERSON), (PERSON, None), (None, None)])
    def test_are_all_when_somebody_comes_or_goes(self, before: User | None, after: User | None) -> None:
        assert changed_names(Change(1.0, "1", before, after), ("usageLocation",)) == {"id", "usageLocation"}
