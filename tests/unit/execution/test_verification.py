from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import GroupId, SkuId
from provisioning.domain.lifecycle import STEP_ENDS, STEP_TRANSITIONS, StepState, SubjectState
from provisioning.domain.observation import HeldLicence, LicenceState, Person
from provisioning.domain.operation import Addition, BeforeImage, Change, Outcome, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.execution.outcome import Direction, Ruling, outcome_of, rule
from provisioning.execution.verification import (
    goal_met,
    is_unchanged,
    rule_early,
    rule_observed,
    rule_still_member,
    with_receipts,
)
from tests.unit.execution.steps import (
    A1,
    A3,
    ASSIGN,
    GROUP,
    KINDS,
    LIMITS,
    LOCATION,
    NOW,
    OTHER,
    REMOVE,
    SWAP,
    TENANT,
    YAMMER,
    person,
    receipt,
    record,
    seconds,
)

OFF = frozenset({YAMMER})
ADDON, NEW_ADDON = SkuId("addon"), HeldLicence(OTHER, OFF)
ALONG = Change(add_sku=A3, remove_skus=(A1, ADDON), also_add=(Addition(OTHER, OFF),))
OLD, NEW = HeldLicence(A1), HeldLicence(A3, OFF)
GROUPED = HeldLicence(OTHER, group_id=GROUP)
SETTLED = NOW + LIMITS.settle
LATE = NOW + LIMITS.verify_deadline + seconds(1)


class TestGoalMet:
    @pytest.mark.parametrize(
        ("change", "seen", "expected"),
        [
            pytest.param(SWAP, person(NEW), True, id="swapped"),
            pytest.param(SWAP, person(OLD), False, id="not swapped"),
            pytest.param(SWAP, person(OLD, NEW), False, id="added, the old one not removed"),
            pytest.param(SWAP, person(), False, id="both gone"),
            pytest.param(SWAP, person(HeldLicence(A3)), False, id="a plan is on that should be off"),
            pytest.param(SWAP, person(HeldLicence(A3, OFF, GROUP)), False, id="only through a group"),
            pytest.param(SWAP, person(NEW, HeldLicence(A1, group_id=GROUP)), True, id="a group may give the old one"),
            pytest.param(SWAP, person(HeldLicence(A3, OFF, state="Error")), False, id="assigned, not active"),
            pytest.param(
                SWAP,
                person(HeldLicence(A3, OFF, state="ActiveWithError", error="Other")),
                False,
                id="active with error",
            ),
            pytest.param(SWAP, person(NEW, HeldLicence(OTHER)), True, id="others' products are not our goal"),
            pytest.param(ALONG, person(HeldLicence(A3), NEW_ADDON), True, id="swapped, and its add-on with it"),
            pytest.param(ALONG, person(HeldLicence(A3)), False, id="the add-on did not come"),
            pytest.param(
                ALONG, person(HeldLicence(A3), HeldLicence(OTHER)), False, id="the add-on with a plan too many"
            ),
            pytest.param(
                ALONG, person(HeldLicence(A3), NEW_ADDON, HeldLicence(ADDON)), False, id="its old self stayed"
            ),
            pytest.param(ASSIGN, person(HeldLicence(A3)), True, id="assigned"),
            pytest.param(ASSIGN, person(NEW), False, id="a plan is off that should be on"),
            pytest.param(REMOVE, person(NEW), True, id="removed"),
            pytest.param(REMOVE, person(OLD), False, id="not removed"),
            pytest.param(LOCATION, person(usage_location="nl"), True, id="located, in whatever case"),
            pytest.param(LOCATION, person(usage_location="BE"), False, id="located elsewhere"),
            pytest.param(LOCATION, person(usage_location=None), False, id="located nowhere"),
        ],
    )
    def test_when_a_person_is_as_wanted(self, change: Change, seen: Person, *, expected: bool) -> None:
        assert goal_met(seen, change) is expected


