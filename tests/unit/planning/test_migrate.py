"""What a migration does in the target: prepared without a mailbox, enabled when it has moved, or all of it back."""

from typing import Any

import pytest

from provisioning.domain.catalogue import Audience, ServicePlan
from provisioning.domain.errors import InputError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, ServicePlanId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.migration import Phase, Situation
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.permissions import LICENCES
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import SkuPolicy
from provisioning.planning.groups import GroupScene
from provisioning.planning.migrate import plan_migrate
from provisioning.planning.plan import Plan
from tests.unit.planning.migration_scene import (
    EXCHANGE_A3,
    EXCHANGE_A5,
    SOURCE,
    THREATS_A5,
    YAMMER,
    carried_out,
    census,
    definition,
    given_by,
    migrate_scene,
    there,
    traveller,
    writes,
)
from tests.unit.planning.scene import (
    A1,
    A3,
    A5,
    EMS,
    FOREIGN,
    GROUP,
    MAPPINGS,
    held,
    person,
    plan_of,
    policy,
    reasons,
    replaced,
    seats,
    states,
    tally,
)

NEW_PLAN = "new-plan"
ANNE = person("anne", held(A3))
ANNE_THERE = there(ANNE)
WITHOUT_MAILBOX = Change(add_sku=A3, disabled_plans=frozenset({EXCHANGE_A3}))


def holding(*licences: HeldLicence, **known: Any) -> Person:
    return replaced(ANNE_THERE, licences=licences, **known)


def off(*plans: str) -> frozenset[Any]:
    return frozenset(plans)


def only(plan: Plan) -> tuple[SubjectState, Reason | None, list[tuple[StepKind, Change]]]:
    (subject,) = plan.subjects
    return subject.state, subject.reason, [(step.kind, step.change) for step in plan.steps]


def prepared(here: Person = ANNE, far: Person = ANNE_THERE, **known: Any) -> Plan:
    return plan_migrate(migrate_scene(Phase.PREPARE, (here, far), **known))


def enabled(here: Person, far: Person, **known: Any) -> Plan:
    return plan_migrate(migrate_scene(Phase.ENABLE, (here, far), **known))


