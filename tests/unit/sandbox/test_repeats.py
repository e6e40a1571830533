from typing import Any

import msgspec

from provisioning.sandbox.ledger import Author, Ledger
from provisioning.sandbox.model import Assignment, Group, User
from provisioning.sandbox.repeats import find_repeats

WITHOUT = User(id="u", userPrincipalName="u@x")
WITH = User(id="u", userPrincipalName="u@x", assignments=(Assignment("k", "2025-09-01T08:00:00Z"),))


def found(*writes: tuple[Author, User, User]) -> list[tuple[int, str]]:
    written = Ledger()
    for author, before, after in writes:
        written.record(1, "t", author, before, after)
    return [(repeat.sequence, repeat.why) for repeat in find_repeats(written.in_tenant("t"))]


def attempt(request: str, route: str = "assignLicense") -> Author:
    return Author("app", "r", request, route)


class TestFindRepeats:
    def test_none_where_every_write_made_a_difference(self) -> None:
        assert found((attempt("1"), WITHOUT, WITH), (attempt("2"), WITH, WITHOUT)) == []

    def test_what_changed_nothing_is_one(self) -> None:
        assert found((attempt("1"), WITHOUT, WITH), (attempt("2"), WITH, WITH)) == [(2, "changed_nothing")]

    def test_the_same_attempt_sent_twice_is_one_even_if_it_changed_something(self) -> None:
        writes = ((attempt("1"), WITHOUT, WITH), (attempt("1"), WITH, WITHOUT))
        assert found(*writes) == [(2, "same_client_request_id")]

    def test_one_id_may_cover_two_kinds_of_write(self) -> None:
        assert found((attempt("1", "patchUser"), WITHOUT, WITH), (attempt("1"), WITH, WITHOUT)) == []

    def test_the_control_api_repeats_nothing(self) -> None:
        assert found((Author(), WITH, WITH)) == []


class TestGroups:
    def repeats(self, *writes: tuple[Author, list[str]]) -> list[dict[str, Any]]:
        written = Ledger()
        group = Group(id="g", displayName="Team")
        for author, added in writes:
            written.record_group(1, "t", author, group, group, added, [])
        return [msgspec.to_builtins(repeat) for repeat in find_repeats(written.in_tenant("t"))]

    def test_taking_somebody_in_is_none(self) -> None:
        assert self.repeats((attempt("1", "patchGroup"), ["u"]), (attempt("2", "patchGroup"), ["v"])) == []

    def test_a_write_that_left_the_group_as_it_was_names_the_group(self) -> None:
        (found,) = self.repeats((attempt("1", "assignGroupLicense"), []))
        assert (found["user"], found["group"], found["why"]) == (None, "g", "changed_nothing")

    def test_two_groups_may_share_an_id_of_a_request(self) -> None:
        written = Ledger()
        for name in ("g", "h"):
            written.record_group(1, "t", attempt("1", "patchGroup"), None, Group(id=name, displayName=name), [], [])
        assert list(find_repeats(written.in_tenant("t"))) == []