class TestIsUnchanged:
    BEFORE = BeforeImage(licences=(OLD, GROUPED), usage_location="NL")

    @pytest.mark.parametrize(
        ("seen", "expected"),
        [
            pytest.param(person(GROUPED, OLD), True, id="the same in another order"),
            pytest.param(person(OLD), False, id="a licence less"),
            pytest.param(person(OLD, GROUPED, NEW), False, id="a licence more"),
            pytest.param(person(OLD, HeldLicence(OTHER)), False, id="direct instead of through a group"),
            pytest.param(person(HeldLicence(A1, OFF), GROUPED), False, id="a plan switched off"),
            pytest.param(
                person(OLD, GROUPED, HeldLicence(A3, state="Error")),
                True,
                id="a failed one more",
            ),
            pytest.param(person(OLD, GROUPED, usage_location="BE"), False, id="another location"),
            pytest.param(person(OLD, GROUPED, is_enabled=False), False, id="closed meanwhile"),
        ],
    )
    def test_whether_somebody_else_changed_the_person(self, seen: Person, *, expected: bool) -> None:
        assert is_unchanged(self.BEFORE, seen) is expected

    @pytest.mark.parametrize(("own", "expected"), [(True, True), (False, False)], ids=["ours", "not ours"])
    def test_our_own_earlier_step_set_the_location(self, *, own: bool, expected: bool) -> None:
        before = msgspec.structs.replace(self.BEFORE, usage_location=None)
        changes = [Change(usage_location="NL")] if own else []
        assert is_unchanged(before, person(*self.BEFORE.licences), changes) is expected


class TestWithReceipts:
    def test_our_receipts_outrank_what_a_replica_shows(self) -> None:
        swap, location = record(), record(StepKind.SET_USAGE_LOCATION)
        current = with_receipts(person(OLD, HeldLicence(OTHER), usage_location=None), [location, swap])
        assert current == person(HeldLicence(OTHER), NEW, usage_location="NL")

    def test_a_replica_that_caught_up_shows_the_same(self) -> None:
        assert with_receipts(person(NEW), [record()]) == person(NEW)

    @pytest.mark.parametrize(
        ("attempts", "expected"),
        [(1, (StepState.PENDING, Reason.NO_ANSWER)), (LIMITS.max_refusals, (StepState.FAILED, Reason.NO_ANSWER))],
    )
    def test_who_was_asked_about_in_vain_is_asked_about_again(
        self, attempts: int, expected: tuple[StepState, Reason]
    ) -> None:
        lost = record(StepKind.REPROCESS, state=StepState.UNKNOWN, attempts=attempts, sent_at=NOW)
        change = Change(group_id=GROUP, add_sku=A3)
        lost = msgspec.structs.replace(lost, step=msgspec.structs.replace(lost.step, change=change))
        failed = HeldLicence(A3, group_id=GROUP, state=LicenceState.ERROR, error="MutuallyExclusiveViolation")
        assert rule_observed(lost, person(failed), NOW, LIMITS, 0).step.state is StepState.UNKNOWN
        ruling = rule_observed(lost, person(failed), SETTLED, LIMITS, 0)
        assert (ruling.step.state, ruling.step.reason) == expected
        assert ruling.step.receipt is not None
        assert ruling.step.receipt.outcome is Outcome.FOUND_ABSENT

    @pytest.mark.parametrize(("state", "held"), [(StepState.APPLIED, False), (StepState.VERIFIED, True)])
    def test_who_joined_a_group_has_its_licence_once_it_was_read_back(self, state: StepState, held: bool) -> None:
        joined = record(StepKind.ADD_MEMBERS, state=state)
        change = Change(group_id=GROUP, add_sku=A3)
        joined = msgspec.structs.replace(joined, step=msgspec.structs.replace(joined.step, change=change))
        assert bool(with_receipts(person(), [joined]).holds(A3)) is held

    def test_what_a_group_gives_stays(self) -> None:
        inherited = HeldLicence(A1, group_id=GROUP)
        assert with_receipts(person(OLD, inherited), [record()]).licences == (inherited, NEW)

    def test_what_a_school_chose_after_us_is_no_lag(self) -> None:
        """The product that we gave is there, and more is off than we and anybody before us switched off."""
        given = record(StepKind.ASSIGN, before=BeforeImage())
        chosen = HeldLicence(A3, frozenset({YAMMER}))
        assert with_receipts(person(chosen), [given]) == person(chosen)

    def test_a_replica_that_shows_an_earlier_write_of_ours_is_behind(self) -> None:
        before = BeforeImage(licences=(NEW,))
        first = record(StepKind.ASSIGN, before=BeforeImage())
        second = record(StepKind.ASSIGN, number=2, before=before)
        step = msgspec.structs.replace(first.step, change=Change(add_sku=A3, disabled_plans=OFF))
        first = msgspec.structs.replace(first, step=step)
        assert with_receipts(person(NEW), [first, second]) == person(HeldLicence(A3))

    def test_everything_else_about_the_person_stays(self) -> None:
        seen = person(OLD, domain="example.org", is_enabled=False, is_guest=True, attributes={"department": "x"})
        current = with_receipts(seen, [record()])
        assert msgspec.structs.replace(current, licences=seen.licences) == seen