class TestPrepare:
    def test_gives_the_product_without_its_mailbox(self) -> None:
        assert only(prepared()) == (SubjectState.PENDING, None, [(StepKind.ASSIGN, WITHOUT_MAILBOX)])

    @pytest.mark.parametrize(
        ("licences", "more_off"),
        [
            pytest.param((held(A3, YAMMER),), {YAMMER}, id="off in the source stays off"),
            pytest.param((held(A3, EXCHANGE_A3),), set(), id="Exchange off in the source is off anyway"),
            pytest.param((held(A3), held(FOREIGN)), set(), id="others' products change nothing"),
            pytest.param((held(A3, YAMMER, group=GROUP),), {YAMMER}, id="what a group has off there too"),
        ],
    )
    def test_carries_over_what_is_off(self, licences: tuple[HeldLicence, ...], more_off: set[str]) -> None:
        plan = prepared(person("anne", *licences))
        assert plan.steps[0].change.disabled_plans == {EXCHANGE_A3, *more_off}

    def test_carries_over_between_products_by_service(self) -> None:
        leaving = (traveller("anne", source_sku=A1),)
        web = plan_of(A1, "SHAREPOINTWAC_EDU")  # needs SharePoint, in whatever tier
        here = person("anne", held(A1, plan_of(A1, "SHAREPOINTSTANDARD_EDU"), web))
        plan = prepared(here, travellers=leaving)
        assert plan.steps[0].change.disabled_plans == {EXCHANGE_A3, plan_of(A3, "SHAREPOINTENTERPRISE_EDU"), web}

    def test_what_the_targets_policy_switches_off_is_off(self) -> None:
        no_yammer = policy(skus={A3: SkuPolicy(disabled_plans=off(YAMMER))})
        assert prepared(policy=no_yammer).steps[0].change.disabled_plans == {EXCHANGE_A3, YAMMER}

    @pytest.mark.parametrize("by_id", [False, True], ids=["by name", "by id"])
    def test_the_migrations_own_pairs_of_plans_come_on_top(self, by_id: bool) -> None:
        forms, sway = plan_of(A3, "OFFICE_FORMS_PLAN_2"), plan_of(A3, "SWAY")
        names = {forms: sway} if by_id else {"office_forms_plan_2": "Sway"}
        plan = prepared(person("anne", held(A3, forms)), definition=definition(plan_mapping=names))
        assert plan.steps[0].change.disabled_plans == {EXCHANGE_A3, forms, sway}

    def test_a_pair_of_plans_keeps_on_what_was_on(self) -> None:
        forms, sway = plan_of(A3, "OFFICE_FORMS_PLAN_2"), plan_of(A3, "SWAY")
        names = definition(plan_mapping={"OFFICE_FORMS_PLAN_2": "SWAY"})
        plan = prepared(person("anne", held(A3, sway)), definition=names)
        assert forms not in plan.steps[0].change.disabled_plans
        assert sway not in plan.steps[0].change.disabled_plans

    def test_what_cannot_be_on_without_exchange_waits_with_it(self) -> None:
        plan = prepared(person("anne", held(A5)), sku_id=A5, travellers=(traveller("anne", source_sku=A5),))
        assert plan.steps[0].change.disabled_plans == {EXCHANGE_A5, THREATS_A5}

    @pytest.mark.parametrize(("had", "is_off"), [(True, True), (None, True), (False, False)])
    def test_a_plan_that_no_list_knows_waits_for_the_mailbox_where_one_is_to_come(
        self, had: bool | None, is_off: bool
    ) -> None:
        """It could make an empty one, and then the real one cannot come."""
        mailboxes = {} if had is None else {ANNE_THERE.subject_id: had}
        plan = prepared(seats=seats(10, 0, A3, NEW_PLAN), mailboxes=mailboxes)
        assert (NEW_PLAN in plan.steps[0].change.disabled_plans) is is_off
        assert (
            f"no list of ours knows {NEW_PLAN}: off until then too, where a mailbox is to come" in plan.guard_breaches
        )

    def test_one_that_the_school_switched_off_in_the_source_does_not_wait_but_stays_off(self) -> None:
        new = {"seats": seats(10, 0, A3, NEW_PLAN)}
        here = person("anne", held(A3, ServicePlanId(NEW_PLAN)))
        far = there(here)
        first = prepared(here, far, **new)
        assert NEW_PLAN in first.steps[0].change.disabled_plans
        (given,) = carried_out(first, far)
        assert only(enabled(here, given, left=given_by(first), **new))[2] == [
            (StepKind.SET_PLANS, Change(add_sku=A3, disabled_plans=off(NEW_PLAN)))
        ]

    @pytest.mark.parametrize(
        ("far", "reason"),
        [
            pytest.param(holding(held(A3)), Reason.ALREADY_HELD, id="everything on"),
            pytest.param(holding(held(A3, YAMMER)), Reason.ALREADY_HELD, id="something else off"),
            pytest.param(holding(held(A3, EXCHANGE_A3)), Reason.EXCHANGE_NOT_READY, id="Exchange still to come"),
            pytest.param(holding(held(A3, group=GROUP)), Reason.HELD_VIA_GROUP, id="through a group"),
            pytest.param(holding(held(A5)), Reason.ALREADY_HELD, id="a larger product"),
        ],
    )
    def test_who_has_it_is_left_as_they_are(self, far: Person, reason: Reason) -> None:
        assert only(prepared(far=far)) == (SubjectState.ALREADY_RIGHT, reason, [])

    def test_who_had_exchange_off_in_the_source_too_has_everything(self) -> None:
        plan = prepared(person("anne", held(A3, EXCHANGE_A3)), holding(held(A3, EXCHANGE_A3)))
        assert only(plan) == (SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, [])

    @pytest.mark.parametrize(
        ("here", "far", "reason", "note"),
        [
            pytest.param(ANNE, holding(held(A1)), Reason.MUTUALLY_EXCLUSIVE, "and", id="clashes with what they hold"),
            pytest.param(ANNE, holding(usage_location=None), Reason.USAGE_LOCATION, "", id="no usage location"),
            pytest.param(person("anne"), ANNE_THERE, Reason.LICENCE_NOT_HELD, "source", id="nothing to leave"),
            pytest.param(
                person("anne", held(A3, state="Error")), ANNE_THERE, Reason.LICENCE_NOT_HELD, "source", id="in error"
            ),
            pytest.param(
                ANNE,
                holding(held(A3, EXCHANGE_A3, group=GROUP)),
                Reason.INHERITED_FROM_GROUP,
                GROUP,
                id="a group keeps Exchange off",
            ),
        ],
    )
    def test_who_is_refused_and_why(self, here: Person, far: Person, reason: Reason, note: str) -> None:
        plan = prepared(here, far)
        assert only(plan) == (SubjectState.REFUSED, reason, [])
        assert note in "".join(plan.subjects[0].notes)

    def test_who_could_never_have_exchange_on_is_refused_before_anything_is_written(self) -> None:
        """A5 with Exchange off for good leaves threat intelligence without what it needs."""
        here = person("anne", held(A5, EXCHANGE_A5))
        plan = prepared(here, sku_id=A5, travellers=(traveller("anne", source_sku=A5),))
        assert only(plan)[:2] == (SubjectState.REFUSED, Reason.DEPENDENCY)

    def test_who_is_gone_from_the_source(self) -> None:
        plan = prepared(other=census(tenant=SOURCE))
        assert only(plan) == (SubjectState.REFUSED, Reason.NOT_FOUND, [])

    def test_who_is_gone_from_the_target(self) -> None:
        plan = prepared(census=census())
        assert only(plan) == (SubjectState.REFUSED, Reason.NOT_FOUND, [])

    def test_who_another_operation_serves_is_left_to_it(self) -> None:
        plan = prepared(reserved=frozenset({ANNE_THERE.subject_id}))
        assert only(plan) == (SubjectState.REFUSED, Reason.CONCURRENT_WRITE, [])

    def test_the_usage_location_comes_first(self) -> None:
        plan = prepared(far=holding(usage_location=None), policy=policy(usage_location="NL"))
        assert [kind for _, kind, _ in writes(plan)] == [StepKind.SET_USAGE_LOCATION, StepKind.ASSIGN]

    def test_without_the_right_to_set_it_nothing_is_tried(self) -> None:
        far = holding(usage_location=None)
        plan = prepared(far=far, policy=policy(usage_location="NL"), permissions=LICENCES)
        assert only(plan) == (SubjectState.REFUSED, Reason.USAGE_LOCATION, [])


