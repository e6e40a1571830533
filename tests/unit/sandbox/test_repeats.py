from provisioning.sandbox.ledger import Author, Ledger
from provisioning.sandbox.model import Assignment, User
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