def observed(seen: Person | None, now: datetime = SETTLED, looks: int = 0, **known: Any) -> Ruling:
    kind = known.pop("kind", StepKind.SWAP)
    return rule_observed(record(kind, **known), seen, now, LIMITS, looks)


APPLIED = {"state": StepState.APPLIED, "applied_at": NOW}
HORIZON = NOW + LIMITS.lag_horizon
UNKNOWN = {"state": StepState.UNKNOWN, "reason": Reason.NO_ANSWER}
REFUSED_SWAP = {"state": StepState.UNKNOWN, "reason": Reason.LICENCE_NOT_HELD}


class TestRuleObserved:
    @pytest.mark.parametrize(
        ("standing", "outcome"),
        [(APPLIED, None), (UNKNOWN, Outcome.FOUND_DONE), (REFUSED_SWAP, Outcome.FOUND_DONE)],
        ids=["applied has its line", "unknown gets it now", "a refused swap gets it now"],
    )
    def test_what_is_true_is_verified(self, standing: dict[str, Any], outcome: Outcome | None) -> None:
        ruling = observed(person(NEW), **standing)
        assert (ruling.step.state, ruling.step.at) == (StepState.VERIFIED, SETTLED)
        assert (ruling.step.receipt and ruling.step.receipt.outcome) is outcome

    def test_what_is_true_too_late_is_true(self) -> None:
        assert observed(person(NEW), LATE, **APPLIED).step.state is StepState.VERIFIED

    @pytest.mark.parametrize(
        ("looks", "wait"), [(0, 2), (1, 5), (4, 300), (40, 300)], ids=["first", "second", "fifth", "later"]
    )
    def test_what_was_accepted_and_is_not_seen_is_looked_at_again(self, looks: int, wait: int) -> None:
        ruling = observed(person(OLD), looks=looks, **APPLIED)
        assert (ruling.step.state, ruling.step.not_before) == (StepState.APPLIED, SETTLED + seconds(wait))
        assert ruling.subject is None

    @pytest.mark.parametrize(
        ("now", "state"),
        [(LATE - seconds(1), StepState.APPLIED), (LATE, StepState.FAILED)],
        ids=["at the deadline", "after it"],
    )
    def test_what_was_accepted_must_be_true_in_time(self, now: datetime, state: StepState) -> None:
        ruling = observed(person(OLD), now, **APPLIED)
        assert ruling.step.state is state
        assert (ruling.subject is not None) is (state is StepState.FAILED)

    @pytest.mark.parametrize(
        ("now", "state"),
        [(SETTLED - seconds(1), StepState.UNKNOWN), (SETTLED, StepState.PENDING)],
        ids=["before it settled", "settled"],
    )
    def test_absence_is_believed_only_after_settle(self, now: datetime, state: StepState) -> None:
        ruling = observed(person(OLD), now, **UNKNOWN)
        assert ruling.step.state is state
        assert ruling.step.not_before == (SETTLED if state is StepState.UNKNOWN else None)
        assert (ruling.step.receipt is not None) is (state is StepState.PENDING)

    @pytest.mark.parametrize(
        ("now", "doubt"),
        [(SETTLED, Reason.NO_ANSWER), (HORIZON - seconds(1), Reason.NO_ANSWER), (HORIZON, None)],
        ids=["settled", "before the horizon", "at the horizon"],
    )
    def test_absence_is_sure_only_once_no_replica_can_be_as_old(self, now: datetime, doubt: Reason | None) -> None:
        ruling = observed(person(OLD), now, **UNKNOWN)
        assert (ruling.step.state, ruling.step.reason) == (StepState.PENDING, doubt)

    def test_what_is_absent_is_sent_again_and_the_look_is_on_record(self) -> None:
        ruling = observed(person(OLD), **UNKNOWN)
        assert ruling.step.reason is Reason.NO_ANSWER
        assert ruling.step.receipt is not None
        assert ruling.step.receipt.outcome is Outcome.FOUND_ABSENT

    def test_what_came_with_other_plans_off_was_chosen_by_the_school_and_is_not_sent_again(self) -> None:
        ruling = observed(person(HeldLicence(A3, frozenset({YAMMER, "sway"}))), **UNKNOWN)
        assert (ruling.step.state, ruling.step.reason) == (StepState.SKIPPED, Reason.CHANGED_MEANWHILE)
        assert ruling.step.receipt is not None
        assert ruling.step.receipt.outcome is Outcome.FOUND_DONE
        assert ruling.subject is not None
        assert ruling.subject.state is SubjectState.CHANGED_MEANWHILE

    def test_other_plans_of_a_licence_that_was_held_before_are_still_ours_to_set(self) -> None:
        before = BeforeImage(licences=(HeldLicence(A3),))
        ruling = observed(person(HeldLicence(A3)), before=before, **UNKNOWN)
        assert ruling.step.state is StepState.PENDING

    def test_a_long_stop_between_sending_and_looking_fails_nobody(self) -> None:
        assert observed(person(OLD), LATE, **UNKNOWN).step.state is StepState.PENDING

    @pytest.mark.parametrize(
        ("attempts", "state"),
        [(LIMITS.max_refusals - 1, StepState.PENDING), (LIMITS.max_refusals, StepState.FAILED)],
        ids=["once more", "once too often"],
    )
    def test_answers_are_lost_a_limited_number_of_times(self, attempts: int, state: StepState) -> None:
        ruling = observed(person(OLD), attempts=attempts, **UNKNOWN)
        assert ruling.step.state is state
        assert ruling.subject is None or (ruling.subject.state, ruling.subject.reason) == (
            SubjectState.FAILED,
            Reason.NO_ANSWER,
        )

    @pytest.mark.parametrize("standing", [APPLIED, UNKNOWN, REFUSED_SWAP], ids=["applied", "unknown", "refused swap"])
    def test_whom_graph_knows_no_more_has_failed(self, standing: dict[str, Any]) -> None:
        ruling = observed(None, **standing)
        assert (ruling.step.state, ruling.step.reason) == (StepState.FAILED, Reason.NOT_FOUND)
        assert ruling.subject is not None
        assert (ruling.subject.state, ruling.subject.reason) == (SubjectState.FAILED, Reason.NOT_FOUND)

    def test_a_refused_swap_whose_old_licence_is_gone_is_planned_anew(self) -> None:
        ruling = observed(person(), **REFUSED_SWAP)
        assert (ruling.step.state, ruling.direction) == (StepState.SKIPPED, Direction.REPLAN)
        assert ruling.subject is None

    def test_a_refused_swap_whose_old_licence_still_shows_is_looked_at_by_another_replica(self) -> None:
        ruling = observed(person(OLD), looks=1, **REFUSED_SWAP)
        assert (ruling.step.state, ruling.step.reason) == (StepState.UNKNOWN, Reason.LICENCE_NOT_HELD)
        assert ruling.step.not_before == SETTLED + seconds(5)

    def test_but_not_for_ever(self) -> None:
        ruling = observed(person(OLD), LATE, **REFUSED_SWAP)
        assert (ruling.step.state, ruling.step.reason) == (StepState.FAILED, Reason.NOT_VERIFIED_IN_TIME)

    @given(
        st.sampled_from([APPLIED, UNKNOWN, REFUSED_SWAP]),
        st.sampled_from(list(KINDS)),
        st.none() | st.builds(person, st.just(OLD)) | st.builds(person) | st.builds(person, st.just(NEW)),
        st.timedeltas(timedelta(0), timedelta(days=2)),
        st.integers(0, 50),
        st.integers(1, 50),
    )
    def test_whatever_is_seen_leads_where_a_step_may_go(
        self,
        standing: dict[str, Any],
        kind: StepKind,
        seen: Person | None,
        passed: timedelta,
        looks: int,
        attempts: int,
    ) -> None:
        state = standing["state"]
        ruling = observed(seen, NOW + passed, looks, kind=kind, attempts=attempts, **standing)

        assert ruling.step.state in STEP_TRANSITIONS[state] | {state}
        assert ruling.step.state is not state or (ruling.step.not_before or NOW) > NOW + passed
        ends_in_vain = ruling.step.state in STEP_ENDS - {StepState.VERIFIED}
        assert (ruling.subject is not None) is (ends_in_vain and ruling.direction is not Direction.REPLAN)
        if state is StepState.UNKNOWN and passed < LIMITS.settle:
            assert ruling.step.state is not StepState.PENDING
        if state is StepState.UNKNOWN and ruling.step.state is not StepState.UNKNOWN:
            assert ruling.step.receipt is not None

    @pytest.mark.parametrize(
        ("answer", "seen"),
        [
            pytest.param(receipt(Outcome.ACCEPTED), person(NEW), id="accepted and seen"),
            pytest.param(receipt(Outcome.UNKNOWN), person(NEW), id="lost and done"),
            pytest.param(receipt(Outcome.UNKNOWN), person(OLD), id="lost and not done"),
            pytest.param(receipt(Outcome.UNKNOWN), None, id="lost, and the person too"),
            pytest.param(receipt(Outcome.REFUSED, reason=Reason.LICENCE_NOT_HELD), person(NEW), id="refused and done"),
            pytest.param(receipt(Outcome.REFUSED, reason=Reason.LICENCE_NOT_HELD), person(), id="refused and gone"),
            pytest.param(receipt(Outcome.REFUSED, reason=Reason.LICENCE_NOT_HELD), None, id="refused, nobody there"),
        ],
    )
    def test_each_attempt_that_became_certain_has_exactly_one_line(self, answer: Any, seen: Person | None) -> None:
        sent = record()
        at_once = outcome_of(TENANT, [sent], [answer], NOW, LIMITS)
        stands = msgspec.structs.replace(sent, state=at_once.steps[0].state, reason=at_once.steps[0].reason)
        found = rule_observed(stands, seen, SETTLED, LIMITS, 0)
        assert len(at_once.events) + (found.step.receipt is not None) == 1