class TestSeats:
    def pairs(self, number: int) -> list[tuple[Person, Person]]:
        people = [person(f"p{n}", held(A3)) for n in range(number)]
        return [(one, there(one)) for one in people]

    def test_everybody_needs_a_free_one_and_the_others_wait_in_a_stable_order(self) -> None:
        plan = plan_migrate(migrate_scene(Phase.PREPARE, *reversed(self.pairs(4)), seats=seats(3, 1)))
        assert states(plan) == {
            "p0-there": "pending",
            "p1-there": "pending",
            "p2-there": "waiting",
            "p3-there": "waiting",
        }
        assert reasons(plan)["p3-there"] is Reason.SEATS_INSUFFICIENT

    def test_who_waited_before_comes_first(self) -> None:
        waiting = (SubjectId("p3-there"),)
        plan = plan_migrate(migrate_scene(Phase.PREPARE, *self.pairs(4), seats=seats(1), waiting=waiting))
        assert states(plan)["p3-there"] == "pending"

    def test_nobody_gets_more_than_the_ledger_entitles_to(self) -> None:
        holder = person("colleague", held(A3))
        plan = plan_migrate(migrate_scene(Phase.PREPARE, *self.pairs(4), others=(holder,), entitlement=3))
        assert tally(plan) == {"pending": 2, "waiting": 2}

    def test_another_boards_people_take_nothing_from_it(self) -> None:
        strangers = (person("stranger", held(A3)),)
        known = {"others": strangers, "entitlement": 3, "own": frozenset[SubjectId]()}
        assert tally(plan_migrate(migrate_scene(Phase.PREPARE, *self.pairs(4), **known))) == {
            "pending": 3,
            "waiting": 1,
        }

    def test_no_seat_shows_at_all(self) -> None:
        assert tally(plan_migrate(migrate_scene(Phase.PREPARE, *self.pairs(2), seats=None))) == {"waiting": 2}

    def test_who_has_one_takes_none(self) -> None:
        far = holding(held(A3, EXCHANGE_A3))
        assert tally(plan_migrate(migrate_scene(Phase.ENABLE, (ANNE, far), seats=seats(1, 1)))) == {"pending": 1}


