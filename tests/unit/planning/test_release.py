"""What a migration takes in the source, what keeps it from doing so, and how it comes back."""

from datetime import timedelta
from typing import Any

import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import GroupId, ServicePlanId, SkuId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.migration import Phase
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import SkuPolicy
from provisioning.planning.groups import GroupScene
from provisioning.planning.leaving import Taken
from provisioning.planning.plan import Plan
from provisioning.planning.release import plan_release
from tests.unit.planning.migration_scene import (
    EVIDENCE,
    EXCHANGE_A3,
    LONG_AGO,
    SOURCE,
    YAMMER,
    carried_out,
    census,
    definition,
    release_scene,
    taken_by,
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
    NOW,
    held,
    person,
    policy,
    replaced,
    seats,
    tally,
)

THEIRS = GroupId("theirs")
PHONE = next(
    sku.sku_id for sku in MAPPINGS.skus.values() if {"MCOEV"} <= {p.name for p in sku.plans} and len(sku.plans) < 5
)
ANNE = person("anne", held(A3))
SERVED = replaced(there(ANNE), licences=(held(A3),))
OURS = GroupScene(
    target=ObservedGroup(
        group_id=GROUP, nickname="ours", licences=(GroupLicence(A3),), members=frozenset({ANNE.subject_id})
    ),
    ours=frozenset({GROUP}),
)
REMOVED = (StepKind.REMOVE, Change(remove_skus=(A3,)))
OUT_OF_OURS = (StepKind.REMOVE_MEMBER, Change(group_id=GROUP, remove_skus=(A3,)))


def having(*licences: HeldLicence) -> Person:
    return replaced(ANNE, licences=licences)


def served(*licences: HeldLicence) -> Person:
    return replaced(SERVED, licences=licences)


def released(here: Person = ANNE, far: Person = SERVED, **known: Any) -> Plan:
    return plan_release(release_scene(Phase.RELEASE, (here, far), **known))


def only(plan: Plan) -> tuple[SubjectState, Reason | None, list[tuple[StepKind, Change]]]:
    (subject,) = plan.subjects
    return subject.state, subject.reason, [(kind, change) for _, kind, change in writes(plan)]


def told(plan: Plan) -> str:
    return " ".join(plan.subjects[0].notes)


class TestWhatGoes:
    @pytest.mark.parametrize(
        ("licences", "steps"),
        [
            pytest.param((held(A3),), [REMOVED], id="a direct licence"),
            pytest.param((held(A3), held(FOREIGN)), [REMOVED], id="and nothing else"),
            pytest.param((held(A3, group=GROUP),), [OUT_OF_OURS], id="out of our group"),
            pytest.param((held(A3), held(A3, group=GROUP)), [REMOVED, OUT_OF_OURS], id="both"),
            pytest.param((held(A3), held(A3, group=THEIRS, state="Error")), [REMOVED], id="a group's that never came"),
        ],
    )
    def test_goes_in_the_way_it_came(
        self, licences: tuple[HeldLicence, ...], steps: list[tuple[StepKind, Change]]
    ) -> None:
        assert only(released(having(*licences), groups=OURS)) == (SubjectState.PENDING, None, steps)

    def test_waits_for_the_second_look(self) -> None:
        assert released().steps[0].not_before == NOW + timedelta(seconds=5)

    def test_what_the_wish_replaces_goes_too(self) -> None:
        scene = release_scene(Phase.RELEASE, (having(held(A3), held(EMS)), SERVED))
        both = replaced(scene, wish=replaced(scene.wish, replaces=frozenset({EMS})))
        assert only(plan_release(both))[2] == [(StepKind.REMOVE, Change(remove_skus=tuple(sorted((A3, EMS)))))]

    def test_whoever_holds_nothing_is_right(self) -> None:
        assert only(released(having(held(FOREIGN)))) == (SubjectState.ALREADY_RIGHT, Reason.LICENCE_NOT_HELD, [])

    def test_a_group_that_writes_go_through_must_stay_as_it_was(self) -> None:
        assert [one.group_id for one in released(having(held(A3, group=GROUP)), groups=OURS).group] == [GROUP]
        assert released(groups=OURS).group == ()

    @pytest.mark.parametrize(
        "licences",
        [
            pytest.param((held(A3, group=THEIRS),), id="only from theirs"),
            pytest.param((held(A3), held(A3, group=THEIRS)), id="directly too"),
            pytest.param((held(A3, group=GROUP), held(A3, group=THEIRS)), id="from ours too"),
        ],
    )
    def test_a_group_of_others_is_read_never_written(self, licences: tuple[HeldLicence, ...]) -> None:
        plan = released(having(*licences), groups=OURS)
        assert only(plan) == (SubjectState.REFUSED, Reason.INHERITED_FROM_GROUP, [])
        assert THEIRS in told(plan)

    def test_a_group_of_ours_that_others_fill_by_now_is_theirs(self) -> None:
        dynamic = replaced(OURS, target=replaced(OURS.target, is_dynamic=True))
        assert only(released(having(held(A3, group=GROUP)), groups=dynamic))[1] is Reason.INHERITED_FROM_GROUP


