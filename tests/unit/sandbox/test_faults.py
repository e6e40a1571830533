import random

import pytest

from provisioning.sandbox.faults import Fault, Faults


def faults(*added: Fault) -> Faults:
    collection = Faults(random.Random(1))
    for fault in added:
        collection.add(fault)
    return collection


def hits(collection: Faults, number: int, route: str = "users") -> list[bool]:
    return [collection.pick("tenant", route) is not None for _ in range(number)]


class TestPick:
    def test_after_and_times_bound_the_hits(self) -> None:
        assert hits(faults(Fault(kind="throttle", after=1, times=2)), 5) == [False, True, True, False, False]

    def test_the_first_fault_that_hits_wins(self) -> None:
        collection = faults(Fault(kind="throttle", times=1), Fault(kind="conflict"))
        kinds = [fault.kind for _ in range(2) if (fault := collection.pick("tenant", "users"))]
        assert kinds == ["throttle", "conflict"]

    def test_probability_is_kept_in_the_long_run(self) -> None:
        assert sum(hits(faults(Fault(kind="throttle", probability=0.2)), 5_000)) == pytest.approx(1_000, rel=0.1)

    @pytest.mark.parametrize(
        ("fault", "route", "expected"),
        [
            (Fault(kind="throttle"), "token", False),
            (Fault(kind="throttle", route="token"), "token", True),
            (Fault(kind="token_error", code="90055"), "token", True),
            (Fault(kind="token_error", code="90055", tenant="another"), "token", False),
            (Fault(kind="throttle", user="ann"), "users", False),
        ],
    )
    def test_graph_and_tokens_are_kept_apart(self, fault: Fault, route: str, expected: bool) -> None:
        assert hits(faults(fault), 1, route) == [expected]

    def test_a_fault_made_for_tokens_never_hits_graph(self) -> None:
        assert hits(faults(Fault(kind="token_error", code="90055")), 1) == [False]