class TestEnable:
    READY = holding(held(A3, EXCHANGE_A3))

    def test_switches_exchange_on(self) -> None:
        assert only(enabled(ANNE, self.READY)) == (
            SubjectState.PENDING,
            None,
            [(StepKind.SET_PLANS, Change(add_sku=A3))],
        )

    def test_is_neither_a_loss_nor_against_a_policy(self) -> None:
        plan = enabled(ANNE, self.READY)
        assert plan.losses.switched_on == {}
        assert len(plan.guard_breaches) == 1

    def test_what_is_off_besides_stays_off(self) -> None:
        change = only(enabled(ANNE, holding(held(A3, EXCHANGE_A3, YAMMER))))[2][0][1]
        assert change == Change(add_sku=A3, disabled_plans=off(YAMMER))

    def test_what_waited_with_exchange_comes_on_with_it(self) -> None:
        here, far = person("anne", held(A5)), holding(held(A5, EXCHANGE_A5, THREATS_A5))
        known = {"travellers": (replaced(migrate_scene(Phase.ENABLE, (here, far)).travellers[0], source_sku=A5),)}
        assert only(enabled(here, far, sku_id=A5, **known))[2] == [(StepKind.SET_PLANS, Change(add_sku=A5))]

    @pytest.mark.parametrize("is_described", [False, True], ids=["still unknown", "described since"])
    def test_a_plan_that_no_list_knew_comes_on_with_exchange(self, is_described: bool) -> None:
        """Also when somebody has said meanwhile that it is none of Exchange."""
        new = {"seats": seats(10, 0, A3, NEW_PLAN)}
        first = prepared(**new)
        (given,) = carried_out(first, ANNE_THERE)
        a3 = MAPPINGS.skus[A3]
        described = replaced(a3, plans=(*a3.plans, ServicePlan(ServicePlanId(NEW_PLAN), "NEW", "learning")))
        mappings = replaced(MAPPINGS, skus={**MAPPINGS.skus, A3: described}) if is_described else MAPPINGS
        later = enabled(ANNE, given, left=given_by(first), mappings=mappings, **new)
        assert only(later)[2] == [(StepKind.SET_PLANS, Change(add_sku=A3))]

    def test_of_somebody_who_left_the_source_nothing_more_comes_on_than_exchange(self) -> None:
        """Nobody knows any more what was off there: what PREPARE carried across is not undone by a guess."""
        first = prepared(person("anne", held(A3, YAMMER)))
        (given,) = carried_out(first, ANNE_THERE)
        later = plan_migrate(
            migrate_scene(
                Phase.ENABLE,
                (ANNE, given),
                left=given_by(first),
                other=census(tenant=SOURCE),
                mailboxes={given.subject_id: True},
            )
        )
        assert only(later)[2] == [(StepKind.SET_PLANS, Change(add_sku=A3, disabled_plans=off(YAMMER)))]

    def test_what_the_source_keeps_off_stays_off_though_we_left_it_so(self) -> None:
        here = person("anne", held(A3, YAMMER))
        first = prepared(here)
        (given,) = carried_out(first, ANNE_THERE)
        assert only(enabled(here, given, left=given_by(first)))[2] == [
            (StepKind.SET_PLANS, Change(add_sku=A3, disabled_plans=off(YAMMER)))
        ]

    @pytest.mark.parametrize(
        ("here", "known"),
        [
            pytest.param(person("anne", held(A3, EXCHANGE_A3)), {}, id="off in the source"),
            pytest.param(
                ANNE,
                {"policy": policy(skus={A3: SkuPolicy(disabled_plans=off(EXCHANGE_A3))})},
                id="off by the target's policy",
            ),
        ],
    )
    def test_exchange_stays_off_where_it_should(self, here: Person, known: dict[str, Any]) -> None:
        assert only(enabled(here, self.READY, **known)) == (SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, [])

    @pytest.mark.parametrize(
        ("had", "known", "comes_on"),
        [
            pytest.param(True, {}, True, id="switched off there since it moved"),
            pytest.param(False, {}, False, id="never had one"),
            pytest.param(
                True,
                {"policy": policy(skus={A3: SkuPolicy(disabled_plans=off(EXCHANGE_A3))})},
                False,
                id="off by the target's policy",
            ),
        ],
    )
    def test_what_was_noted_of_the_mailbox_outranks_the_source_of_today(
        self, had: bool, known: dict[str, Any], comes_on: bool
    ) -> None:
        here = person("anne", held(A3, EXCHANGE_A3) if had else held(A3))
        plan = enabled(here, self.READY, mailboxes={ANNE_THERE.subject_id: had}, **known)
        assert [change for _, _, change in writes(plan)] == ([Change(add_sku=A3)] if comes_on else [])

    def test_who_is_gone_from_the_source_gets_their_mailbox_all_the_same(self) -> None:
        plan = enabled(ANNE, self.READY, other=census(tenant=SOURCE))
        assert only(plan)[2] == [(StepKind.SET_PLANS, Change(add_sku=A3))]

    def test_nobody_without_evidence(self) -> None:
        plan = enabled(ANNE, self.READY, travellers=(traveller("anne"),))
        assert only(plan) == (SubjectState.REFUSED, Reason.EXCHANGE_NOT_READY, [])

    @pytest.mark.parametrize(
        ("far", "state", "reason"),
        [
            pytest.param(holding(held(A3)), SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, id="everything on"),
            pytest.param(
                holding(held(A3, group=GROUP)), SubjectState.ALREADY_RIGHT, Reason.HELD_VIA_GROUP, id="by a group now"
            ),
            pytest.param(
                holding(held(A3, EXCHANGE_A3, group=GROUP)),
                SubjectState.REFUSED,
                Reason.INHERITED_FROM_GROUP,
                id="a group keeps it off",
            ),
            pytest.param(holding(), SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, id="the licence is gone"),
            pytest.param(holding(held(A1)), SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, id="something else instead"),
        ],
    )
    def test_who_is_not_as_prepare_left_them(self, far: Person, state: SubjectState, reason: Reason) -> None:
        assert only(enabled(ANNE, far)) == (state, reason, [])