class TestRuleEarly:
    """An unanswered write that undoes an earlier one of ours."""

    GIVEN = record(StepKind.ASSIGN, number=2, state=StepState.VERIFIED, applied_at=NOW)
    TAKEN = record(StepKind.REMOVE, number=2, state=StepState.VERIFIED, applied_at=NOW)

    def early(self, change: Change, earlier: StepRecord, now: datetime, **known: Any) -> Ruling | None:
        undoing = record(StepKind.REMOVE, **(UNKNOWN | known))
        step = msgspec.structs.replace(undoing.step, change=change)
        return rule_early(msgspec.structs.replace(undoing, step=step), [earlier], now, LIMITS)

    @pytest.mark.parametrize(
        ("change", "earlier"),
        [
            pytest.param(Change(remove_skus=(A3,)), GIVEN, id="it takes what was given"),
            pytest.param(Change(add_sku=A1), TAKEN, id="it gives what was taken"),
        ],
    )
    def test_is_not_judged_while_a_replica_may_not_know_that_one(self, change: Change, earlier: StepRecord) -> None:
        ruling = self.early(change, earlier, NOW + LIMITS.lag_horizon - seconds(1))
        assert ruling is not None
        assert (ruling.step.state, ruling.step.not_before) == (StepState.UNKNOWN, NOW + LIMITS.lag_horizon)
        assert ruling.subject is None

    def test_is_judged_afterwards(self) -> None:
        assert self.early(Change(remove_skus=(A3,)), self.GIVEN, NOW + LIMITS.lag_horizon) is None

    def test_what_has_nothing_to_do_with_it_is_judged_at_once(self) -> None:
        assert self.early(Change(remove_skus=(OTHER,)), self.GIVEN, SETTLED) is None

    def test_what_was_accepted_is_judged_at_once(self) -> None:
        assert self.early(Change(remove_skus=(A3,)), self.GIVEN, SETTLED, **APPLIED) is None


