"""What a person gets from a group: all of it or nothing, and the name of what stood in the way."""

import msgspec
import pytest

from provisioning.sandbox.catalogue import Dependency, PlanRules, ServicePlan, Sku
from provisioning.sandbox.inheritance import Heir, Inheritance, inherit
from provisioning.sandbox.licensing import Offer
from provisioning.sandbox.model import Assignment, Group, GroupLicence, User
from provisioning.sandbox.switches import Switches

BEFORE, NOW = "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"
SKUS = {
    sku: Sku(sku, sku.upper(), tuple(ServicePlan(plan, plan) for plan in plans))
    for sku, plans in {
        "base": ("mail", "files"),
        "rich": ("mail2",),
        "phone": ("phone",),
        "files": ("files",),
    }.items()
}
RULES = PlanRules([("mail", "mail2")], [Dependency("phone", ("mail", "mail2"))])
Held = set[tuple[str, str | None, str, str]]


def gives(*skus: str) -> Group:
    return Group(id="g", displayName="g", assignedLicenses=tuple(GroupLicence(sku) for sku in skus))


def from_group(sku: str, state: str = "Active", error: str = "None") -> Assignment:
    return Assignment(sku, BEFORE, (), "g", state, error)


def person(*assignments: Assignment, location: str | None = "NL") -> User:
    return User(id="u", userPrincipalName="u@school.example", usageLocation=location, assignments=assignments)


def seen_to(
    user: User, group: Group | None, free: dict[str, int] | None = None, switches: Switches | None = None
) -> Inheritance:
    offer = Offer(frozenset(SKUS), SKUS, lambda sku: (free or {}).get(sku, 10), RULES)
    return inherit(Heir(user, "g", group, "NL"), offer, switches or Switches(), NOW)


def told(found: Inheritance) -> Held:
    return {(one.skuId, one.assignedByGroup, one.state, one.error) for one in found.assignments}


class TestGiving:
    def test_adds_to_what_is_there(self) -> None:
        found = seen_to(person(Assignment("base", BEFORE)), gives("phone"))
        assert found.violation is None
        assert told(found) == {("base", None, "Active", "None"), ("phone", "g", "Active", "None")}

    def test_what_is_there_in_good_order_keeps_its_date(self) -> None:
        user = person(from_group("base"))
        assert seen_to(user, gives("base")).assignments == user.assignments

    def test_other_plans_are_a_new_assignment(self) -> None:
        group = Group(id="g", displayName="g", assignedLicenses=(GroupLicence("base", ("files",)),))
        (found,) = seen_to(person(from_group("base")), group).assignments
        assert (found.disabledPlans, found.lastUpdatedDateTime) == (("files",), NOW)

    def test_a_swap_is_one_step(self) -> None:
        assert told(seen_to(person(from_group("base")), gives("rich"))) == {("rich", "g", "Active", "None")}

    def test_without_a_location_the_directorys_counts(self) -> None:
        assert seen_to(person(location=None), gives("base")).violation is None

    def test_a_seat_held_directly_is_enough(self) -> None:
        assert seen_to(person(Assignment("base", BEFORE)), gives("base"), {"base": 0}).violation is None

    def test_a_failure_that_passes_is_forgotten(self) -> None:
        failed = person(from_group("base", "Error", "CountViolation"))
        assert told(seen_to(failed, gives("base"))) == {("base", "g", "Active", "None")}


class TestFailing:
    def test_no_seat_names_the_sku_and_the_others_fail_with_it(self) -> None:
        found = seen_to(person(), gives("base", "phone"), {"base": 0})
        assert told(found) == {("base", "g", "Error", "CountViolation"), ("phone", "g", "Error", "Other")}
        assert found.violation
        assert "SKU base" in found.violation.message

    def test_exclusive_plans(self) -> None:
        found = seen_to(person(Assignment("rich", BEFORE)), gives("base", "phone"))
        assert told(found) == {
            ("rich", None, "Active", "None"),
            ("base", "g", "Error", "MutuallyExclusiveViolation"),
            ("phone", "g", "Error", "Other"),
        }

    def test_an_old_quarrel_of_their_own_licences_is_not_the_groups(self) -> None:
        quarrel = person(Assignment("base", BEFORE), Assignment("rich", BEFORE))
        assert seen_to(quarrel, gives("phone")).violation is None

    def test_an_old_quarrel_counts_for_who_takes_part_in_it(self) -> None:
        quarrel = person(Assignment("base", BEFORE), Assignment("rich", BEFORE))
        found = seen_to(quarrel, gives("base"))
        assert ("base", "g", "Error", "MutuallyExclusiveViolation") in told(found)

    def test_a_need_unmet_before_hinders_no_other_licence(self) -> None:
        assert seen_to(person(Assignment("phone", BEFORE)), gives("files")).violation is None

    def test_a_swap_may_not_take_what_another_licence_needs(self) -> None:
        found = seen_to(person(from_group("base"), Assignment("phone", BEFORE)), gives("files"))
        assert ("files", "g", "Error", "Other") in told(found)
        assert ("base", "g", "ActiveWithError", "DependencyViolation") in told(found)

    @pytest.mark.parametrize(
        ("switches", "error"),
        [
            (Switches(unsupported_locations=("NL",)), "ProhibitedInUsageLocationViolation"),
            (Switches(proxy_address_clashes=("u",)), "UniquenessViolation"),
        ],
    )
    def test_what_is_about_the_person_is_about_all_skus(self, switches: Switches, error: str) -> None:
        found = seen_to(person(), gives("base", "phone"), switches=switches)
        assert told(found) == {("base", "g", "Error", error), ("phone", "g", "Error", error)}

    def test_a_swap_without_seats_leaves_the_old(self) -> None:
        found = seen_to(person(from_group("base")), gives("rich"), {"rich": 0})
        assert told(found) == {("base", "g", "ActiveWithError", "Other"), ("rich", "g", "Error", "CountViolation")}

    def test_failing_again_keeps_the_date(self) -> None:
        failed = person(from_group("base", "Error", "CountViolation"))
        assert seen_to(failed, gives("base"), {"base": 0}).assignments == failed.assignments


class TestTaking:
    def test_who_is_no_member_loses_it(self) -> None:
        assert seen_to(person(from_group("base"), Assignment("rich", BEFORE)), None).assignments == (
            Assignment("rich", BEFORE),
        )

    def test_what_another_licence_needs_stays_in_error(self) -> None:
        found = seen_to(person(from_group("base"), Assignment("phone", BEFORE)), None)
        assert told(found) == {
            ("phone", None, "Active", "None"),
            ("base", "g", "ActiveWithError", "DependencyViolation"),
        }
        assert found.violation
        assert found.violation.plans == ("phone",)

    def test_a_need_unmet_before_holds_nothing_back(self) -> None:
        lonely = person(from_group("base", "Error", "CountViolation"), Assignment("phone", BEFORE))
        assert told(seen_to(lonely, None)) == {("phone", None, "Active", "None")}

    def test_a_failure_leaves_nothing_behind(self) -> None:
        assert seen_to(person(from_group("base", "Error", "Other")), None).assignments == ()

    def test_of_another_group_nothing_is_touched(self) -> None:
        other = msgspec.structs.replace(from_group("base"), assignedByGroup="h")
        assert seen_to(person(other, from_group("base")), None).assignments == (other,)