class TestUndo:
    LEFT = HeldLicence(A3, frozenset({EXCHANGE_A3}))
    THERE = holding(LEFT)

    def undone(self, here: Person = ANNE, far: Person = THERE, **known: Any) -> Plan:
        left = {"left": {ANNE_THERE.subject_id: self.LEFT}}
        return plan_migrate(migrate_scene(Phase.UNDO_TARGET, (here, far), **(left | known)))

    def test_takes_what_was_given_after_a_second_look(self) -> None:
        plan = self.undone()
        assert only(plan) == (SubjectState.PENDING, None, [(StepKind.REMOVE, Change(remove_skus=(A3,)))])
        assert plan.steps[0].not_before is not None
        assert plan.losses.removals_without_replacement == 1

    @pytest.mark.parametrize(
        ("far", "known"),
        [
            pytest.param(THERE, {"left": {}}, id="the migration gave them nothing"),
            pytest.param(holding(held(A3)), {}, id="somebody switched Exchange on"),
            pytest.param(holding(held(A3, EXCHANGE_A3, YAMMER)), {}, id="somebody switched something off"),
        ],
    )
    def test_leaves_alone_who_is_not_as_we_left_them(self, far: Person, known: dict[str, Any]) -> None:
        assert only(self.undone(far=far, **known)) == (SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, [])

    @pytest.mark.parametrize(
        "far",
        [
            pytest.param(holding(held(A3, group=GROUP)), id="instead"),
            pytest.param(holding(LEFT, held(A3, group=GROUP)), id="and directly for a moment yet"),
        ],
    )
    def test_who_was_moved_into_our_group_is_not_rolled_back_by_taking_nothing(self, far: Person) -> None:
        ours = GroupScene(ours=frozenset({GROUP}), target=ObservedGroup(group_id=GROUP, nickname="ours"))
        plan = self.undone(far=far, groups=ours)
        assert only(plan) == (SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, [])
        assert GROUP in plan.subjects[0].notes[0]

    def test_who_had_it_through_the_group_before_keeps_it(self) -> None:
        anne = traveller("anne", situation=Situation.ALREADY_LICENSED)
        plan = self.undone(far=holding(held(A3, group=GROUP)), left={}, travellers=(anne,))
        assert only(plan)[0] is SubjectState.ALREADY_RIGHT

    def test_who_had_it_and_who_was_given_it_by_nobody_knows_whom_are_told_apart(self) -> None:
        ben = person("ben", held(A3))
        pairs = ((ANNE, self.THERE), (ben, replaced(there(ben), licences=(self.LEFT,))))
        both = (traveller("anne", situation=Situation.ALREADY_LICENSED), traveller("ben"))
        plan = plan_migrate(migrate_scene(Phase.UNDO_TARGET, *pairs, left={}, travellers=both))
        states = {one.subject_id: one.state for one in plan.subjects}
        assert states == {"anne-there": SubjectState.ALREADY_RIGHT, "ben-there": SubjectState.REFUSED}

    def test_who_was_never_given_it_is_right(self) -> None:
        plan = self.undone(far=holding(), left={})
        assert only(plan) == (SubjectState.ALREADY_RIGHT, Reason.LICENCE_NOT_HELD, [])

    def test_who_had_it_before_the_migration_keeps_it(self) -> None:
        anne = traveller("anne", situation=Situation.ALREADY_LICENSED)
        plan = self.undone(left={}, travellers=(anne,))
        assert only(plan) == (SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, [])

    def test_who_has_it_no_more_is_right(self) -> None:
        assert only(self.undone(far=holding())) == (SubjectState.ALREADY_RIGHT, Reason.LICENCE_NOT_HELD, [])

    @pytest.mark.parametrize(
        "here",
        [
            pytest.param(person("anne"), id="released already"),
            pytest.param(person("anne", held(A3, YAMMER)), id="a service went off there"),
            pytest.param(person("ben", held(A3)), id="gone"),
        ],
    )
    def test_takes_nothing_that_the_source_does_not_serve(self, here: Person) -> None:
        plan = self.undone(here, other=census(here, tenant=SOURCE), travellers=(traveller("anne"),))
        assert only(plan) == (SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, [])
        assert "the source does not serve" in plan.subjects[0].notes[0]

    def test_what_only_the_target_had_may_go(self) -> None:
        here = person("anne", held(A1))
        far = holding(held(A5))
        known = {"travellers": (traveller("anne", source_sku=A1, target_sku=A5),)}
        plan = self.undone(here, far, sku_id=A5, left={far.subject_id: HeldLicence(A5)}, **known)
        assert tally(plan) == {"pending": 1}

    def test_what_depends_on_it_keeps_it(self) -> None:
        """An add-on of theirs needs Teams or Skype, and only the product brings them."""
        addon = next(
            sku.sku_id
            for sku in MAPPINGS.skus.values()
            if {plan.name for plan in sku.plans} & {"MCOMEETADV", "MCOEV"}
            and not {"TEAMS1"} & {p.name for p in sku.plans}
        )
        plan = self.undone(far=holding(self.LEFT, held(addon)))
        assert only(plan)[:2] == (SubjectState.REFUSED, Reason.DEPENDENCY)

    def test_says_whose_mailbox_would_be_lost(self) -> None:
        moved = self.undone().guard_breaches
        still_there = self.undone(travellers=(traveller("anne"),)).guard_breaches
        assert any("Microsoft deletes it 30 days later" in sentence for sentence in moved)
        assert any(sentence.startswith("the mailbox of 1 person") for sentence in moved)
        assert not any("mailbox" in sentence for sentence in still_there)