class TestNotYet:
    @pytest.mark.parametrize(
        ("ago", "hold", "goes"),
        [
            pytest.param(timedelta(days=30), timedelta(days=30), True, id="thirty days to the second"),
            pytest.param(timedelta(days=29, hours=23), timedelta(days=30), False, id="an hour short"),
            pytest.param(timedelta(days=29), timedelta(days=1), False, id="never less than thirty days"),
            pytest.param(timedelta(days=31), timedelta(days=45), False, id="longer when the file says so"),
            pytest.param(timedelta(days=45), timedelta(days=45), True, id="and then"),
        ],
    )
    def test_the_hold_period(self, ago: timedelta, hold: timedelta, goes: bool) -> None:
        waited = (traveller("anne", enabled_at=NOW - ago, evidence=EVIDENCE),)
        plan = released(travellers=waited, definition=definition(hold_period=hold))
        assert only(plan)[1] is (None if goes else Reason.HOLD_PERIOD_RUNS)

    @pytest.mark.parametrize(
        ("given", "goes"),
        [
            pytest.param(timedelta(0), False, id="just now"),
            pytest.param(timedelta(days=29), False, id="a day short"),
            pytest.param(timedelta(days=30), True, id="long enough ago"),
        ],
    )
    def test_runs_from_the_evidence_when_that_came_later(self, given: timedelta, goes: bool) -> None:
        late = replaced(EVIDENCE, given_at=NOW - given)
        plan = released(travellers=(traveller("anne", enabled_at=LONG_AGO, evidence=late),))
        assert only(plan)[1] is (None if goes else Reason.HOLD_PERIOD_RUNS)

    def test_says_until_when(self) -> None:
        plan = released(travellers=(traveller("anne", enabled_at=NOW - timedelta(days=1)),))
        assert told(plan) == "until 2026-09-15"

    def test_who_never_arrived(self) -> None:
        assert only(released(travellers=(traveller("anne"),)))[1] is Reason.TARGET_NOT_READY


class TestTheMailbox:
    UNSEEN = (traveller("anne", enabled_at=LONG_AGO),)

    def test_is_not_given_up_before_somebody_has_seen_it_arrive(self) -> None:
        """Somebody who had the product in the target already came there without evidence."""
        assert only(released(travellers=self.UNSEEN)) == (SubjectState.REFUSED, Reason.EXCHANGE_NOT_READY, [])

    @pytest.mark.parametrize(
        "licences",
        [
            pytest.param((held(A3, EXCHANGE_A3),), id="there never was one"),
            pytest.param((held(A3), held(A5, group=THEIRS)), id="it stays by something else"),
        ],
    )
    def test_needs_no_evidence_where_none_is_given_up(self, licences: tuple[HeldLicence, ...]) -> None:
        assert only(released(having(*licences), travellers=self.UNSEEN))[2] == [REMOVED]


