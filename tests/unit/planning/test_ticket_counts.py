"""Counts of requests without plans: an agreement that moves, and licences that come to be held by another."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config.limits import default_limits
from provisioning.domain.agreement_move import AgreementMove, Inventory, Look, SchoolPeople
from provisioning.domain.ids import OrganisationId, ServicePlanId, SkuId, TenantId
from provisioning.domain.order import LedgerEntry
from provisioning.domain.tenancy import AssignmentMode, Policy, SkuPolicy
from provisioning.planning.holder_transfer import transfer
from provisioning.planning.quota import Sizes
from provisioning.planning.ticket_counts import (
    AgreementCounts,
    Course,
    HolderCount,
    SchoolMove,
    SeatsMove,
    count_agreement,
    count_holders,
)
from tests.factories.trade import BOARD, MAPPINGS, NOW, SCHOOL, SISTER, STAFF, TODAY, YEAR_END, entry, sku_of

X, Y = TenantId("x"), TenantId("y")
A3 = sku_of(STAFF)
A1 = SkuId("94763226-9b3c-4e75-a931-5c89701abe66")
NAMES = {SCHOOL: "De Linde", SISTER: "De Eik", BOARD: "Stichting Noord"}
NONE, DIRECT, GROUP = AssignmentMode.NONE, AssignmentMode.DIRECT, AssignmentMode.GROUP
SIZES = Sizes.of(default_limits())


def people(school: str, losing: int, ready: int, **fields: Any) -> SchoolPeople:
    counts = {"present": ready, "holding": {A3: losing}, "serving": {A3: ready}} | fields
    return SchoolPeople(organisation_id=OrganisationId(school), losing=losing, ready=ready, **counts)


def counted(
    *schools: SchoolPeople,
    modes: tuple[AssignmentMode, AssignmentMode] = (DIRECT, DIRECT),
    names: dict[OrganisationId, str] = NAMES,
    off: frozenset[ServicePlanId] = frozenset(),
    staying_behind: int = 0,
    **fields: Any,
) -> AgreementCounts:
    sums = {name: sum(getattr(one, name) for one in schools) for name in ("losing", "present", "ready")}
    inventory = Inventory(schools=schools, **{"moving": {A3: 40}} | sums | fields)
    look = Look(at=NOW)
    move = AgreementMove(source=X, target=Y, inventory=inventory, before=look, latest=look, next_look_at=NOW)
    there = Policy(tenant_id=Y, valid_from=TODAY, assignment_mode=modes[1], skus={A3: SkuPolicy(disabled_plans=off)})
    course = Course(move=move, here=modes[0], there=there, staying_behind=staying_behind)
    return count_agreement(course, names, MAPPINGS, SIZES)


class TestAgreement:
    def test_schools_come_by_their_names(self) -> None:
        found = counted(people(SCHOOL, 30, 28, present=29), people(SISTER, 5, 5))
        assert found.schools == (
            SchoolMove(organisation_id=SISTER, name="De Eik", losing=5, present=5, ready=5),
            SchoolMove(organisation_id=SCHOOL, name="De Linde", losing=30, present=29, ready=28),
        )

    def test_who_may_not_see_a_school_sees_nothing_of_it(self) -> None:
        found = counted(people(SCHOOL, 30, 28), people(SISTER, 5, 5), names={SISTER: "De Eik"})
        assert [one.organisation_id for one in found.schools] == [SISTER]

    def test_each_product_is_needed_for_whom_it_is_for_in_the_new_tenant(self) -> None:
        found = counted(people(SCHOOL, 30, 31), people(SISTER, 5, 5, serving={A3: 3, A1: 2}), moving={A3: 40, A1: 1})
        by_id = {one.sku_id: one for one in found.seats}
        assert by_id[A3] == SeatsMove(sku_id=A3, product=MAPPINGS.skus[A3].name, needed=34, moving=40)
        assert (by_id[A1].needed, by_id[A1].moving) == (2, 1)

    def test_more_people_than_seats_are_no_more_writes_than_seats(self) -> None:
        assert counted(people(SCHOOL, 30, 50)).writes == 40 + 30

    @pytest.mark.parametrize(("staying", "lacking"), [(0, 20), (15, 5), (20, 0), (25, 0)])
    def test_who_loses_it_and_is_not_ready_lacks_but_for_those_who_stay_behind(
        self, staying: int, lacking: int
    ) -> None:
        found = counted(people(SCHOOL, 30, 10), staying_behind=staying)
        assert (found.lacking, found.staying_behind, found.writes) == (lacking, staying, 40)

    @pytest.mark.parametrize(
        ("modes", "writes"),
        [((DIRECT, DIRECT), 60), ((NONE, DIRECT), 30), ((DIRECT, NONE), 30), ((NONE, NONE), 0), ((GROUP, GROUP), 32)],
    )
    def test_what_we_write_is_what_policies_let_us(
        self, modes: tuple[AssignmentMode, AssignmentMode], writes: int
    ) -> None:
        """Twenty join a group in one call; each leaves by one of their own."""
        found = counted(people(SCHOOL, 30, 30), modes=modes)
        assert (found.writes, found.is_ours) == (writes, modes[1] is not NONE)
        assert bool(found.minutes) is bool(writes)

    def test_minutes_are_those_of_the_slower_tenant(self) -> None:
        many = people(SCHOOL, 6000, 6000)
        both, one = counted(many, moving={A3: 6000}), counted(many, moving={A3: 6000}, modes=(NONE, DIRECT))
        assert both.writes == 2 * one.writes
        assert both.minutes == one.minutes >= 5

    def test_services_are_those_of_what_moves(self) -> None:
        found = counted(people(SCHOOL, 1, 1))
        assert "exchange" in found.services
        assert "platform" not in found.services
        assert found.switched_off == ()

    def test_what_the_new_tenants_policy_has_off_does_not_come_back(self) -> None:
        off = frozenset(plan.plan_id for plan in MAPPINGS.skus[A3].plans if plan.family == "exchange")
        found = counted(people(SCHOOL, 1, 1), off=off)
        assert "exchange" not in found.services
        assert found.switched_off == ("exchange",)

    def test_a_product_that_nobody_described_goes_by_its_id(self) -> None:
        found = counted(people(SCHOOL, 0, 1), moving={SkuId("unheard-of"): 3})
        assert ([one.product for one in found.seats], found.services) == (["unheard-of"], ())


def held(holder: OrganisationId, seats: int, **fields: Any) -> LedgerEntry:
    return entry(holder_id=holder, delta=seats, sku_id=A3, **fields)


class TestHolders:
    def test_each_holder_before_and_after(self) -> None:
        entries = [held(SCHOOL, 40), held(BOARD, 5)]
        goes = transfer(entries[:1], BOARD, TODAY, "ticket 1")
        plain = {"product": MAPPINGS.skus[A3].name}
        assert count_holders(entries, goes, TODAY, NAMES, MAPPINGS) == [
            HolderCount(organisation_id=SCHOOL, name="De Linde", before=40, after=0, **plain),
            HolderCount(organisation_id=BOARD, name="Stichting Noord", before=5, after=45, **plain),
        ]

    def test_what_does_not_change_is_not_told(self) -> None:
        entries = [held(SCHOOL, 40), entry(holder_id=SCHOOL, delta=7, sku_id=A1)]
        goes = transfer(entries, BOARD, TODAY, "ticket 1", A1)
        found = count_holders(entries, goes, TODAY, NAMES, MAPPINGS)
        assert [(one.organisation_id, one.before, one.after) for one in found] == [(SCHOOL, 7, 0), (BOARD, 0, 7)]

    def test_who_may_not_see_a_holder_sees_nothing_of_it(self) -> None:
        goes = transfer([held(SCHOOL, 40)], BOARD, TODAY, "ticket 1")
        found = count_holders([held(SCHOOL, 40)], goes, TODAY, {BOARD: "Stichting Noord"}, MAPPINGS)
        assert [one.organisation_id for one in found] == [BOARD]

    def test_what_begins_or_ended_on_another_day_does_not_count(self) -> None:
        later = held(SCHOOL, 40, effective_on=YEAR_END + timedelta(days=1), ends_on=None)
        goes = transfer([later], BOARD, TODAY, "ticket 1")
        assert count_holders([later], goes, TODAY, NAMES, MAPPINGS) == []

    def test_an_article_without_a_product_goes_by_its_code(self) -> None:
        entries = [entry(delta=3, sku_id=None)]
        goes = transfer(entries, BOARD, TODAY, "ticket 1")
        assert {one.product for one in count_holders(entries, goes, TODAY, NAMES, MAPPINGS)} == {STAFF}

    @given(some.lists(some.tuples(some.sampled_from([SCHOOL, SISTER, BOARD]), some.integers(1, 99)), max_size=8))
    def test_nothing_comes_from_nowhere(self, seats: list[tuple[OrganisationId, int]]) -> None:
        entries = [held(holder, number) for holder, number in seats]
        goes = transfer([one for one in entries if one.holder_id != BOARD], BOARD, TODAY, "ticket 1")
        found = count_holders(entries, goes, TODAY, NAMES, MAPPINGS)
        assert sum(one.before for one in found) == sum(one.after for one in found)
        assert all(one.after == 0 for one in found if one.organisation_id != BOARD)