class TestNoSwapLosesBoth:
    """Refused because the old licence is not held: whatever the person has by then, they end with the new one."""

    @pytest.mark.parametrize(
        ("seen", "ends"),
        [
            pytest.param(person(NEW), StepState.VERIFIED, id="an earlier attempt did it after all"),
            pytest.param(person(), StepState.SKIPPED, id="somebody took the old one: an assignment is planned"),
            pytest.param(person(OLD), StepState.UNKNOWN, id="a replica is behind: look again"),
            pytest.param(person(HeldLicence(A3)), StepState.SKIPPED, id="somebody gave the new one otherwise"),
        ],
    )
    def test_nothing_is_removed_and_nobody_is_given_up(self, seen: Person, ends: StepState) -> None:
        refusal = receipt(Outcome.REFUSED, reason=Reason.LICENCE_NOT_HELD)
        first = rule(record(), refusal, NOW, LIMITS)
        stands = record(state=first.step.state, reason=first.step.reason)
        ruling = rule_observed(stands, seen, NOW, LIMITS, 0)
        assert ruling.step.state is ends
        assert ruling.subject is None
        assert ruling.step.state not in STEP_ENDS - {StepState.VERIFIED} or ruling.direction is Direction.REPLAN


JOIN, LEAVE = Change(group_id=GROUP, add_sku=A3), Change(group_id=GROUP, remove_skus=(A3,))