class TestUndoOfWhoWasMovedIntoAGroup:
    """By what followed the wave: they leave our group, and nothing else of theirs is touched."""

    WHOLE = HeldLicence(A3)
    THROUGH = HeldLicence(A3, group_id=GROUP)
    LEAVE = (StepKind.REMOVE_MEMBER, Change(group_id=GROUP, remove_skus=(A3,)))
    REMOVE = (StepKind.REMOVE, Change(remove_skus=(A3,)))
    OURS = ObservedGroup(group_id=GROUP, nickname="ours")

    def undone(self, far: Person, here: Person = ANNE, group: ObservedGroup = OURS, **known: Any) -> Plan:
        person_id = ANNE_THERE.subject_id
        fields = {
            "left": {person_id: self.WHOLE},
            "joined": {person_id: self.THROUGH},
            "groups": GroupScene(ours=frozenset({GROUP}), others={GROUP: group}),
        }
        return plan_migrate(migrate_scene(Phase.UNDO_TARGET, (here, far), **(fields | known)))

    @pytest.mark.parametrize(
        ("licences", "acts"),
        [
            pytest.param((THROUGH,), [LEAVE], id="through the group alone"),
            pytest.param((WHOLE, THROUGH), [REMOVE, LEAVE], id="directly for a moment yet"),
            pytest.param((WHOLE,), [REMOVE, LEAVE], id="nothing has come of it yet"),
            pytest.param((), [LEAVE], id="nothing has come of it, and what they had is gone"),
            pytest.param(
                (WHOLE, replaced(THROUGH, state="Error", error="CountViolation")), [REMOVE, LEAVE], id="it failed"
            ),
            pytest.param((THROUGH, held(EMS)), [LEAVE], id="beside something else"),
        ],
    )
    def test_takes_them_out_of_it_again(
        self, licences: tuple[HeldLicence, ...], acts: list[tuple[StepKind, Change]]
    ) -> None:
        plan = self.undone(holding(*licences))
        assert only(plan) == (SubjectState.PENDING, None, acts)
        assert plan.steps[0].not_before is not None  # not on one look alone

    def test_says_how_many_leave_it(self) -> None:
        told = self.undone(holding(self.THROUGH)).guard_breaches
        assert "1 person of them by leaving the group into which they were moved" in told

    @pytest.mark.parametrize(
        ("licences", "known"),
        [
            pytest.param((THROUGH,), {"joined": {}}, id="somebody else put them there"),
            pytest.param((THROUGH,), {"left": {}}, id="the migration gave them nothing"),
            pytest.param((held(A3, YAMMER, group=GROUP),), {}, id="the group has a plan off by now"),
            pytest.param((THROUGH, held(EMS, group=GROUP)), {}, id="the group brings more by now"),
            pytest.param((held(A5, group=GROUP),), {}, id="the group brings something else by now"),
            pytest.param((held(A3, YAMMER), THROUGH), {}, id="somebody changed what is direct"),
            pytest.param((THROUGH,), {"groups": GroupScene()}, id="the group is no more ours"),
            pytest.param((THROUGH,), {"group": replaced(OURS, is_dynamic=True)}, id="a rule fills the group"),
        ],
    )
    def test_leaves_alone_who_is_not_as_we_left_them(
        self, licences: tuple[HeldLicence, ...], known: dict[str, Any]
    ) -> None:
        plan = self.undone(holding(*licences), **known)
        assert only(plan) == (SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, [])

    def test_a_second_group_of_ours_is_another_matter(self) -> None:
        other = GroupId("other")
        groups = GroupScene(
            ours=frozenset({GROUP, other}),
            others={GROUP: self.OURS, other: ObservedGroup(group_id=other, nickname="other")},
        )
        plan = self.undone(holding(self.THROUGH, held(A3, group=other)), groups=groups)
        assert only(plan) == (SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, [])
        assert "other" in plan.subjects[0].notes[0]

    def test_a_group_of_the_school_beside_ours_goes_on_giving_its_own(self) -> None:
        plan = self.undone(holding(self.THROUGH, held(A3, group=GroupId("school"))))
        assert only(plan) == (SubjectState.PENDING, None, [self.LEAVE])

    def test_who_had_it_before_the_migration_keeps_it_where_they_are(self) -> None:
        anne = traveller("anne", situation=Situation.ALREADY_LICENSED)
        plan = self.undone(holding(self.THROUGH), left={}, travellers=(anne,))
        assert only(plan) == (SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, [])

    @pytest.mark.parametrize("licences", [(THROUGH,), (WHOLE, THROUGH)], ids=["through it", "and directly"])
    def test_takes_nothing_that_the_source_does_not_serve(self, licences: tuple[HeldLicence, ...]) -> None:
        plan = self.undone(holding(*licences), here=person("anne", held(A3, YAMMER)))
        assert only(plan) == (SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, [])
        assert "the source does not serve" in plan.subjects[0].notes[0]


