"""What a delivery does with each person, and whom it serves when seats are scarce."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import OrganisationId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.permissions import LICENCES
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import SkuPolicy
from provisioning.planning.deliver import plan_deliver
from provisioning.planning.deliver_scene import DeliverScene
from provisioning.planning.losses import after_change
from provisioning.planning.plan import Plan
from provisioning.planning.selection import Selection
from tests.factories.scenes import A1_PUPIL, A3_PUPIL, deliver_scene
from tests.unit.planning.scene import (
    A1,
    A1_PLUS,
    A3,
    A5,
    A5_PUPIL,
    EMS,
    FOREIGN,
    GROUP,
    MAPPINGS,
    SCHOOL,
    held,
    person,
    plan_of,
    policy,
    reasons,
    replaced,
    scene,
    seats,
    states,
    tally,
    wish,
)

YAMMER_A1, YAMMER_A3 = plan_of(A1, "YAMMER_EDU"), plan_of(A3, "YAMMER_EDU")
SHAREPOINT_A1 = plan_of(A1, "SHAREPOINTSTANDARD_EDU")
SHAREPOINT_A3 = plan_of(A3, "SHAREPOINTENTERPRISE_EDU")


def only(plan: Plan) -> tuple[SubjectState, Reason | None, list[tuple[StepKind, Change]]]:
    (subject,) = plan.subjects
    return subject.state, subject.reason, [(step.kind, step.change) for step in plan.steps]


def swap(*off: str, remove: tuple[str, ...] = (A1,)) -> Change:
    return Change(add_sku=A3, disabled_plans=frozenset(off), remove_skus=remove)  # type: ignore[arg-type]


class TestOnePerson:
    @pytest.mark.parametrize(
        ("licences", "kind", "change"),
        [
            pytest.param((), StepKind.ASSIGN, Change(add_sku=A3), id="nothing held"),
            pytest.param((held(FOREIGN),), StepKind.ASSIGN, Change(add_sku=A3), id="others' products are left alone"),
            pytest.param((held(A1),), StepKind.SWAP, swap(), id="an upgrade is one call"),
            pytest.param((held(A1, YAMMER_A1),), StepKind.SWAP, swap(YAMMER_A3), id="what is off stays off by its id"),
            pytest.param(
                (held(A1, SHAREPOINT_A1),),
                StepKind.SWAP,
                swap(SHAREPOINT_A3),
                id="what is off stays off by service",
            ),
            pytest.param(
                (held(A1), held(A1_PLUS)),
                StepKind.SWAP,
                swap(remove=tuple(sorted((A1, A1_PLUS)))),
                id="both old ones go",
            ),
            pytest.param((held(A3, state="Error"),), StepKind.ASSIGN, Change(add_sku=A3), id="a failed one"),
        ],
    )
    def test_who_gets_what(self, licences: tuple[HeldLicence, ...], kind: StepKind, change: Change) -> None:
        plan = plan_deliver(scene(person("anne", *licences)))
        assert only(plan) == (SubjectState.PENDING, None, [(kind, change)])

    def test_a_pupils_product_is_no_larger_one(self) -> None:
        without_rules = replaced(MAPPINGS, plan_rules=())
        plan = plan_deliver(scene(person("anne", held(A5_PUPIL)), mappings=without_rules))
        assert only(plan) == (SubjectState.PENDING, None, [(StepKind.ASSIGN, Change(add_sku=A3))])

    @pytest.mark.parametrize(
        ("licences", "reason"),
        [
            pytest.param((held(A3),), Reason.ALREADY_HELD, id="held directly"),
            pytest.param((held(A3), held(A1)), Reason.ALREADY_HELD, id="held beside the old one, which stays"),
            pytest.param((held(A3, YAMMER_A3),), Reason.ALREADY_HELD, id="held with plans off: left so"),
            pytest.param((held(A3, group=GROUP),), Reason.HELD_VIA_GROUP, id="held through a group"),
            pytest.param((held(A3, group=GROUP), held(A3)), Reason.ALREADY_HELD, id="held both ways"),
            pytest.param((held(A5),), Reason.ALREADY_HELD, id="a larger product held"),
            pytest.param((held(A5, group=GROUP),), Reason.ALREADY_HELD, id="a larger product through a group"),
            pytest.param((held(A5), held(A1)), Reason.ALREADY_HELD, id="a larger product beside the old one"),
        ],
    )
    def test_who_is_already_right(self, licences: tuple[HeldLicence, ...], reason: Reason) -> None:
        assert only(plan_deliver(scene(person("anne", *licences)))) == (SubjectState.ALREADY_RIGHT, reason, [])

    def test_a_larger_product_is_named(self) -> None:
        (subject,) = plan_deliver(scene(person("anne", held(A5)))).subjects
        assert subject.notes == ("M365EDU_A5_FACULTY",)

    @pytest.mark.parametrize(
        ("anne", "reason", "note"),
        [
            pytest.param(person("anne", held(A1, group=GROUP)), Reason.INHERITED_FROM_GROUP, GROUP, id="from a group"),
            pytest.param(
                person("anne", held(A1), held(A1, group=GROUP)),
                Reason.INHERITED_FROM_GROUP, GROUP, id="from a group as well",
            ),
            pytest.param(person("anne", usage_location=None), Reason.USAGE_LOCATION, "", id="no location, no policy"),
        ],
    )  # fmt: skip
    def test_who_is_refused_and_why(self, anne: Person, reason: Reason, note: str) -> None:
        plan = plan_deliver(scene(anne))
        assert only(plan) == (SubjectState.REFUSED, reason, [])
        assert note in " ".join(plan.subjects[0].notes)

    def test_adding_without_removing_would_clash(self) -> None:
        plan = plan_deliver(scene(person("anne", held(A1)), wish=wish(replaces=frozenset())))
        assert only(plan) == (SubjectState.REFUSED, Reason.MUTUALLY_EXCLUSIVE, [])

    def test_with_the_clashing_service_off_it_does_not(self) -> None:
        plan = plan_deliver(scene(person("anne", held(A1, SHAREPOINT_A1)), wish=wish(replaces=frozenset())))
        assert plan.steps[0].change == Change(add_sku=A3, disabled_plans=frozenset({SHAREPOINT_A3}))

    def test_a_disabled_plan_without_a_counterpart_is_noted(self) -> None:
        unheard = plan_of(A5, "INSIDER_RISK")
        plan = plan_deliver(scene(person("anne", held(A1, unheard), held(A1_PLUS, unheard))))
        assert plan.subjects[0].notes == ("INSIDER_RISK",)
        assert plan.losses.not_carried == {"INSIDER_RISK": 1}

    def test_the_before_image_is_how_the_person_looked(self) -> None:
        (subject,) = plan_deliver(scene(person("anne", held(A1), is_enabled=False))).subjects
        assert subject.before.licences == (held(A1),)
        assert (subject.before.usage_location, subject.before.is_enabled) == ("NL", False)


class TestUsageLocation:
    DUTCH = policy(usage_location="NL")

    def test_an_empty_one_is_set_first_when_the_policy_names_one(self) -> None:
        plan = plan_deliver(scene(person("anne", usage_location=None), policy=self.DUTCH))
        assert [(step.kind, step.sequence, step.position) for step in plan.steps] == [
            (StepKind.SET_USAGE_LOCATION, 0, 0),
            (StepKind.ASSIGN, 1, 1),
        ]
        assert plan.steps[0].change == Change(usage_location="NL")

    def test_an_existing_one_is_never_overwritten(self) -> None:
        plan = plan_deliver(scene(person("anne", usage_location="BE"), policy=self.DUTCH))
        assert [step.kind for step in plan.steps] == [StepKind.ASSIGN]

    def test_without_the_permission_the_person_is_refused_and_told_which(self) -> None:
        plan = plan_deliver(scene(person("anne", usage_location=None), policy=self.DUTCH, permissions=LICENCES))
        assert only(plan) == (SubjectState.REFUSED, Reason.USAGE_LOCATION, [])
        assert plan.subjects[0].notes == ("needs permission User.ReadWrite.All",)

    def test_somebody_already_right_needs_none(self) -> None:
        assert states(plan_deliver(scene(person("anne", held(A3), usage_location=None)))) == {"anne": "already_right"}

    def test_two_without_one_hold_nobody_else_up(self) -> None:
        people = [person(f"p{n:03}", usage_location=None if n < 2 else "NL") for n in range(310)]
        assert tally(plan_deliver(scene(*people))) == {"refused": 2, "pending": 308}


class TestPolicies:
    def test_advice_is_for_first_licences(self) -> None:
        advised = policy(advised={Audience.FACULTY: frozenset({"yammer"})})
        plan = plan_deliver(scene(person("first"), person("swapped", held(A1)), policy=advised))
        assert [step.change.disabled_plans for step in plan.steps] == [{YAMMER_A3}, frozenset()]

    def test_what_the_school_switched_off_is_off_in_a_swap_too(self) -> None:
        decided = policy(skus={A3: SkuPolicy(frozenset({YAMMER_A3}))})
        plan = plan_deliver(scene(person("first"), person("swapped", held(A1)), policy=decided))
        assert [step.change.disabled_plans for step in plan.steps] == [{YAMMER_A3}, {YAMMER_A3}]

    @pytest.mark.parametrize("licences", [(), (held(A1),)], ids=["first", "swapped"])
    def test_a_plan_that_only_the_tenant_knows_can_be_switched_off(self, licences: tuple[HeldLicence, ...]) -> None:
        decided = policy(skus={A3: SkuPolicy(frozenset({"brand-new"}))})  # type: ignore[arg-type]
        given_seats = seats(10, 0, A3, "brand-new")
        plan = plan_deliver(scene(person("anne", *licences), policy=decided, seats=given_seats))
        assert plan.steps[0].change.disabled_plans == {"brand-new"}

    def test_a_plan_that_the_tenant_lacks_is_not_sent(self) -> None:
        decided = policy(skus={A3: SkuPolicy(frozenset({YAMMER_A3}))})
        without = replaced(seats(10), plan_ids=MAPPINGS.skus[A3].plan_ids - {YAMMER_A3})
        plan = plan_deliver(scene(person("anne", held(A1, YAMMER_A1)), policy=decided, seats=without))
        assert plan.steps[0].change.disabled_plans == frozenset()

    @pytest.mark.parametrize("licences", [(), (held(A1_PUPIL),)], ids=["first", "swapped"])
    def test_for_pupils_what_nobody_decided_about_is_off(self, licences: tuple[HeldLicence, ...]) -> None:
        known = policy(skus={A3_PUPIL: SkuPolicy(known_plans=MAPPINGS.skus[A3_PUPIL].plan_ids)})
        pupils = wish(A3_PUPIL, audience=Audience.STUDENT, replaces=frozenset({A1_PUPIL}))
        given_seats = seats(10, 0, A3_PUPIL, "brand-new")
        plan = plan_deliver(scene(person("anne", *licences), policy=known, wish=pupils, seats=given_seats))
        assert plan.steps[0].change.disabled_plans == {"brand-new"}

    def test_but_no_service_that_the_pupil_had(self) -> None:
        had = MAPPINGS.skus[A1_PUPIL]
        families = {plan.family for plan in had.plans}
        undecided = [plan for plan in MAPPINGS.skus[A3_PUPIL].plans if plan.family in families]
        known = MAPPINGS.skus[A3_PUPIL].plan_ids - {plan.plan_id for plan in undecided}
        pupils = wish(A3_PUPIL, audience=Audience.STUDENT, replaces=frozenset({A1_PUPIL}))
        rules = policy(skus={A3_PUPIL: SkuPolicy(known_plans=known)})
        plan = plan_deliver(
            scene(person("anne", held(A1_PUPIL)), policy=rules, wish=pupils, seats=seats(10, 0, A3_PUPIL))
        )
        assert undecided
        assert plan.steps[0].change.disabled_plans == frozenset()

    def test_a_plan_that_no_list_names_stays_off_by_its_id(self) -> None:
        plan = plan_deliver(scene(person("anne", held(A1, "brand-new")), seats=seats(10, 0, A3, "brand-new")))  # type: ignore[arg-type]
        assert plan.steps[0].change.disabled_plans == {"brand-new"}

    def test_a_service_off_stays_off_in_a_product_whose_plans_no_list_names(self) -> None:
        unlisted = replaced(MAPPINGS.skus[A3], plans=())
        mappings = replaced(MAPPINGS, skus={**MAPPINGS.skus, A3: unlisted})
        plan = plan_deliver(scene(person("anne", held(A1, SHAREPOINT_A1)), mappings=mappings))
        assert plan.steps[0].change.disabled_plans == {SHAREPOINT_A3}
        assert plan.losses.families == {}

    def test_nobody_holds_something_larger_than_a_product_that_no_list_knows(self) -> None:
        mappings = replaced(MAPPINGS, skus={**MAPPINGS.skus, A3: replaced(MAPPINGS.skus[A3], plans=())}, plan_rules=())
        unseen = replaced(seats(10), plan_ids=frozenset())
        plan = plan_deliver(scene(person("anne", held(EMS)), mappings=mappings, seats=unseen))
        assert states(plan) == {"anne": "pending"}

    def test_a_new_plan_of_the_tenant_does_not_make_the_larger_product_small(self) -> None:
        plan = plan_deliver(scene(person("anne", held(A5)), seats=seats(10, 0, A3, "brand-new")))
        assert states(plan) == {"anne": "already_right"}


def many(number: int, *licences: HeldLicence) -> list[Person]:
    return [person(f"p{n:03}", *licences) for n in range(number)]


class TestScarceSeats:
    @pytest.mark.parametrize(
        ("known", "served"),
        [
            pytest.param({"seats": seats(45), "entitlement": 60}, 45, id="as many as there are seats"),
            pytest.param({"seats": seats(100), "entitlement": 45}, 45, id="as many as were bought"),
            pytest.param({"seats": seats(60), "entitlement": 60}, 60, id="just enough"),
            pytest.param({"seats": seats(59), "entitlement": 60}, 59, id="one too few"),
            pytest.param({"seats": seats(60, 20), "entitlement": 60}, 40, id="consumed ones are not free"),
            pytest.param(
                {"seats": seats(60), "reserved": frozenset({"x", "y"})}, 58, id="another operation's reservations count"
            ),
            pytest.param({"seats": seats(0)}, 0, id="units in grace never count"),
            pytest.param({"seats": seats(10, 30)}, 0, id="more consumed than there are"),
            pytest.param({"seats": None}, 0, id="no seat of the product in sight"),
            pytest.param({"entitlement": 0}, 0, id="nothing bought"),
            pytest.param({"entitlement": -3}, 0, id="less than nothing bought"),
        ],
    )
    def test_as_many_as_there_are_and_no_more(self, known: dict[str, Any], served: int) -> None:
        plan = plan_deliver(scene(*many(60), **known))
        assert [subject.state for subject in plan.subjects].count(SubjectState.PENDING) == served
        assert len(plan.steps) == served
        waiting = [subject for subject in plan.subjects if subject.state is SubjectState.WAITING]
        assert {subject.reason for subject in waiting} <= {Reason.SEATS_INSUFFICIENT}
        assert len(waiting) == 60 - served

    def test_people_on_the_old_product_without_a_seat_stay_on_it(self) -> None:
        plan = plan_deliver(scene(*many(5, held(A1)), seats=seats(2)))
        assert plan.counts == {"swap": 2}
        assert tally(plan) == {"pending": 2, "waiting": 3}

    def test_holders_keep_their_seats_and_take_from_the_entitlement(self) -> None:
        holders = [person("h1", held(A3)), person("h2", held(A3, group=GROUP))]
        plan = plan_deliver(scene(*many(5), *holders, entitlement=4, seats=seats(100, 2)))
        assert tally(plan) == {"already_right": 2, "pending": 2, "waiting": 3}

    def test_holders_of_another_school_take_seats_but_not_our_entitlement(self) -> None:
        strangers = tuple(person(f"s{n}", held(A3)) for n in range(3))
        plan = plan_deliver(scene(*many(5), others=strangers, seats=seats(7, 3), entitlement=5))
        assert tally(plan) == {"pending": 4, "waiting": 1}

    def test_the_census_may_know_of_more_holders_than_the_counter(self) -> None:
        strangers = tuple(person(f"s{n}", held(A3)) for n in range(3))
        assert tally(plan_deliver(scene(*many(5), others=strangers, seats=seats(5, 0))))["pending"] == 2

    def test_a_larger_product_takes_no_seat_of_this_one(self) -> None:
        plan = plan_deliver(scene(*many(2), person("big", held(A5)), entitlement=2, seats=seats(2)))
        assert tally(plan) == {"pending": 2, "already_right": 1}

    @pytest.mark.parametrize(
        ("known", "expected"),
        [
            pytest.param({}, ["p000", "p001"], id="the object id at last"),
            pytest.param({"waiting": ("p003", "p001")}, ["p001", "p003"], id="who waited longest"),
            pytest.param({"policy": policy(seat_priority=("LEADER",))}, ["p000", "p004"], id="the school's priority"),
            pytest.param(
                {"policy": policy(seat_priority=("leader",)), "waiting": ("p002",)},
                ["p002", "p004"],
                id="waiting first",
            ),
        ],
    )
    def test_whose_turn_it_is(self, known: dict[str, Any], expected: list[str]) -> None:
        people = [*many(4), person("p004", attributes={"department": "Leader"})]
        plan = plan_deliver(scene(*people, seats=seats(2), **known))
        assert sorted(step.subject_id for step in plan.steps) == expected


class TestInDoubt:
    """People whom an earlier plan of the operation wrote to and nobody has read back yet."""

    def test_they_are_left_as_they_are(self) -> None:
        plan = plan_deliver(scene(person("anne"), person("ben"), in_doubt=frozenset({"anne"})))
        assert states(plan) == {"ben": "pending"}

    @pytest.mark.parametrize("licences", [(), (held(A3),)], ids=["not yet seen as holders", "already holders"])
    def test_each_takes_one_seat_and_one_of_the_entitlement(self, licences: tuple[HeldLicence, ...]) -> None:
        people = (person("anne", *licences), *many(3))
        by_seats = plan_deliver(scene(*people, in_doubt=frozenset({"anne"}), seats=seats(3)))
        by_entitlement = plan_deliver(scene(*people, in_doubt=frozenset({"anne"}), entitlement=3))
        assert tally(by_seats) == tally(by_entitlement) == {"pending": 2, "waiting": 1}

    def test_whoever_is_in_doubt_is_neither_undecidable_nor_unknown(self) -> None:
        selection = Selection(
            chosen=(), undecidable={SubjectId("anne"): (SCHOOL, Reason.SCOPE_UNDECIDABLE)}, sizes={}, is_complete=True
        )
        named = wish(named=("anne", "ben"))
        plan = plan_deliver(scene(selection=selection, wish=named, in_doubt=frozenset({"anne", "ben"})))
        assert plan.subjects == ()


class TestReservedElsewhere:
    """An extension is planned while the base order is still being carried out: both speak of the same people."""

    def test_people_of_the_other_operation_are_left_to_it(self) -> None:
        reserved = frozenset(SubjectId(f"p{n:03}") for n in range(45))
        plan = plan_deliver(scene(*many(60), reserved=reserved, seats=seats(53), entitlement=53))
        assert tally(plan) == {"pending": 8, "waiting": 7}
        assert reserved.isdisjoint(states(plan))

    def test_they_take_from_the_entitlement(self) -> None:
        plan = plan_deliver(scene(*many(5), reserved=frozenset({"p000", "p001"}), entitlement=4))
        assert tally(plan) == {"pending": 2, "waiting": 1}

    def test_another_board_s_people_do_not(self) -> None:
        plan = plan_deliver(scene(*many(3), others=(person("x"),), reserved=frozenset({"x"}), entitlement=3))
        assert tally(plan) == {"pending": 3}

    def test_whoever_holds_the_licence_by_now_is_right(self) -> None:
        plan = plan_deliver(scene(person("anne", held(A3)), reserved=frozenset({"anne"})))
        assert states(plan) == {"anne": "already_right"}

    def test_who_has_the_product_is_not_brought_into_another_form_by_two_at_once(self) -> None:
        moved = plan_deliver(scene(person("anne", held(A3)), reserved=frozenset({"anne"}), may_move=True))
        assert "anne" not in states(moved)


class TestWrittenToElsewhere:
    """Another operation wrote to them and has not read it back; what they have, nobody knows."""

    @pytest.mark.parametrize("licences", [(), (held(A1),), (held(A3),), (held(A5),)], ids=["none", "A1", "A3", "A5"])
    def test_they_are_looked_at_again_and_nothing_is_written_to_them(self, licences: tuple[HeldLicence, ...]) -> None:
        plan = plan_deliver(scene(person("anne", *licences), person("ben"), elsewhere=frozenset({"anne"})))
        assert states(plan)["anne"] == SubjectState.PENDING
        assert {step.subject_id for step in plan.steps} == {"ben"}
        assert plan.awaits_group

    def test_a_seat_is_kept_for_them(self) -> None:
        plan = plan_deliver(scene(person("anne"), person("ben"), elsewhere=frozenset({"anne"}), seats=seats(1)))
        assert (states(plan)["anne"], states(plan)["ben"]) == (SubjectState.PENDING, SubjectState.WAITING)


class TestNamed:
    def test_four_of_five_are_served_and_the_fifth_is_unknown(self) -> None:
        named = wish(named=("p000", "p001", "p002", "p003", "gone"))
        plan = plan_deliver(scene(*many(10), wish=named))
        assert tally(plan) == {"pending": 4, "refused": 1}
        assert reasons(plan)["gone"] is Reason.NOT_FOUND

    def test_somebody_outside_the_selection_is_not_unknown_but_out_of_scope(self) -> None:
        plan = plan_deliver(scene(person("anne"), others=(person("ben"),), wish=wish(named=("ben",))))
        assert reasons(plan) == {"ben": Reason.SCOPE_VIOLATION}

    def test_nobody_who_is_not_named_is_spoken_of(self) -> None:
        selection = Selection(
            chosen=((person("anne"), SCHOOL),),
            undecidable={SubjectId("ben"): (SCHOOL, Reason.AUDIENCE_MISMATCH)},
            sizes={},
            is_complete=True,
        )
        assert states(plan_deliver(scene(selection=selection, wish=wish(named=("anne",))))) == {"anne": "pending"}

    def test_a_named_person_in_doubt_says_why(self) -> None:
        selection = Selection(
            chosen=(), undecidable={SubjectId("ben"): (SCHOOL, Reason.AUDIENCE_MISMATCH)}, sizes={}, is_complete=True
        )
        plan = plan_deliver(scene(selection=selection, wish=wish(named=("ben",))))
        assert reasons(plan) == {"ben": Reason.AUDIENCE_MISMATCH}

    def test_named_twice_is_listed_once(self) -> None:
        assert len(plan_deliver(scene(wish=wish(named=("gone", "gone")))).subjects) == 1

    def test_holders_who_are_not_named_took_from_the_entitlement_before(self) -> None:
        holders = [person(f"h{n}", held(A3)) for n in range(4)]
        plan = plan_deliver(scene(*holders, *many(3), entitlement=6, wish=wish(named=("p000", "p001", "p002"))))
        assert tally(plan) == {"pending": 2, "waiting": 1}


class TestIncomplete:
    def test_what_was_not_seen_whole_plans_nothing_and_refuses_nobody(self) -> None:
        nothing = Selection(chosen=(), undecidable={}, sizes={}, is_complete=False)
        plan = plan_deliver(scene(person("anne"), selection=nothing, wish=wish(named=("anne",))))
        assert (plan.is_complete, plan.subjects, plan.steps) == (False, (), ())


class TestGuards:
    @pytest.mark.parametrize(("people", "asks"), [(250, False), (251, True)], ids=["250 swaps", "251 swaps"])
    def test_swaps(self, people: int, *, asks: bool) -> None:
        assert plan_deliver(scene(*many(people, held(A1)))).needs_approval is asks

    @pytest.mark.parametrize(("people", "asks"), [(1_000, False), (1_001, True)], ids=["1,000", "1,001"])
    def test_assignments(self, people: int, *, asks: bool) -> None:
        plan = plan_deliver(scene(*many(people), seats=seats(2_000), entitlement=2_000))
        assert plan.needs_approval is asks

    def test_those_who_wait_are_not_counted(self) -> None:
        assert not plan_deliver(scene(*many(300, held(A1)), seats=seats(250))).needs_approval

    def test_a_service_that_somebody_loses_is_asked_about(self) -> None:
        without = policy(skus={A3: SkuPolicy(frozenset({YAMMER_A3}))})
        plan = plan_deliver(scene(person("anne", held(A1)), policy=without))
        assert plan.losses.families == {"yammer": 1}
        assert plan.needs_approval


class TestOrder:
    def test_the_plan_does_not_depend_on_the_order_of_people(self) -> None:
        people = [*many(20, held(A1)), person("x", held(A3)), person("y", usage_location=None)]
        forwards = plan_deliver(scene(*people, seats=seats(7)))
        assert plan_deliver(scene(*reversed(people), seats=seats(7))) == forwards

    def test_every_step_has_its_own_place(self) -> None:
        people = [person(f"p{n}", usage_location=None if n % 2 else "NL") for n in range(20)]
        plan = plan_deliver(scene(*people, policy=policy(usage_location="NL")))
        assert [step.position for step in plan.steps] == list(range(30))


LICENCES_MET = [
    (),
    (held(A1),),
    (held(A1, YAMMER_A1),),
    (held(A3),),
    (held(A5),),
    (held(A1, group=GROUP),),
    (held(FOREIGN),),
]


class Case(msgspec.Struct, frozen=True):
    """A scene without the product list, so that a failing one can be read."""

    people: list[Person]
    known: dict[str, Any]

    @property
    def scene(self) -> DeliverScene:
        return scene(*self.people, **self.known)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    met = draw(st.lists(st.tuples(st.sampled_from(LICENCES_MET), st.sampled_from(["NL", None])), max_size=25))
    people = [person(f"p{n:02}", *licences, usage_location=place) for n, (licences, place) in enumerate(met)]
    names = [one.subject_id for one in people]
    chosen = draw(st.permutations(people))
    cut = draw(st.integers(0, len(people)))
    holders = sum(one.holds(A3) for one in people)
    known = {
        "selection": Selection(
            chosen=tuple((one, OrganisationId(draw(st.sampled_from(["a", "b"])))) for one in chosen[cut:]),
            undecidable={one.subject_id: (SCHOOL, Reason.SCOPE_UNDECIDABLE) for one in chosen[:cut]},
            sizes={},
            is_complete=True,
        ),
        "seats": draw(st.none() | st.builds(seats, st.integers(0, 30), st.just(holders))),
        "entitlement": draw(st.integers(-2, 30)),
        "reserved": frozenset(draw(st.sets(st.sampled_from([*names, "z"])))),
        "in_doubt": frozenset(draw(st.sets(st.sampled_from([*names, "z"]), max_size=3))),
        "waiting": tuple(draw(st.permutations(names))[: draw(st.integers(0, 5))]),
        "policy": policy(usage_location=draw(st.none() | st.just("NL")), seat_priority=("b",)),
        "wish": wish(named=tuple(draw(st.lists(st.sampled_from([*names, "gone"]), max_size=4)))),
    }
    return Case(people, known)


def spoken_of(given_scene: DeliverScene) -> set[str]:
    selected = {one.subject_id for one, _ in given_scene.selection.chosen} | set(given_scene.selection.undecidable)
    holders = {one.subject_id for one, _ in given_scene.selection.chosen if one.holds(A3)}
    named = set(given_scene.wish.named)
    return (named or selected) - given_scene.in_doubt - (given_scene.reserved - holders)


class TestAnyScene:
    @given(cases())
    def test_nobody_is_in_two_states_and_the_numbers_add_up(self, case: Case) -> None:
        plan = plan_deliver(case.scene)
        assert sorted(subject.subject_id for subject in plan.subjects) == sorted(spoken_of(case.scene))

    @given(cases())
    def test_steps_are_for_those_under_way_and_only_for_them(self, case: Case) -> None:
        plan = plan_deliver(case.scene)
        under_way = {subject.subject_id for subject in plan.subjects if subject.state is SubjectState.PENDING}
        licences = [step.subject_id for step in plan.steps if step.kind is not StepKind.SET_USAGE_LOCATION]
        assert sorted(licences) == sorted(under_way)
        assert {step.subject_id for step in plan.steps} == under_way

    @given(cases())
    def test_seats_given_are_free_and_entitled_to(self, case: Case) -> None:
        given_seats = tally(plan_deliver(case.scene)).get("pending", 0)
        known = case.scene
        own = {one.subject_id for one, _ in known.selection.chosen if one.holds(A3)} | known.in_doubt
        enabled, consumed = (known.seats.enabled, known.seats.consumed) if known.seats else (0, 0)
        assert given_seats <= max(0, enabled - consumed)
        assert given_seats <= max(0, known.entitlement - len(own))

    @given(cases())
    def test_nothing_is_removed_without_its_replacement(self, case: Case) -> None:
        for step in plan_deliver(case.scene).steps:
            assert step.change.add_sku == A3 or not step.change.remove_skus
            assert set(step.change.remove_skus) <= case.scene.wish.replaces

    @given(cases())
    def test_a_second_run_shuffles_nobody_and_writes_nothing(self, case: Case) -> None:
        first = plan_deliver(case.scene)
        second = plan_deliver(afterwards(case.scene, first))
        assert second.steps == ()
        assert {name for name, state in states(second).items() if state == "waiting"} == {
            name for name, state in states(first).items() if state == "waiting"
        }

    @given(cases(), st.integers(1, 5))
    def test_new_seats_go_to_those_who_wait_in_their_order(self, case: Case, more: int) -> None:
        first = plan_deliver(case.scene)
        then = afterwards(case.scene, first)
        line = [subject.subject_id for subject in first.subjects if subject.state is SubjectState.WAITING]
        if then.seats is None:
            return
        later = replaced(
            then,
            seats=replaced(then.seats, enabled=then.seats.enabled + more),
            entitlement=then.entitlement + more,
            waiting=tuple(line),
        )
        served = [
            subject.subject_id for subject in plan_deliver(later).subjects if subject.state is SubjectState.PENDING
        ]
        assert served == line[: len(served)]


def afterwards(before: DeliverScene, plan: Plan) -> DeliverScene:
    """The scene once the plan is carried out and read back; who waits is on the list."""
    changes = {step.subject_id: step.change for step in plan.steps if step.change.add_sku}
    located = {step.subject_id for step in plan.steps if step.change.usage_location}

    def later(one: Person) -> Person:
        if one.subject_id not in changes:
            return one
        licences = tuple(after_change(one.licences, changes[one.subject_id]))
        return replaced(
            one, licences=licences, usage_location="NL" if one.subject_id in located else one.usage_location
        )

    waiting = tuple(subject.subject_id for subject in plan.subjects if subject.state is SubjectState.WAITING)
    return replaced(
        before,
        census=replaced(before.census, people=tuple(map(later, before.census.people))),
        selection=replaced(
            before.selection, chosen=tuple((later(one), school) for one, school in before.selection.chosen)
        ),
        seats=before.seats and replaced(before.seats, consumed=before.seats.consumed + len(changes)),
        waiting=waiting,
    )


class TestABoardOfTwelveSchools:
    def test_everybody_selected_has_one_state_and_a_second_run_changes_nothing(self) -> None:
        board = deliver_scene(2_000, seats_share=0.3)
        first = plan_deliver(board)
        selected = len(board.selection.chosen) + len(board.selection.undecidable)
        assert sum(tally(first).values()) == len(first.subjects) == selected
        assert tally(first)["waiting"] > 0
        assert plan_deliver(afterwards(board, first)).steps == ()

    def test_the_thirteenth_school_is_not_touched(self) -> None:
        board = deliver_scene(2_000)
        strangers = {one.subject_id for one in board.census.people if one.attributes["companyName"] == "12XX"}
        assert strangers
        assert strangers.isdisjoint(states(plan_deliver(board)))


class TestPeopleOfAMigration:
    def test_get_nothing_but_what_the_migration_gives_them(self) -> None:
        """Exchange on before the gate would make an empty mailbox, and the real one could not come."""
        known = scene(person("anne"), person("ben"))
        selection = known.selection.leaving_to_migrations({SubjectId("anne"), SubjectId("elsewhere")})
        plan = plan_deliver(msgspec.structs.replace(known, selection=selection))
        assert reasons(plan) == {"anne": Reason.MIGRATION_UNDER_WAY, "ben": None}
        assert [step.subject_id for step in plan.steps] == ["ben"]
        assert selection.sizes == known.selection.sizes
