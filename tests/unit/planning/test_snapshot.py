from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from provisioning.domain.catalogue import Audience
from provisioning.domain.groups import GroupLicence, LicensingGroup, ObservedGroup
from provisioning.domain.ids import (
    Actor,
    BindingId,
    GroupId,
    OrganisationId,
    Pseudonym,
    ServicePlanId,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.observation import HeldLicence, Membership, Person, SeatCount, Seats, Subscription
from provisioning.domain.tenancy import Binding, Policy
from provisioning.planning.masks import Masks
from provisioning.planning.snapshot import (
    Spoken,
    groups_named,
    roles_in,
    spoken_of,
    to_group,
    to_schools,
    to_subscriptions,
    to_units,
    to_user,
    unlike_counts,
    with_all_roles,
    without_literals,
)

TENANT, A3, PLAN = TenantId("tenant"), SkuId("a3"), ServicePlanId("plan")
GROUP = GroupId("group")
MASKS = Masks(Pseudonym("key"))
ANN, BOB = SubjectId("ann"), SubjectId("bob")
NOBODY_SPEAKS = Spoken()


def binding(selector: str) -> Binding:
    return Binding(
        binding_id=BindingId("b"),
        organisation_id=OrganisationId("school"),
        tenant_id=TENANT,
        valid_from=date(2026, 1, 1),
        selectors={Audience.FACULTY: selector},
        created_by=Actor("person:first"),
    )


def policy(**known: Any) -> Policy:
    return Policy(tenant_id=TENANT, valid_from=date(2026, 1, 1), **known)


def person(**known: Any) -> Person:
    return Person(subject_id=ANN, domain="school.nl", **known)


def seats(*subscriptions: Subscription, **units: int) -> Seats:
    nothing = dict.fromkeys(("enabled", "warning", "suspended", "locked_out", "consumed"), 0)
    count = SeatCount(sku_id=A3, part_number="A3", capability="", plan_ids=frozenset(), **{**nothing, **units})
    at = datetime(2026, 8, 1, tzinfo=UTC)
    return Seats(tenant_id=TENANT, observed_at=at, counts={A3: count}, subscriptions=subscriptions)


def bought(total: int, status: str = "Enabled", **known: Any) -> Subscription:
    return Subscription(subscription_id=f"s{total}", sku_id=A3, status=status, total=total, **known)


class TestSpoken:
    @pytest.mark.parametrize(
        ("selector", "name", "text", "is_kept"),
        [
            pytest.param(
                '{"attribute":"department","equals":"X"}', "department", " x ", True, id="as selectors compare"
            ),
            pytest.param('{"attribute":"department","equals":"X"}', "department", "Juf X", False, id="another value"),
            pytest.param('{"attribute":"department","equals":"X"}', "companyName", "X", False, id="another attribute"),
            pytest.param(
                '{"all":[{"any":[{"attribute":"department","equals":"X"}]}]}', "department", "X", True, id="deep inside"
            ),
            pytest.param('{"everyone":true}', "department", "X", False, id="nobody asks"),
        ],
    )
    def test_what_a_selector_compares_with_is_kept(self, selector: str, name: str, text: str, is_kept: bool) -> None:
        assert spoken_of([binding(selector)], [], []).keeps(name, text) is is_kept

    def test_what_a_seat_priority_names_is_kept_of_every_attribute(self) -> None:
        spoken = spoken_of([], [policy(seat_priority=("Directie",))], [])
        assert spoken.keeps("officeLocation", "directie")
        assert not spoken.keeps("officeLocation", "kamer 3")


class TestAUser:
    def test_keeps_what_planners_ask(self) -> None:
        held = HeldLicence(A3, frozenset({PLAN}), GROUP, "Error", "CountViolation")
        user = to_user(person(is_enabled=False, is_guest=True, usage_location="NL", licences=(held,)), MASKS, Spoken())
        assert (user.account_enabled, user.user_type, user.usage_location) == (False, "Guest", "NL")
        [row] = user.assignments
        assert (row.sku_id, row.disabled_plans, row.assigned_by_group) == (A3, (PLAN,), GROUP)
        assert (row.state, row.error) == ("Error", "CountViolation")

    def test_is_nobody(self) -> None:
        user = to_user(person(attributes={"department": "Juf Ann"}), MASKS, NOBODY_SPEAKS)
        assert user.id == MASKS.of(ANN)
        assert user.user_principal_name == f"p-{MASKS.of(ANN)}@school.nl"
        assert (user.department, user.extensions) == (None, None)

    def test_keeps_attributes_where_the_sandbox_looks_for_them(self) -> None:
        spoken = Spoken(attributes=frozenset({("companyName", "99xa"), ("extensionAttribute3", "vast")}))
        attributes = {"companyName": "99XA", "extensionAttribute3": "Vast", "extensionAttribute4": "Vast"}
        user = to_user(person(attributes=attributes), MASKS, spoken)
        assert (user.company_name, user.extensions) == ("99XA", {"extensionAttribute3": "Vast"})


class TestAGroup:
    def test_is_what_it_is_without_names(self) -> None:
        group = ObservedGroup(
            group_id=GROUP,
            nickname="klas-van-juf-ann",
            is_dynamic=True,
            is_synced=True,
            is_security=False,
            rule='user.mail -eq "ann@school.nl"',
            licences=(GroupLicence(A3, frozenset({PLAN})),),
            members=frozenset({ANN, BOB}),
        )
        row = to_group(group, MASKS, {ANN}, (), NOBODY_SPEAKS)
        assert (row.id, row.display_name, row.mail_nickname) == (GROUP, GROUP, None)
        assert (row.group_types, row.security_enabled, row.on_premises_sync_enabled) == (
            ("DynamicMembership",),
            False,
            True,
        )
        assert row.membership_rule == 'user.mail -eq "…"'
        assert [(held.sku_id, held.disabled_plans) for held in row.licences] == [(A3, (PLAN,))]

    def test_has_only_members_who_are_among_the_people(self) -> None:
        group = ObservedGroup(group_id=GROUP, nickname="", members=frozenset({ANN, BOB}))
        assert to_group(group, MASKS, {ANN}, (), NOBODY_SPEAKS).members == (MASKS.of(ANN),)

    def test_of_our_own_making_is_found_again_by_its_nickname(self) -> None:
        group = ObservedGroup(group_id=GROUP, nickname="licences-a3-41234")
        row = to_group(group, MASKS, (), {"licences-a3-41234"}, NOBODY_SPEAKS)
        assert row.mail_nickname == "licences-a3-41234"

    def test_that_policy_or_register_name_matters_without_licences(self) -> None:
        registered = LicensingGroup(
            tenant_id=TENANT, sku_id=A3, holder_id=OrganisationId("x"), nickname="n", group_id=GroupId("ours")
        )
        asked_for = msgspec.structs.replace(registered, group_id=None)
        found = groups_named({"group:g1", "unit:u1"}, [policy(group_id=GROUP), policy()], [registered, asked_for])
        assert found == {"g1", GROUP, "ours"}


class TestARule:
    @pytest.mark.parametrize(
        ("rule", "shown"),
        [
            ('user.department -eq "Juf Ann"', 'user.department -eq "…"'),
            ("user.mail -contains 'ann'", "user.mail -contains '…'"),
            ('user.department -eq "Staff"', 'user.department -eq "Staff"'),
            ('any "4b590615-0888-425a-a965-b3bf7789848d"', 'any "4b590615-0888-425a-a965-b3bf7789848d"'),
            ("user.accountEnabled -eq true", "user.accountEnabled -eq true"),
        ],
    )
    def test_shows_only_words_that_selectors_know(self, rule: str, shown: str) -> None:
        assert without_literals(rule, {"staff"}) == shown


class TestARoster:
    def test_is_asked_for_everybody(self) -> None:
        asked = with_all_roles({"school:s1:teacher", "group:g"})
        assert asked == {"school:s1:teacher", "school:s1:student", "group:g"}

    def test_says_who_teaches_and_who_learns(self) -> None:
        rows = [
            Membership(key="school:s1:teacher", is_complete=True, members=frozenset({ANN})),
            Membership(key="school:s1:student", is_complete=True, members=frozenset({BOB})),
            Membership(key="unit:u1", is_complete=True, members=frozenset({ANN, BOB})),
        ]
        assert roles_in(rows) == {ANN: "teacher", BOB: "student"}
        [school] = to_schools(rows, MASKS, {ANN, BOB})
        assert (school.id, set(school.members)) == ("s1", {MASKS.of(ANN), MASKS.of(BOB)})
        [unit] = to_units(rows, MASKS, {ANN})
        assert (unit.id, unit.members) == ("u1", (MASKS.of(ANN),))


class TestSubscriptions:
    def test_are_told_as_they_were_bought(self) -> None:
        ends = datetime(2027, 7, 31, tzinfo=UTC)
        shown = seats(bought(10, next_lifecycle_at=ends), bought(2, "Warning"), enabled=10, warning=2)
        first, second = to_subscriptions(shown)
        assert (first.id, first.total, first.next_lifecycle) == ("s10", 10, "2027-07-31T00:00:00Z")
        assert (second.status, second.total) == ("Warning", 2)
        assert unlike_counts(shown) == []

    def test_give_way_to_the_counts_when_they_do_not_add_up(self) -> None:
        shown = seats(bought(10), enabled=12, suspended=3)
        assert [(row.status, row.total) for row in to_subscriptions(shown)] == [("Enabled", 12), ("Suspended", 3)]
        assert unlike_counts(shown) == [A3]

    def test_leave_out_what_is_deleted(self) -> None:
        shown = seats(bought(10), bought(4, "Deleted"), enabled=10)
        assert [row.total for row in to_subscriptions(shown)] == [10]
        assert unlike_counts(shown) == []

    def test_of_a_product_without_seats_still_say_that_it_is_owned(self) -> None:
        assert [(row.status, row.total) for row in to_subscriptions(seats())] == [("Enabled", 0)]
