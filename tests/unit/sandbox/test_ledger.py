from provisioning.sandbox.catalogue import ServicePlan, Sku
from provisioning.sandbox.ledger import Author, Gap, Ledger
from provisioning.sandbox.model import Assignment, User

SKUS = {"k": Sku("k", "K", (ServicePlan("mail", "MAIL"),))}
WITHOUT = User(id="u", userPrincipalName="u@x")
WITH = User(id="u", userPrincipalName="u@x", assignments=(Assignment("k", "2025-09-01T08:00:00Z"),))
ME = Author("app")


def ledger(*moves: tuple[float, User | None, User | None]) -> Ledger:
    written = Ledger()
    for time, before, after in moves:
        written.record(time, "t", ME, before, after)
    return written


def gaps(written: Ledger, current: User | None, span: tuple[float, float] = (0, 100)) -> list[Gap]:
    return list(written.gaps("t", "u", ("mail",), SKUS, span, current))


class TestStateAt:
    def test_before_the_first_write_it_is_what_that_write_found(self) -> None:
        assert ledger((10, WITH, WITHOUT)).state_at("t", "u", 5, WITHOUT) is WITH

    def test_at_the_moment_of_a_write_it_is_what_was_written(self) -> None:
        assert ledger((10, WITH, WITHOUT)).state_at("t", "u", 10, WITHOUT) is WITHOUT

    def test_without_writes_it_is_what_it_is(self) -> None:
        assert Ledger().state_at("t", "u", 5, WITH) is WITH


class TestGaps:
    def test_none_while_the_service_stays(self) -> None:
        assert gaps(ledger((10, WITH, WITH)), WITH) == []

    def test_from_removal_to_return(self) -> None:
        written = ledger((10, WITH, WITHOUT), (30, WITHOUT, WITH))
        assert gaps(written, WITH) == [Gap("u", ("mail",), 10, 30)]

    def test_open_at_the_end(self) -> None:
        assert gaps(ledger((10, WITH, WITHOUT)), WITHOUT) == [Gap("u", ("mail",), 10, None)]

    def test_a_deleted_person_has_no_service(self) -> None:
        assert gaps(ledger((10, WITH, None)), None) == [Gap("u", ("mail",), 10, None)]

    def test_only_inside_the_span(self) -> None:
        written = ledger((10, WITH, WITHOUT), (30, WITHOUT, WITH))
        assert gaps(written, WITH, (30, 100)) == []
        assert gaps(written, WITH, (15, 20)) == [Gap("u", ("mail",), 15, None)]


class TestChanged:
    def test_new_and_deleted_people_are_changes(self) -> None:
        written = ledger((1, None, WITH), (2, WITH, None))
        assert [entry.changed for entry in written.since(0, 10)] == [True, True]

    def test_a_renewed_date_is_none(self) -> None:
        renewed = User(id="u", userPrincipalName="u@x", assignments=(Assignment("k", "2026-01-01T00:00:00Z"),))
        assert [entry.changed for entry in ledger((1, WITH, renewed)).since(0, 10)] == [False]