def joined(state: StepState = StepState.APPLIED, kind: StepKind = StepKind.ADD_MEMBERS, **known: Any) -> StepRecord:
    found = record(kind, state=state, **known)
    return msgspec.structs.replace(found, step=msgspec.structs.replace(found.step, change=JOIN))


def failed_in_group(error: str) -> Person:
    return person(HeldLicence(A3, group_id=GROUP, state="Error", error=error))


class TestOfAGroupBothWays:
    """Somebody leaves a group and joins it again, or the reverse: an old replica shows them as before both."""

    SENT = NOW + timedelta(hours=6)

    def early(self, earlier: Change, now: datetime, state: StepState = StepState.APPLIED) -> Ruling | None:
        before = record(StepKind.REMOVE_MEMBER, number=2, state=StepState.VERIFIED, applied_at=NOW)
        left = msgspec.structs.replace(before, step=msgspec.structs.replace(before.step, change=earlier))
        return rule_early(joined(state, sent_at=self.SENT), [left], now, LIMITS)

    @pytest.mark.parametrize("state", [StepState.APPLIED, StepState.UNKNOWN])
    def test_is_not_judged_before_every_replica_knows_the_second(self, state: StepState) -> None:
        """However long ago the first was accepted: Microsoft carried it out later, and nobody knows when."""
        ruling = self.early(LEAVE, self.SENT + LIMITS.lag_horizon - seconds(1), state)
        assert ruling is not None
        assert (ruling.step.state, ruling.step.not_before) == (state, self.SENT + LIMITS.lag_horizon)
        assert self.early(LEAVE, self.SENT + LIMITS.lag_horizon, state) is None

    @pytest.mark.parametrize(
        "earlier",
        [
            pytest.param(JOIN, id="they joined before, too"),
            pytest.param(Change(remove_skus=(A3,)), id="a direct licence went"),
            pytest.param(Change(group_id=GroupId("another"), remove_skus=(A3,)), id="they left another group"),
        ],
    )
    def test_what_undoes_nothing_of_that_group_is_judged_at_once(self, earlier: Change) -> None:
        assert self.early(earlier, self.SENT + seconds(2)) is None


