"""What moving agreements would come to, and the ledger that follows them."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from provisioning.domain.agreement_move import Inventory, SchoolPeople
from provisioning.domain.ids import OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.observation import HeldLicence, Person, Subscription
from provisioning.domain.order import LedgerCause, LedgerEntry
from provisioning.domain.tenancy import AssignmentMode
from provisioning.domain.ticket_wishes import RemapAgreement
from provisioning.planning.agreement_inventory import (
    AtSchool,
    Sides,
    are_too_few,
    counts_of,
    digest_of,
    entitled,
    moving_seats,
    notes_on,
    take_inventory,
)
from provisioning.planning.agreement_transfer import relocate
from tests.factories.trade import TODAY, YEAR_END, entry
from tests.unit.planning.scene import person

X, Y, Z = TenantId("x"), TenantId("y"), TenantId("z")
A3, A1 = SkuId("a3"), SkuId("a1")
NORTH, SOUTH, EAST = OrganisationId("n"), OrganisationId("s"), OrganisationId("e")
WISH = RemapAgreement(public_customer_number="P", licence_ids=("L1",), from_tenant="x", to_tenant="y")


def at(school: OrganisationId, *people: Person) -> tuple[AtSchool, ...]:
    return tuple((one, school) for one in people)


def subscription(total: int, sku: SkuId = A3, status: str = "Enabled") -> Subscription:
    return Subscription(subscription_id=f"{sku}{total}", sku_id=sku, status=status, total=total)


def sides(**fields: Any) -> Sides:
    empty: dict[str, Any] = {"source": (), "target": (), "bought_in_source": {}, "bought_in_target": {}}
    return Sides(**empty | fields)


def held(seats: int, tenant: TenantId = X, **fields: Any) -> LedgerEntry:
    return entry(delta=seats, tenant_id=tenant, sku_id=A3, **fields)


class TestMovingSeats:
    def test_what_is_on_record_in_the_source(self) -> None:
        found = moving_seats([held(40), held(5), held(7, Y)], X, Y, sides(), TODAY)
        assert found == {A3: 45}

    def test_what_has_ended_or_was_taken_back_does_not_move(self) -> None:
        ended = held(40, effective_on=date(2025, 1, 1), ends_on=TODAY - timedelta(days=1))
        assert moving_seats([ended, held(5), held(-5)], X, Y, sides(), TODAY) == {}

    @pytest.mark.parametrize(
        ("shown_in_source", "bought_there", "shown_in_target", "expected"),
        [
            (25, 0, 0, {A3: 25}),
            (35, 10, 0, {A3: 25}),
            (25, 10, 0, {A3: 15}),
            (25, 25, 0, {}),
            (25, 0, 25, {}),
            (25, 0, 20, {A3: 5}),
            (90, 0, 0, {A3: 25}),
        ],
    )
    def test_s32_ordered_for_the_target_and_activated_in_the_source(
        self, shown_in_source: int, bought_there: int, shown_in_target: int, expected: dict[SkuId, int]
    ) -> None:
        seen = sides(
            source=(subscription(shown_in_source),),
            target=(subscription(shown_in_target),),
            bought_in_source={A3: bought_there},
            bought_in_target={A3: 25},
        )
        assert moving_seats([held(25, Y)], X, Y, seen, TODAY) == expected

    def test_entitled_counts_one_tenant(self) -> None:
        assert entitled([held(40), held(7, Y)], Y, TODAY) == {A3: 7}


class TestTakeInventory:
    def test_seats_people_and_what_is_not_ours(self) -> None:
        seen = sides(
            source=(subscription(60), subscription(200, A1), subscription(9, status="Warning")),
            bought_in_source={A3: 50},
            people_in_source=at(NORTH, person("a", HeldLicence(A3)), person("b", HeldLicence(A1)), person("c")),
            people_in_target=at(NORTH, person("d"), person("e", usage_location=None), person("f", is_enabled=False)),
        )
        found = take_inventory({A3: 40}, seen, None)
        assert found == Inventory(
            moving={A3: 40},
            along={A1: 200, A3: 10},
            staying={A3: 10},
            losing=1,
            present=3,
            ready=1,
            schools=(SchoolPeople(organisation_id=NORTH, losing=1, present=3, ready=1, holding={A3: 1}),),
        )

    def test_each_school_has_its_own_people_and_only_those_that_have_a_part_in_it(self) -> None:
        both = person("b", HeldLicence(A3), HeldLicence(A1))
        seen = sides(
            people_in_source=(*at(SOUTH, person("a", HeldLicence(A3)), both), *at(EAST, person("c"))),
            people_in_target=at(NORTH, person("d")),
        )
        assert take_inventory({A3: 2, A1: 1}, seen, None).schools == (
            SchoolPeople(organisation_id=NORTH, present=1, ready=1),
            SchoolPeople(organisation_id=SOUTH, losing=2, holding={A3: 2, A1: 1}),
        )

    @given(
        some.lists(some.tuples(some.sampled_from("nse"), some.sampled_from([(), (A3,), (A1,), (A3, A1)]))),
        some.lists(some.tuples(some.sampled_from("nse"), some.booleans())),
    )
    def test_what_is_told_in_all_is_what_the_schools_add_up_to(
        self, here: list[tuple[str, tuple[SkuId, ...]]], there: list[tuple[str, bool]]
    ) -> None:
        source = tuple(
            (person(f"s{n}", *map(HeldLicence, skus)), OrganisationId(school)) for n, (school, skus) in enumerate(here)
        )
        target = tuple(
            (person(f"t{n}", is_enabled=able), OrganisationId(school)) for n, (school, able) in enumerate(there)
        )
        found = take_inventory({A3: 40}, sides(people_in_source=source, people_in_target=target), "NL")
        told = [(one.losing, one.present, one.ready) for one in found.schools]
        assert tuple(map(sum, zip((0, 0, 0), *told, strict=True))) == (found.losing, found.present, found.ready)
        assert found.losing == sum(A3 in skus for _, skus in here)
        assert found.ready == sum(able for _, able in there)

    def test_a_policy_that_names_a_usage_location_makes_ready(self) -> None:
        seen = sides(people_in_target=at(NORTH, person("e", usage_location=None)))
        assert take_inventory({A3: 1}, seen, "NL").ready == 1

    def test_each_product_is_for_those_whom_its_audience_chooses_and_who_are_ready(self) -> None:
        seen = sides(
            people_in_target=at(NORTH, person("d"), person("e"), person("f", is_enabled=False)),
            chosen={A3: frozenset(map(SubjectId, "df")), A1: frozenset(map(SubjectId, "e"))},
        )
        [school] = take_inventory({A3: 2, A1: 1}, seen, None).schools
        assert school.serving == {A3: 1, A1: 1}

    def test_s32_what_moves_is_not_along(self) -> None:
        assert take_inventory({A3: 25}, sides(source=(subscription(25),)), None).along == {}


class TestTold:
    @pytest.mark.parametrize(
        ("losing", "ready", "is_short"), [(30, 30, False), (30, 29, True), (0, 0, True), (0, 1, False)]
    )
    def test_too_few_people(self, losing: int, ready: int, is_short: bool) -> None:
        notes = notes_on(Inventory(losing=losing, ready=ready), AssignmentMode.DIRECT, 0)
        assert ("too_few_people_there" in notes) is is_short
        assert notes[:2] == ("people_lose_at_once", "no_data_moves")

    def test_who_stays_behind_on_purpose_is_not_too_few(self) -> None:
        assert "too_few_people_there" not in notes_on(Inventory(losing=30, ready=10), AssignmentMode.DIRECT, 20)

    def test_who_assigns_and_what_goes_along(self) -> None:
        notes = notes_on(Inventory(losing=1, ready=1, along={A1: 1}), AssignmentMode.NONE, 0)
        assert notes[2:] == ("others_move_along", "school_assigns_there")

    def test_counts_are_plain(self) -> None:
        counts = counts_of(Inventory(moving={A3: 40, A1: 2}, losing=30, present=31, ready=29))
        assert counts == {"seats": "42", "people_who_lose": "30", "people_there": "31", "people_ready": "29"}

    def test_the_digest_changes_with_all_that_is_approved(self) -> None:
        who = (OrganisationId("s"),)
        base = digest_of(WISH, X, Y, Inventory(moving={A3: 40}), who)
        assert base == digest_of(WISH, X, Y, Inventory(moving={A3: 40}), who)
        others = [
            digest_of(WISH, X, Z, Inventory(moving={A3: 40}), who),
            digest_of(WISH, X, Y, Inventory(moving={A3: 41}), who),
            digest_of(WISH, X, Y, Inventory(moving={A3: 40}, schools=(SchoolPeople(organisation_id=NORTH),)), who),
            digest_of(WISH, X, Y, Inventory(moving={A3: 40}), ()),
        ]
        assert base not in others


_ENTRIES = some.lists(
    some.builds(
        held,
        some.integers(-50, 50),
        some.sampled_from([X, Y, Z]),
        holder_id=some.sampled_from([OrganisationId("s"), OrganisationId("t")]),
        effective_on=some.dates(date(2026, 1, 1), date(2027, 1, 1)),
        ends_on=some.one_of(some.none(), some.dates(date(2026, 1, 1), date(2028, 1, 1))),
    ),
    max_size=12,
)


class TestRelocate:
    def test_to_the_seat_and_to_the_day(self) -> None:
        entries = relocate([held(40), held(5, Y)], X, Y, {A3}, TODAY, "ticket desk/1")
        assert [(one.tenant_id, one.delta) for one in entries] == [(X, -40), (Y, 40)]
        assert {(one.effective_on, one.ends_on) for one in entries} == {(TODAY, YEAR_END)}
        assert {(one.cause, one.cause_ref) for one in entries} == {(LedgerCause.REMAP, "ticket desk/1")}

    def test_what_begins_later_moves_on_its_own_day(self) -> None:
        later = TODAY + timedelta(days=40)
        entries = relocate([held(10, effective_on=later)], X, Y, {A3}, TODAY, "c")
        assert {one.effective_on for one in entries} == {later}

    def test_other_products_stay(self) -> None:
        assert relocate([held(40)], X, Y, {A1}, TODAY, "c") == []

    def test_again_there_is_nothing_left(self) -> None:
        before = [held(40), held(-3)]
        moved = relocate(before, X, Y, {A3}, TODAY, "c")
        assert relocate([*before, *moved], X, Y, {A3}, TODAY, "c") == []

    @given(_ENTRIES, some.dates(date(2026, 1, 1), date(2028, 1, 1)))
    def test_no_holder_gains_or_loses_a_seat_on_any_day(self, before: list[LedgerEntry], day: date) -> None:
        after = [*before, *relocate(before, X, Y, {A3}, TODAY, "c")]
        assert _by_holder(after, day) == _by_holder(before, day)
        if day >= TODAY:
            assert _in(after, X, day) == 0


def _by_holder(entries: list[LedgerEntry], day: date) -> Counter[OrganisationId]:
    totals: Counter[OrganisationId] = Counter()
    for one in entries:
        if one.effective_on <= day and (one.ends_on is None or day <= one.ends_on):
            totals[one.holder_id] += one.delta
    return Counter({holder: seats for holder, seats in totals.items() if seats})


def _in(entries: list[LedgerEntry], tenant: TenantId, day: date) -> int:
    return sum(
        one.delta
        for one in entries
        if one.tenant_id == tenant and one.effective_on <= day and (one.ends_on is None or day <= one.ends_on)
    )


class TestAreTooFew:
    @pytest.mark.parametrize(
        ("losing", "ready", "behind", "expected"),
        [
            pytest.param(30, 30, 0, False, id="all are ready"),
            pytest.param(30, 29, 0, True, id="one is not"),
            pytest.param(30, 29, 1, False, id="one stays behind"),
            pytest.param(0, 0, 0, True, id="nobody is ready"),
            pytest.param(30, 0, 30, True, id="somebody must be there"),
        ],
    )
    def test_who_loses_it_must_be_ready_to_get_it_back(
        self, losing: int, ready: int, behind: int, expected: bool
    ) -> None:
        assert are_too_few(Inventory(losing=losing, present=ready, ready=ready), behind, is_withheld=False) is expected

    @pytest.mark.parametrize("fields", [{"is_there_already": True}, {}])
    def test_people_of_another_customer_or_who_lost_it_already_are_not_waited_for(
        self, fields: dict[str, bool]
    ) -> None:
        inventory = Inventory(losing=30, present=1, ready=1, **fields)
        assert not are_too_few(inventory, 0, is_withheld=not fields)