class TestTheTargetServes:
    @pytest.mark.parametrize(
        ("here", "far", "lacks"),
        [
            pytest.param(ANNE, served(held(A3)), "", id="everything"),
            pytest.param(ANNE, served(held(A5)), "", id="more than everything"),
            pytest.param(ANNE, served(held(A3, group=GROUP)), "", id="by a group"),
            pytest.param(ANNE, served(held(A3, YAMMER)), "yammer", id="a service is off"),
            pytest.param(ANNE, served(held(A3, EXCHANGE_A3)), "exchange", id="still without its mailbox"),
            pytest.param(having(held(A3, YAMMER)), served(held(A3, YAMMER)), "", id="off on both sides"),
            pytest.param(having(held(A3, EXCHANGE_A3)), served(held(A3, EXCHANGE_A3)), "", id="no mailbox anywhere"),
            pytest.param(ANNE, served(held(A3, state="Error")), "exchange", id="a licence in error"),
            pytest.param(ANNE, served(), "exchange", id="nothing"),
            pytest.param(
                having(held(A3), held(A5, group=THEIRS)), served(held(A3, YAMMER)), "", id="what stays here is not lost"
            ),
        ],
    )
    def test_every_service_that_goes(self, here: Person, far: Person, lacks: str) -> None:
        plan = released(here, far)
        assert only(plan)[1] is (Reason.TARGET_NOT_READY if lacks else None)
        assert lacks in told(plan)

    def test_what_the_targets_product_never_had_may_go_and_is_counted(self) -> None:
        plan = released(having(held(A5)), served(held(A3)), sku_id=A5, target_sku=A3)
        assert tally(plan) == {"pending": 1}
        assert plan.losses.families
        assert any("people lose" in sentence for sentence in plan.guard_breaches)

    def test_what_the_target_school_wants_off_may_go(self) -> None:
        no_yammer = policy(skus={A3: SkuPolicy(disabled_plans=frozenset({YAMMER}))})
        assert tally(released(ANNE, served(held(A3, YAMMER)), target_policy=no_yammer)) == {"pending": 1}

    @pytest.mark.parametrize(
        ("far", "target_sku", "off"),
        [
            pytest.param(served(held(A3, EXCHANGE_A3)), A3, {EXCHANGE_A3}, id="the school there wants it off"),
            pytest.param(served(held(EMS)), EMS, set(), id="the product there never had it"),
        ],
    )
    def test_a_mailbox_is_never_left_without_exchange_on_both_sides(
        self, far: Person, target_sku: SkuId, off: set[ServicePlanId]
    ) -> None:
        there = policy(skus={A3: SkuPolicy(disabled_plans=frozenset(off))})
        plan = released(ANNE, far, target_sku=target_sku, target_policy=there)
        assert only(plan) == (SubjectState.REFUSED, Reason.TARGET_NOT_READY, [])
        assert told(plan) == "exchange"

    def test_who_is_gone_from_the_target_keeps_it(self) -> None:
        assert only(released(other=census())) == (SubjectState.REFUSED, Reason.TARGET_NOT_READY, [])

    @pytest.mark.parametrize(
        ("age", "is_complete"),
        [pytest.param(timedelta(hours=1), True, id="an hour"), pytest.param(timedelta(minutes=61), False, id="more")],
    )
    @pytest.mark.parametrize("which", ["census", "other"])
    def test_nothing_rests_on_an_old_look(self, which: str, age: timedelta, is_complete: bool) -> None:
        people = {"census": (ANNE,), "other": (SERVED,)}[which]
        plan = released(**{which: census(*people, observed_at=NOW - age)})
        assert plan.is_complete is is_complete
        assert tally(plan) == ({"pending": 1} if is_complete else {"refused": 1})

    @pytest.mark.parametrize("which", ["census", "other"])
    def test_nor_on_half_a_look(self, which: str) -> None:
        plan = released(**{which: census(ANNE, SERVED, is_complete=False)})
        assert (plan.is_complete, plan.steps) == (False, ())