class TestThroughGroups:
    @pytest.mark.parametrize(
        ("change", "seen", "expected"),
        [
            pytest.param(JOIN, person(HeldLicence(A3, OFF, GROUP)), True, id="the group's plans are its own"),
            pytest.param(JOIN, person(HeldLicence(A3)), False, id="a direct one is another"),
            pytest.param(JOIN, person(HeldLicence(A3, group_id=GROUP, state="Error")), False, id="not active"),
            pytest.param(
                Change(group_id=GROUP, remove_skus=(A3,)), person(HeldLicence(A3)), True, id="out, has their own"
            ),
            pytest.param(
                Change(group_id=GROUP, remove_skus=(A3,)), person(HeldLicence(A3, OFF, GROUP)), False, id="in"
            ),
        ],
    )
    def test_goal(self, change: Change, seen: Person, expected: bool) -> None:
        assert goal_met(seen, change) is expected

    def test_microsoft_has_a_day_for_a_group(self) -> None:
        last = rule_observed(joined(applied_at=NOW), person(), NOW + LIMITS.group_deadline, LIMITS, 0)
        over = rule_observed(joined(applied_at=NOW), person(), NOW + LIMITS.group_deadline + seconds(1), LIMITS, 0)
        assert (last.step.state, over.step.state) == (StepState.APPLIED, StepState.FAILED)

    def test_without_a_seat_they_wait(self) -> None:
        ruling = rule_observed(joined(), failed_in_group("CountViolation"), NOW, LIMITS, 0)
        assert ruling.step.state is StepState.FAILED
        assert ruling.subject is not None
        assert (ruling.subject.state, ruling.subject.reason) == (SubjectState.WAITING, Reason.SEATS_INSUFFICIENT)

    def test_anything_else_is_planned_anew(self) -> None:
        ruling = rule_observed(joined(), failed_in_group("DependencyViolation"), NOW, LIMITS, 0)
        assert (ruling.step.state, ruling.direction, ruling.subject) == (StepState.FAILED, Direction.REPLAN, None)

    def test_asked_for_once_more_it_is_theirs_when_replicas_had_their_time(self) -> None:
        again = joined(kind=StepKind.REPROCESS)
        early = rule_observed(again, failed_in_group("Other"), NOW + seconds(1), LIMITS, 0)
        late = rule_observed(again, failed_in_group("Other"), NOW + LIMITS.lag_horizon, LIMITS, 0)
        assert early.step.state is StepState.APPLIED
        assert late.subject is not None
        assert (late.subject.state, late.subject.reason) == (SubjectState.REFUSED, Reason.GRAPH_OTHER)

    def test_what_a_lost_call_did_is_on_record_even_if_it_did_not_help(self) -> None:
        lost = joined(StepState.UNKNOWN, reason=Reason.NO_ANSWER)
        ruling = rule_observed(lost, failed_in_group("CountViolation"), NOW, LIMITS, 0)
        assert ruling.step.receipt is not None
        assert ruling.step.receipt.outcome is Outcome.FOUND_DONE

    def test_said_to_be_a_member_they_are_looked_for_as_long_as_replicas_may_lag(self) -> None:
        member = joined(StepState.UNKNOWN, reason=Reason.MEMBER_ALREADY)
        early = rule_observed(member, person(), NOW + LIMITS.settle, LIMITS, 0)
        late = rule_observed(member, person(), NOW + LIMITS.lag_horizon, LIMITS, 0)
        assert early.step.state is StepState.UNKNOWN
        assert (late.step.state, late.step.reason) == (StepState.PENDING, Reason.MEMBER_ALREADY)

    def test_what_our_earlier_steps_did_is_nobody_else_s_change(self) -> None:
        before = BeforeImage(licences=(HeldLicence(A3),), usage_location="NL")
        both = person(HeldLicence(A3), HeldLicence(A3, group_id=GROUP))
        assert is_unchanged(before, both, [JOIN])
        assert not is_unchanged(before, both)


