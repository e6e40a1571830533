"""What became of agreements that Microsoft moves, as a table over what both tenants show."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from config.limits import default_limits
from provisioning.domain.agreement_move import AgreementMove, Inventory, Look
from provisioning.domain.ids import SkuId, TenantId
from provisioning.domain.observation import Subscription
from provisioning.domain.reasons import Reason
from provisioning.planning.agreement_watch import (
    Sighting,
    gone_along,
    has_moved,
    is_arrival,
    is_in_source,
    is_stuck_for_days,
    is_there_already,
    is_untouched,
    looks_like,
    next_vanished_at,
    sighting_of,
    worry,
)

A3, A5, A1 = SkuId("a3"), SkuId("a5"), SkuId("a1")
NOW = datetime(2026, 9, 1, tzinfo=UTC)
X, Y, Z = TenantId("x"), TenantId("y"), TenantId("z")
LIMITS = default_limits()
_S = Sighting


def bought(name: str, total: int, sku: SkuId = A3, status: str = "Enabled") -> Subscription:
    return Subscription(subscription_id=name, sku_id=sku, status=status, total=total)


def look(source: tuple[Subscription, ...] = (), target: tuple[Subscription, ...] = (), **ledger: int) -> Look:
    return Look(at=NOW, source=source, target=target, bought={SkuId(sku): n for sku, n in ledger.items()})


BEFORE = look((bought("x1", 40),), (bought("y1", 10),), a3=10)


class TestSightingOf:
    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            pytest.param(look((bought("x1", 40),), (bought("y1", 10),), a3=10), _S.UNCHANGED, id="nothing yet"),
            pytest.param(look((), (bought("y1", 10), bought("y2", 40)), a3=10), _S.MOVED, id="moved"),
            pytest.param(look((), (bought("y1", 50),), a3=10), _S.MOVED, id="moved into a purchase that was there"),
            pytest.param(look((bought("x1", 40),), (bought("y1", 10), bought("y2", 40)), a3=10), _S.DOUBLED, id="both"),
            pytest.param(look((), (bought("y1", 10),), a3=10), _S.VANISHED, id="in neither"),
            pytest.param(look((), (bought("y1", 10), bought("y2", 39)), a3=10), _S.VANISHED, id="one seat short"),
            pytest.param(
                look((), (bought("y1", 10), bought("y2", 40, status="Warning")), a3=10),
                _S.VANISHED,
                id="grace there",
            ),
            pytest.param(
                look((), (bought("y1", 10), bought("y2", 40, status="Suspended")), a3=10),
                _S.VANISHED,
                id="blocked",
            ),
            pytest.param(
                look((bought("x1", 40, status="Warning"),), (bought("y1", 10),), a3=10), _S.LAPSED, id="in grace here"
            ),
            pytest.param(
                look((bought("x1", 40, status="Warning"),), (bought("y1", 50),), a3=10),
                _S.MOVED,
                id="and moved",
            ),
            pytest.param(look((bought("x1", 15),), (bought("y1", 10),), a3=10), _S.LEAVING, id="some have left"),
            pytest.param(look((bought("x1", 40),), (bought("y1", 15),), a3=10), _S.LEAVING, id="some have come"),
            pytest.param(
                look((bought("x2", 40),), (bought("y1", 10),), a3=10), _S.VANISHED, id="a new purchase here is another"
            ),
            pytest.param(
                look((), (bought("y1", 10), bought("y2", 40)), a3=50), _S.VANISHED, id="an order that arrived there"
            ),
            pytest.param(
                look((), (bought("y1", 10), bought("y2", 80)), a3=50), _S.MOVED, id="an order, and what moved"
            ),
        ],
    )
    def test_one_product(self, now: Look, expected: Sighting) -> None:
        assert sighting_of({A3: 40}, BEFORE, now) is expected

    def test_what_others_have_here_stays(self) -> None:
        before = look((bought("x1", 40), bought("x9", 10)))
        now = look((bought("x9", 10),), (bought("y2", 40),))
        assert sighting_of({A3: 40}, before, now) is _S.MOVED

    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            (look((), (bought("y", 40), bought("z", 5, A5))), _S.MOVED),
            (look((bought("x2", 5, A5),), (bought("y", 40),)), _S.LEAVING),
            (look((), (bought("y", 40),)), _S.VANISHED),
            (look((bought("x1", 40), bought("x2", 5, A5)), (bought("z", 5, A5),)), _S.DOUBLED),
        ],
    )
    def test_of_several_the_worst_counts(self, now: Look, expected: Sighting) -> None:
        before = look((bought("x1", 40), bought("x2", 5, A5)))
        assert sighting_of({A3: 40, A5: 5}, before, now) is expected

    def test_nothing_that_moves(self) -> None:
        assert sighting_of({}, BEFORE, BEFORE) is _S.UNCHANGED

    @given(seats=some.integers(1, 500), own=some.integers(0, 500), arrived=some.integers(0, 1000))
    def test_it_is_moved_only_when_all_seats_left_and_all_arrived(self, seats: int, own: int, arrived: int) -> None:
        before = look((bought("x", seats),), (bought("y", own),) if own else ())
        for left in (0, seats):
            now = look((bought("x", left),) if left else (), (bought("y", own + arrived),) if own + arrived else ())
            is_moved = sighting_of({A3: seats}, before, now) is _S.MOVED
            assert is_moved == (left == 0 and arrived >= seats)


class TestGoneAlong:
    def test_others_that_left_too(self) -> None:
        before = look((bought("x1", 40), bought("x2", 200, A1)))
        assert gone_along({A3: 40}, before, look()) == {A1}

    def test_more_of_the_same(self) -> None:
        before = look((bought("x1", 40), bought("x9", 10)))
        assert gone_along({A3: 40}, before, look()) == {A3}

    def test_what_ran_out_did_not_move(self) -> None:
        before = look((bought("x1", 40), bought("x2", 200, A1)))
        assert gone_along({A3: 40}, before, look((bought("x2", 200, A1, "Warning"),))) == frozenset()

    def test_as_asked(self) -> None:
        assert gone_along({A3: 40}, BEFORE, look()) == frozenset()


class TestVanished:
    @pytest.mark.parametrize("sighting", sorted(set(Sighting) - {Sighting.VANISHED}))
    def test_ends_with_any_other_sighting(self, sighting: Sighting) -> None:
        assert next_vanished_at(sighting, NOW, NOW) is None

    def test_lasts_from_the_first_look(self) -> None:
        later = NOW + timedelta(days=1)
        assert next_vanished_at(Sighting.VANISHED, None, NOW) == NOW
        assert next_vanished_at(Sighting.VANISHED, NOW, later) == NOW


def move(latest: Look, moving: Mapping[SkuId, int] | None = None, **fields: object) -> AgreementMove:
    made = AgreementMove(
        source=X,
        target=Y,
        inventory=Inventory(moving=dict(moving or {A3: 40})),
        before=BEFORE,
        latest=latest,
        next_look_at=NOW,
    )
    return msgspec.structs.replace(made, **fields)


NOWHERE = look((), (bought("y1", 10),), a3=10)
IN_BOTH = look((bought("x1", 40),), (bought("y1", 50),), a3=10)
LEAVING = look((bought("x1", 15),), (bought("y1", 10),), a3=10)
HAS_MOVED = look((), (bought("y1", 50),), a3=10)
_A_SECOND = timedelta(seconds=1)


class TestIsUntouched:
    @pytest.mark.parametrize(("seen", "expected"), [(BEFORE, True), (LEAVING, False), (IN_BOTH, False)])
    def test_as_at_first(self, seen: Look, expected: bool) -> None:
        assert is_untouched(move(seen)) is expected


class TestIsStuckForDays:
    @pytest.mark.parametrize(
        ("seen", "lasting", "expected"),
        [
            (IN_BOTH, LIMITS.seats_escalate, True),
            (LEAVING, LIMITS.seats_escalate, True),
            (IN_BOTH, LIMITS.seats_escalate - _A_SECOND, False),
            (BEFORE, LIMITS.seats_escalate, False),
            (NOWHERE, LIMITS.seats_escalate, True),
            (HAS_MOVED, LIMITS.seats_escalate, False),
        ],
    )
    def test_only_in_both_or_in_neither(self, seen: Look, lasting: timedelta, expected: bool) -> None:
        assert is_stuck_for_days(move(seen), NOW + lasting, LIMITS) is expected


class TestWorry:
    @pytest.mark.parametrize(
        ("nowhere_for", "expected"),
        [
            (timedelta(0), None),
            (LIMITS.seats_notice - timedelta(seconds=1), None),
            (LIMITS.seats_notice, Reason.SEATS_NOWHERE),
            (LIMITS.seats_escalate - timedelta(seconds=1), Reason.SEATS_NOWHERE),
            (LIMITS.seats_escalate, Reason.SEATS_NOWHERE_FOR_DAYS),
        ],
    )
    def test_nowhere(self, nowhere_for: timedelta, expected: Reason | None) -> None:
        assert worry(move(NOWHERE, vanished_at=NOW), NOW + nowhere_for, LIMITS) is expected

    def test_seen_elsewhere(self) -> None:
        assert worry(move(NOWHERE, vanished_at=NOW, seen_in=Z), NOW, LIMITS) is Reason.SEATS_IN_WRONG_TENANT

    def test_lapsed(self) -> None:
        lapsed = look((bought("x1", 40, status="Suspended"),), (bought("y1", 10),), a3=10)
        assert worry(move(lapsed), NOW, LIMITS) is Reason.SEATS_LAPSED

    @pytest.mark.parametrize(
        ("seen", "case", "lasting", "expected"),
        [
            pytest.param(BEFORE, "26", LIMITS.ask_person_after - _A_SECOND, None, id="patience"),
            pytest.param(BEFORE, "26", LIMITS.ask_person_after, Reason.MICROSOFT_IS_SILENT, id="a month"),
            pytest.param(BEFORE, None, LIMITS.ask_person_after, None, id="nobody asked yet"),
            pytest.param(IN_BOTH, "26", LIMITS.seats_notice - _A_SECOND, None, id="in both"),
            pytest.param(IN_BOTH, "26", LIMITS.seats_notice, Reason.SEATS_HALF_MOVED, id="in both for a day"),
            pytest.param(LEAVING, None, LIMITS.seats_notice, Reason.SEATS_HALF_MOVED, id="some gone for a day"),
            pytest.param(HAS_MOVED, "26", LIMITS.ask_person_after, None, id="moved"),
        ],
    )
    def test_as_it_is_too_long(self, seen: Look, case: str | None, lasting: timedelta, expected: Reason | None) -> None:
        later = NOW + timedelta(days=3)
        since = move(seen, case_number=case, seen_since=later)
        assert worry(since, later + lasting, LIMITS) is expected

    def test_without_a_change_since_the_first_look_it_is_as_it_is_since_then(self) -> None:
        assert worry(move(IN_BOTH), NOW + LIMITS.seats_notice, LIMITS) is Reason.SEATS_HALF_MOVED

    def test_what_arrived_once_worries_nobody(self) -> None:
        assert worry(move(NOWHERE, vanished_at=NOW, moved_on=NOW.date()), NOW + timedelta(days=9), LIMITS) is None


class TestMovedBefore:
    @pytest.mark.parametrize(
        ("seen", "expected"),
        [
            (look((), (bought("y", 50),), a3=10), True),
            (look((bought("x9", 5),), (bought("y", 50),), a3=10), True),
            (look((bought("x9", 6),), (bought("y", 50),), a3=10), False),
            (look((), (bought("y", 49),), a3=10), False),
            (look((), (bought("y", 50),), a3=11), False),
            (look(), False),
        ],
    )
    def test_only_the_ledger_can_tell(self, seen: Look, expected: bool) -> None:
        assert is_there_already({A3: 40}, {A3: 5}, seen) is expected
        inventory = Inventory(moving={A3: 40}, staying={A3: 5}, is_there_already=True)
        assert has_moved(move(seen, inventory=inventory)) is expected

    def test_nothing_is_nowhere(self) -> None:
        assert not is_there_already({}, {}, look())

    @pytest.mark.parametrize(("shown", "expected"), [(40, True), (41, True), (39, False)])
    def test_the_source_shows_what_is_to_move(self, shown: int, expected: bool) -> None:
        assert is_in_source({A3: 40}, look((bought("x", shown),))) is expected


class TestElsewhere:
    @pytest.mark.parametrize(("explained", "expected"), [(0, True), (10, True), (11, False), (50, False)])
    def test_only_what_nobody_there_explains(self, explained: int, expected: bool) -> None:
        assert is_arrival([bought("z", 50)], A3, 40, explained) is expected

    def test_seats_in_grace_are_none(self) -> None:
        assert not is_arrival([bought("z", 50, status="Warning")], A3, 40, 0)

    def test_the_same_purchase_has_the_same_number_and_end(self) -> None:
        end = msgspec.structs.replace(bought("x1", 40), next_lifecycle_at=NOW)
        assert looks_like([end], [msgspec.structs.replace(end, subscription_id="z1")])
        assert not looks_like([end], [bought("z1", 40)])
        assert not looks_like([end], [msgspec.structs.replace(end, total=41)])
        assert not looks_like([end], [msgspec.structs.replace(end, status="Warning")])