class TestAnyPlan:
    @pytest.mark.parametrize("phase", [Phase.PREPARE, Phase.ENABLE, Phase.UNDO_TARGET])
    def test_is_always_asked_even_for_nobody(self, phase: Phase) -> None:
        plan = plan_migrate(migrate_scene(phase))
        assert plan.needs_approval
        assert plan.guard_breaches[0].startswith("wave 1 of the migration")

    def test_says_in_words_what_it_would_do(self) -> None:
        assert prepared().guard_breaches[0] == (
            "wave 1 of the migration: M365EDU_A3_FACULTY is given to 1 person here, "
            "with Exchange off until the mailbox has moved"
        )

    @pytest.mark.parametrize("which", ["census", "other"])
    def test_half_a_look_writes_nothing(self, which: str) -> None:
        plan = prepared(**{which: census(ANNE, ANNE_THERE, is_complete=False)})
        assert not plan.is_complete
        assert only(plan) == (SubjectState.REFUSED, Reason.SELECTION_INCOMPLETE, [])

    def test_rests_on_the_older_of_both_looks(self) -> None:
        older = census(ANNE, tenant=SOURCE)
        older = replaced(older, observed_at=older.observed_at.replace(hour=1))
        assert prepared(other=older).observed_at == older.observed_at

    def test_who_is_in_doubt_is_left_to_the_plan_before(self) -> None:
        assert prepared(in_doubt=frozenset({ANNE_THERE.subject_id})).subjects == ()

    def test_two_travellers_with_one_account_get_nothing(self) -> None:
        both = (traveller("anne"), traveller("ben", target_id=ANNE_THERE.subject_id))
        plan = prepared(travellers=both)
        assert only(plan) == (SubjectState.REFUSED, Reason.SCOPE_UNDECIDABLE, [])

    def test_does_not_depend_on_the_order_of_people(self) -> None:
        people = [person(f"p{n}", held(A3)) for n in range(9)]
        pairs = [(one, there(one)) for one in people]
        forwards = plan_migrate(migrate_scene(Phase.PREPARE, *pairs, seats=seats(4)))
        assert plan_migrate(migrate_scene(Phase.PREPARE, *reversed(pairs), seats=seats(4))) == forwards

    @pytest.mark.parametrize("phase", [Phase.RELEASE, Phase.UNDO_SOURCE])
    def test_the_sources_phases_are_planned_elsewhere(self, phase: Phase) -> None:
        with pytest.raises(InputError, match="in the source"):
            plan_migrate(migrate_scene(phase, (ANNE, ANNE_THERE)))

    def test_an_operation_of_no_migration_is_refused(self) -> None:
        scene = migrate_scene(Phase.PREPARE, (ANNE, ANNE_THERE))
        with pytest.raises(InputError, match="no part of a migration"):
            plan_migrate(replaced(scene, wish=replaced(scene.wish, part=None)))


