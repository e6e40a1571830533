"""Gaps by hand-made histories: every instant counts, also those at which only a subscription moved."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.sandbox.catalogue import ServicePlan, Sku
from provisioning.sandbox.continuity import Gap, Supply, Witness
from provisioning.sandbox.ledger import Author, Ledger
from provisioning.sandbox.model import Assignment, User
from provisioning.sandbox.subscriptions import SERVING, Change, Subscription

SKUS = {
    "k": Sku("k", "K", (ServicePlan("mail", "MAIL"), ServicePlan("files", "FILES"))),
    "n": Sku("n", "N", (ServicePlan("new mail", "NEW_MAIL"),)),
}
MAIL, FILES = ("mail", "new mail"), ("files",)
ME = Author("app")


def holding(*skus: str, **more: str) -> User:
    held = tuple(Assignment(sku, "2025-09-01T08:00:00Z", **more) for sku in skus)  # type: ignore[arg-type]
    return User(id="u", userPrincipalName="u@x", assignments=held)


WITHOUT, WITH, RENEWED = holding(), holding("k"), holding("n")


def ledger(*moves: tuple[float, User | None, User | None]) -> Ledger:
    written = Ledger()
    for time, before, after in moves:
        written.record(time, "t", ME, before, after)
    return written


def subscription(sku: str = "k", *changes: tuple[float, str], appears_at: float = 0.0) -> Subscription:
    held = Subscription(
        id=f"{sku} {appears_at}",
        commerceSubscriptionId="c",
        skuId=sku,
        totalLicenses=1,
        createdDateTime="2025-01-01T00:00:00Z",
        appears_at=appears_at,
    )
    for at, status in changes:
        held.schedule(Change(at=at, status=status))
    held.advance(1_000)
    return held


def gaps(
    written: Ledger,
    current: User | None,
    *held: Subscription,
    span: tuple[float, float] = (0, 100),
    families: tuple[tuple[str, ...], ...] = (MAIL,),
    serving: frozenset[str] = SERVING,
) -> list[tuple[float, float | None]]:
    found = Witness(written, "t", SKUS, Supply(held, serving), span).gaps("u", current, families)
    return [(gap.since, gap.until) for gap in found]


class TestWrites:
    def test_none_while_the_service_stays(self) -> None:
        assert gaps(ledger((10, WITH, WITH)), WITH) == []

    def test_from_removal_to_return(self) -> None:
        assert gaps(ledger((10, WITH, WITHOUT), (30, WITHOUT, WITH)), WITH) == [(10, 30)]

    def test_names_the_person_and_the_family(self) -> None:
        found = Witness(ledger((10, WITH, WITHOUT)), "t", SKUS, Supply((), SERVING), (0, 100))
        assert list(found.gaps("u", WITHOUT, [MAIL])) == [Gap("u", MAIL, 10, None)]

    def test_an_instant_is_enough(self) -> None:
        assert gaps(ledger((10, WITH, WITHOUT), (10, WITHOUT, WITH)), WITH) == [(10, 10)]

    def test_another_plan_of_the_family_is_the_same_service(self) -> None:
        assert gaps(ledger((10, WITH, RENEWED)), RENEWED) == []
        assert gaps(ledger((10, WITH, RENEWED)), RENEWED, families=(FILES,)) == [(10, None)]

    def test_a_deleted_person_has_no_service(self) -> None:
        assert gaps(ledger((10, WITH, None)), None) == [(10, None)]

    @pytest.mark.parametrize(
        ("state", "expected"),
        [("Active", []), ("ActiveWithError", []), ("Error", [(0, None)]), ("Disabled", [(0, None)])],
    )
    def test_only_a_licence_that_holds_counts(self, state: str, expected: list[tuple[float, None]]) -> None:
        assert gaps(Ledger(), holding("k", state=state)) == expected

    def test_only_inside_the_span(self) -> None:
        written = ledger((10, WITH, WITHOUT), (30, WITHOUT, WITH))
        assert gaps(written, WITH, span=(30, 100)) == []
        assert gaps(written, WITH, span=(15, 20)) == [(15, None)]


class TestSupply:
    def test_a_suspended_subscription_serves_nobody(self) -> None:
        assert gaps(Ledger(), WITH, subscription("k", (20, "Warning"), (40, "Suspended"))) == [(40, None)]

    def test_grace_serves_unless_the_switch_says_no(self) -> None:
        held = subscription("k", (20, "Warning"), (40, "Suspended"))
        assert gaps(Ledger(), WITH, held, serving=SERVING - {"Warning"}) == [(20, None)]

    def test_reactivation_ends_the_gap(self) -> None:
        held = subscription("k", (20, "Suspended"), (50, "Enabled"))
        assert gaps(Ledger(), WITH, held) == [(20, 50)]

    @pytest.mark.parametrize("status", ["LockedOut", "Deleted"])
    def test_neither_does_one_that_is_cancelled_or_gone(self, status: str) -> None:
        assert gaps(Ledger(), WITH, subscription("k", (20, status))) == [(20, None)]

    def test_one_of_two_is_enough(self) -> None:
        old, new = subscription("k", (20, "Suspended")), subscription("k", appears_at=20)
        assert gaps(Ledger(), WITH, old, new) == []
        assert gaps(Ledger(), WITH, old, subscription("k", appears_at=25)) == [(20, 25)]

    def test_a_swap_in_time_is_no_gap_and_one_too_late_is(self) -> None:
        old, new = subscription("k", (20, "Suspended")), subscription("n")
        assert gaps(ledger((10, WITH, RENEWED)), RENEWED, old, new) == []
        assert gaps(ledger((30, WITH, RENEWED)), RENEWED, old, new) == [(20, 30)]

    def test_a_subscription_that_moves_between_two_writes_is_seen(self) -> None:
        held = subscription("k", (20, "Suspended"), (25, "Enabled"))
        assert gaps(ledger((10, WITH, WITH), (30, WITH, WITH)), WITH, held) == [(20, 25)]

    def test_a_sku_without_subscriptions_is_not_judged(self) -> None:
        assert gaps(Ledger(), WITH, subscription("n", (0, "Suspended"))) == []


STATES = st.sampled_from([WITHOUT, WITH, RENEWED, holding("k", "n"), None])
MOMENTS = st.integers(1, 99).map(float)


class TestAgainstLooking:
    @given(
        first=STATES,
        writes=st.lists(st.tuples(MOMENTS, STATES), max_size=6),
        lives=st.lists(st.tuples(MOMENTS, st.sampled_from(["Enabled", "Warning", "Suspended", "Deleted"])), max_size=5),
        late=st.sampled_from([0.0, 30.0]),
    )
    def test_a_gap_is_exactly_where_an_observer_finds_no_service(
        self,
        first: User | None,
        writes: list[tuple[float, User | None]],
        lives: list[tuple[float, str]],
        late: float,
    ) -> None:
        moves, state = [], first
        for at, after in sorted(writes, key=lambda write: write[0]):
            moves.append((at, state, after))
            state = after
        held = subscription("k", *lives, appears_at=late)
        found = gaps(ledger(*(move for move in moves if move[1] or move[2])), state, held)

        def is_without(moment: float) -> bool:
            then = next((after for at, _, after in reversed(moves) if at <= moment), first)
            skus = {one.skuId for one in then.assignments} if then else set()
            return "n" not in skus and not ("k" in skus and held.status_at(moment) in SERVING)

        for moment in (number + 0.5 for number in range(100)):
            inside = any(since <= moment and (until is None or moment < until) for since, until in found)
            assert inside == is_without(moment), moment