class TestAddOnsThatGoAlong:
    """One call gives two licences and takes two: it is done, undone and looked for as one."""

    WAS = (HeldLicence(A1), HeldLicence(ADDON))

    def along(self, **known: Any) -> StepRecord:
        known = {"before": BeforeImage(licences=self.WAS), "state": StepState.UNKNOWN} | known
        plain = record(StepKind.SWAP, **known)
        return msgspec.structs.replace(plain, step=msgspec.structs.replace(plain.step, change=ALONG))

    def test_laid_over_a_replica_both_are_there_and_both_are_gone(self) -> None:
        seen = with_receipts(person(*self.WAS), [self.along(state=StepState.APPLIED)])
        assert set(seen.licences) == {HeldLicence(A3), NEW_ADDON}

    def test_our_own_write_is_nobody_else_s_change(self) -> None:
        before = BeforeImage(licences=self.WAS, usage_location="NL")
        assert is_unchanged(before, person(HeldLicence(A3), NEW_ADDON), [ALONG])
        assert not is_unchanged(before, person(HeldLicence(A3)), [ALONG])

    def test_refused_because_the_add_on_is_gone_it_is_planned_anew(self) -> None:
        told = rule_observed(self.along(reason=Reason.LICENCE_NOT_HELD), person(HeldLicence(A1)), NOW, LIMITS, 0)
        assert (told.direction, told.step.state) == (Direction.REPLAN, StepState.SKIPPED)

    def test_refused_while_a_replica_still_shows_both_it_is_looked_at_again(self) -> None:
        told = rule_observed(self.along(reason=Reason.LICENCE_NOT_HELD), person(*self.WAS), NOW, LIMITS, 0)
        assert (told.direction, told.step.state) == (Direction.CONTINUE, StepState.UNKNOWN)

    def test_an_add_on_in_which_somebody_chose_other_plans_is_left_as_they_chose(self) -> None:
        seen = person(HeldLicence(A3), HeldLicence(OTHER))
        told = rule_observed(self.along(), seen, SETTLED, LIMITS, 0)
        assert told.subject is not None
        assert told.subject.state is SubjectState.CHANGED_MEANWHILE

    def test_what_takes_the_new_add_on_away_undoes_it(self) -> None:
        taking = record(StepKind.REMOVE, number=2, state=StepState.UNKNOWN)
        step = msgspec.structs.replace(taking.step, change=Change(remove_skus=(OTHER,)))
        taking = msgspec.structs.replace(taking, step=step)
        assert rule_early(taking, [self.along(state=StepState.APPLIED, applied_at=NOW)], NOW, LIMITS) is not None


class TestALeaveThatTheGroupDoesNotShow:
    """Its licence may never have come to the person: that it is not there says nothing."""

    def left(self, after: timedelta, **known: Any) -> Ruling:
        lost = record(StepKind.REMOVE_MEMBER, state=StepState.UNKNOWN, **known)
        return rule_still_member(lost, NOW + after, LIMITS, 0)

    def test_is_looked_at_again_while_a_replica_may_be_behind(self) -> None:
        step = self.left(LIMITS.lag_horizon - seconds(1)).step
        assert (step.state, step.receipt) == (StepState.UNKNOWN, None)
        assert step.not_before is not None

    def test_is_sent_again_after_that(self) -> None:
        step = self.left(LIMITS.lag_horizon).step
        assert step.state is StepState.PENDING
        assert step.receipt is not None
        assert step.receipt.outcome is Outcome.FOUND_ABSENT

    def test_is_not_sent_again_for_ever(self) -> None:
        ruling = self.left(LIMITS.lag_horizon, attempts=LIMITS.max_refusals)
        assert ruling.step.state is StepState.FAILED
        assert ruling.subject is not None