class TestOneAfterTheOther:
    def test_prepared_enabled_and_undone_is_as_before(self) -> None:
        (far,) = carried_out(prepared(), ANNE_THERE)
        first = enabled(ANNE, far)
        (far,) = carried_out(first, far)
        assert far.licences == (held(A3),)
        undone = plan_migrate(migrate_scene(Phase.UNDO_TARGET, (ANNE, far), left=given_by(first)))
        assert carried_out(undone, far) == (ANNE_THERE,)

    def test_a_second_plan_of_the_same_phase_writes_nothing(self) -> None:
        (far,) = carried_out(prepared(), ANNE_THERE)
        assert prepared(far=far).steps == ()
        (far,) = carried_out(enabled(ANNE, far), far)
        assert enabled(ANNE, far).steps == ()

    def test_a_product_without_exchange_is_whole_at_once(self) -> None:
        here = person("anne", held(EMS))
        plan = prepared(here, sku_id=EMS, travellers=(traveller("anne", source_sku=EMS, target_sku=EMS),))
        assert only(plan)[2] == [(StepKind.ASSIGN, Change(add_sku=EMS))]
        (far,) = carried_out(plan, ANNE_THERE)
        assert only(enabled(here, far, sku_id=EMS))[:2] == (SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD)


_HAD = frozenset(plan.family for plan in MAPPINGS.skus[A1].plans)


class TestForPupils:
    """What a school that decides about plans has not decided about stays off for them, as in a delivery (R28)."""

    NEW = next(plan.plan_id for plan in MAPPINGS.skus[A3].plans if plan.family not in _HAD)

    def given(self, audience: Audience) -> frozenset[ServicePlanId]:
        undecided = MAPPINGS.skus[A3].plan_ids - {self.NEW}
        scene = migrate_scene(
            Phase.PREPARE,
            (replaced(ANNE, licences=(held(A1),)), ANNE_THERE),
            policy=policy(skus={A3: SkuPolicy(known_plans=undecided)}),
            travellers=(traveller("anne", source_sku=A1),),
        )
        wish = replaced(scene.wish, audience=audience)
        return plan_migrate(replaced(scene, wish=wish)).steps[0].change.disabled_plans

    @pytest.mark.parametrize(("audience", "is_off"), [(Audience.STUDENT, True), (Audience.FACULTY, False)])
    def test_it_is_off_in_a_migration_too(self, audience: Audience, is_off: bool) -> None:
        off = self.given(audience)
        assert (self.NEW in off) is is_off
        assert EXCHANGE_A3 in off