class TestWhatHangsOnIt:
    def test_an_addon_goes_along_in_the_same_call_when_the_target_has_it_too(self) -> None:
        plan = released(having(held(A3), held(PHONE)), served(held(A3), held(PHONE)))
        assert only(plan)[2] == [(StepKind.REMOVE, Change(remove_skus=tuple(sorted((A3, PHONE)))))]

    def test_else_nothing_goes(self) -> None:
        plan = released(having(held(A3), held(PHONE)), SERVED)
        assert only(plan) == (SubjectState.REFUSED, Reason.DEPENDENCY, [])
        assert "teams_phone" in told(plan)

    def test_nor_when_a_group_brings_it(self) -> None:
        plan = released(having(held(A3), held(PHONE, group=THEIRS)), served(held(A3), held(PHONE)))
        assert only(plan) == (SubjectState.REFUSED, Reason.DEPENDENCY, [])

    def test_an_addon_that_something_else_carries_stays(self) -> None:
        plan = released(having(held(A3), held(A1), held(PHONE)), SERVED)
        assert only(plan)[2] == [REMOVED]

    def test_an_addon_whose_part_is_off_hangs_on_nothing(self) -> None:
        off = held(PHONE, *MAPPINGS.skus[PHONE].plan_ids)
        assert only(released(having(held(A3), off), SERVED))[2] == [REMOVED]

    def test_leaving_our_group_takes_all_that_it_brings(self) -> None:
        both = having(held(A3, group=GROUP), held(EMS, group=GROUP))
        plan = released(both, served(held(A3), held(EMS)), groups=OURS)
        change = Change(group_id=GROUP, remove_skus=tuple(sorted((A3, EMS))))
        assert only(plan)[2] == [(StepKind.REMOVE_MEMBER, change)]

    @pytest.mark.parametrize(
        ("licences", "reason"),
        [
            pytest.param((held(A3), held(FOREIGN, group=THEIRS)), Reason.ENTRA_P1_LOST, id="their last P1"),
            pytest.param((held(A3), held(EMS), held(FOREIGN, group=THEIRS)), None, id="P1 by something else"),
            pytest.param((held(A3), held(FOREIGN)), None, id="nothing through a group"),
        ],
    )
    def test_nobody_keeps_a_groups_licence_without_p1(
        self, licences: tuple[HeldLicence, ...], reason: Reason | None
    ) -> None:
        assert only(released(having(*licences)))[1] is reason


class TestAnyRelease:
    def test_is_always_asked_in_words(self) -> None:
        assert released().guard_breaches[:2] == (
            "wave 1 of the migration: M365EDU_A3_FACULTY is taken from 1 person here, served by the target now",
            "Microsoft deletes what is left of their mailboxes here 30 days later",
        )
        assert plan_release(release_scene(Phase.RELEASE)).needs_approval

    def test_counts_what_is_taken(self) -> None:
        assert released().losses.removals_without_replacement == 1

    @pytest.mark.parametrize("phase", [Phase.PREPARE, Phase.ENABLE, Phase.UNDO_TARGET])
    def test_the_targets_phases_are_planned_elsewhere(self, phase: Phase) -> None:
        with pytest.raises(InputError, match="in the target"):
            plan_release(release_scene(phase, (ANNE, SERVED)))

    def test_who_is_gone_from_the_source(self) -> None:
        assert only(released(census=census(tenant=SOURCE))) == (SubjectState.REFUSED, Reason.NOT_FOUND, [])


