from provisioning.sandbox.ledger import Author, Ledger
from provisioning.sandbox.model import Assignment, User

WITHOUT = User(id="u", userPrincipalName="u@x")
WITH = User(id="u", userPrincipalName="u@x", assignments=(Assignment("k", "2025-09-01T08:00:00Z"),))
ME = Author("app")


def ledger(*moves: tuple[float, User | None, User | None]) -> Ledger:
    written = Ledger()
    for time, before, after in moves:
        written.record(time, "t", ME, before, after)
    return written


class TestStateAt:
    def test_before_the_first_write_it_is_what_that_write_found(self) -> None:
        assert ledger((10, WITH, WITHOUT)).state_at("t", "u", 5, WITHOUT) is WITH

    def test_at_the_moment_of_a_write_it_is_what_was_written(self) -> None:
        assert ledger((10, WITH, WITHOUT)).state_at("t", "u", 10, WITHOUT) is WITHOUT

    def test_without_writes_it_is_what_it_is(self) -> None:
        assert Ledger().state_at("t", "u", 5, WITH) is WITH


class TestChanged:
    def test_new_and_deleted_people_are_changes(self) -> None:
        written = ledger((1, None, WITH), (2, WITH, None))
        assert [entry.changed for entry in written.since(0, 10)] == [True, True]

    def test_a_renewed_date_is_none(self) -> None:
        renewed = User(id="u", userPrincipalName="u@x", assignments=(Assignment("k", "2026-01-01T00:00:00Z"),))
        assert [entry.changed for entry in ledger((1, WITH, renewed)).since(0, 10)] == [False]


class TestChangedProperties:
    def test_are_told_before_and_after(self) -> None:
        moved = User(id="u", userPrincipalName="u@x", department="99XA", assignments=WITH.assignments)
        (entry,) = ledger((1, WITH, moved)).since(0, 1)
        told = entry.to_json()
        assert entry.changed_properties == ["department"]
        assert (told["before"]["department"], told["after"]["department"]) == (None, "99XA")

    def test_licences_are_told_anyway(self) -> None:
        (entry,) = ledger((1, WITHOUT, WITH)).since(0, 1)
        assert entry.changed_properties == ["licenseAssignmentStates"]
        assert entry.to_json()["before"].keys() == entry.to_json()["after"].keys()

    def test_who_came_or_went_is_told_as_a_whole(self) -> None:
        came, went = ledger((1, None, WITH), (2, WITH, None)).since(0, 2)
        assert (came.changed_properties, went.changed_properties) == ([], [])
        assert (came.to_json()["before"], went.to_json()["after"]) == (None, None)


class TestOf:
    def test_tells_one_person_of_one_tenant_in_order(self) -> None:
        written = ledger((1, None, WITH), (2, WITH, WITHOUT))
        written.record(3, "another", ME, None, WITH)
        assert [entry.sequence for entry in written.of("t", "u")] == [1, 2]
        assert [entry.sequence for entry in written.in_tenant("another")] == [3]