class TestUndo:
    def undone(self, here: Person, taken: Taken | None, **known: Any) -> Plan:
        given = {here.subject_id: taken} if taken else {}
        return plan_release(release_scene(Phase.UNDO_SOURCE, (here, SERVED), taken=given, **known))

    @pytest.mark.parametrize(
        "licences",
        [
            pytest.param((held(A3),), id="direct"),
            pytest.param((held(A3, YAMMER), held(FOREIGN)), id="with what was off, beside the rest"),
            pytest.param((held(A3, group=GROUP),), id="through our group"),
            pytest.param((held(A3, YAMMER), held(A3, group=GROUP)), id="both"),
            pytest.param((held(PHONE), held(A3)), id="with its add-on, the product first"),
        ],
    )
    def test_gives_back_exactly_what_was_taken(self, licences: tuple[HeldLicence, ...]) -> None:
        here = having(*licences)
        far = served(*(replaced(one, group_id=None) for one in licences))
        release = released(here, far, groups=OURS)
        (after,) = carried_out(release, here)
        assert not after.holds(A3)
        undone = self.undone(after, taken_by(release, here)[here.subject_id], groups=OURS)
        (again,) = carried_out(undone, after)
        assert set(again.licences) == set(licences)

    def test_the_product_comes_before_what_hangs_on_it(self) -> None:
        taken = Taken((held(PHONE), held(A3)), (Change(remove_skus=(A3, PHONE)),), NOW)
        plan = self.undone(having(), taken)
        assert [change.add_sku for _, change in only(plan)[2]] == [A3, PHONE]

    TAKEN = Taken((held(A3), held(FOREIGN)), (Change(remove_skus=(A3,)),), NOW)

    @pytest.mark.parametrize(
        ("here", "taken", "state", "reason"),
        [
            pytest.param(having(held(FOREIGN)), TAKEN, SubjectState.PENDING, None, id="as we left them"),
            pytest.param(
                having(held(A3), held(FOREIGN)),
                TAKEN,
                SubjectState.ALREADY_RIGHT,
                Reason.ALREADY_HELD,
                id="back already",
            ),
            pytest.param(having(), TAKEN, SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, id="something else went"),
            pytest.param(
                having(held(A1), held(FOREIGN)), TAKEN, SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, id="something came"
            ),
            pytest.param(
                having(held(A3, YAMMER), held(FOREIGN)),
                TAKEN,
                SubjectState.REFUSED,
                Reason.NOT_AS_WE_LEFT,
                id="back, but otherwise",
            ),
            pytest.param(
                having(), None, SubjectState.REFUSED, Reason.NOT_AS_WE_LEFT, id="nothing was taken, and it is gone"
            ),
            pytest.param(
                having(held(A3)), None, SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, id="nothing was taken"
            ),
        ],
    )
    def test_only_who_is_as_we_left_them(
        self, here: Person, taken: Taken | None, state: SubjectState, reason: Reason | None
    ) -> None:
        assert only(self.undone(here, taken))[:2] == (state, reason)

    @pytest.mark.parametrize(
        ("age", "state"),
        [(timedelta(days=30), SubjectState.PENDING), (timedelta(days=30, seconds=1), SubjectState.REFUSED)],
    )
    def test_not_after_microsoft_deleted_what_was_there(self, age: timedelta, state: SubjectState) -> None:
        plan = self.undone(having(held(FOREIGN)), replaced(self.TAKEN, at=NOW - age))
        assert only(plan)[0] is state
        if state is SubjectState.REFUSED:
            [one] = plan.subjects
            assert one.reason is Reason.NOT_AS_WE_LEFT
            assert "Microsoft kept what was there for 30 days" in one.notes[0]

    def test_who_has_it_back_already_may_go_on_at_any_time(self) -> None:
        old = replaced(self.TAKEN, at=NOW - timedelta(days=300))
        assert only(self.undone(having(held(A3), held(FOREIGN)), old))[0] is SubjectState.ALREADY_RIGHT

    def test_needs_a_free_seat(self) -> None:
        plan = self.undone(having(held(FOREIGN)), self.TAKEN, seats=seats(0))
        assert only(plan) == (SubjectState.WAITING, Reason.SEATS_INSUFFICIENT, [])

    def test_needs_the_group_it_came_from(self) -> None:
        taken = Taken((held(A3, group=GROUP),), (Change(group_id=GROUP, remove_skus=(A3,)),), NOW)
        plan = self.undone(having(), taken)
        assert only(plan) == (SubjectState.REFUSED, Reason.GROUP_GONE, [])

    def test_needs_a_usage_location(self) -> None:
        plan = self.undone(replaced(having(held(FOREIGN)), usage_location=None), self.TAKEN)
        assert only(plan) == (SubjectState.REFUSED, Reason.USAGE_LOCATION, [])

    def test_is_always_asked_in_words(self) -> None:
        plan = self.undone(having(held(FOREIGN)), self.TAKEN)
        assert plan.guard_breaches[0] == (
            "wave 1 of the migration is rolled back: what its release took comes back here, for 1 person"
        )
