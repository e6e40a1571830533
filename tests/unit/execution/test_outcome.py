from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import AttemptId
from provisioning.domain.lifecycle import STEP_TRANSITIONS, SUBJECT_TRANSITIONS, StepState, SubjectState
from provisioning.domain.operation import Change, Outcome, Receipt, StepKind
from provisioning.domain.reasons import Reason
from provisioning.execution.outcome import ChunkOutcome, Direction, Ruling, outcome_of, rule
from tests.unit.execution.steps import (
    A1,
    A3,
    GROUP,
    KINDS,
    LIMITS,
    NOW,
    OPERATION,
    TENANT,
    receipt,
    record,
    seconds,
)

FROM_THE_GATEWAY = (Outcome.ACCEPTED, Outcome.REFUSED, Outcome.NOT_SENT, Outcome.UNKNOWN)
REQUEST = "d2a81f60-4c77-4b0e-9a35-1be0c6f75001"


def ruled(answer: Receipt, kind: StepKind = StepKind.SWAP, attempts: int = 1) -> Ruling:
    return rule(record(kind, attempts=attempts), answer, NOW, LIMITS)


class TestRule:
    def test_accepted_is_applied_not_verified(self) -> None:
        ruling = ruled(receipt(Outcome.ACCEPTED))
        assert (ruling.step.state, ruling.step.at, ruling.subject) == (StepState.APPLIED, NOW, None)

    @pytest.mark.parametrize("sent_at", [NOW - seconds(20), None], ids=["as sent", "as far as known"])
    def test_a_lost_answer_waits_until_it_has_settled(self, sent_at: object) -> None:
        ruling = ruled(receipt(Outcome.UNKNOWN, sent_at=sent_at))
        assert (ruling.step.state, ruling.step.reason) == (StepState.UNKNOWN, Reason.NO_ANSWER)
        assert ruling.step.not_before == (sent_at or NOW) + LIMITS.settle  # type: ignore[operator]
        assert ruling.subject is None

    @pytest.mark.parametrize(
        ("answer", "state", "direction", "wait"),
        [
            pytest.param(
                receipt(Outcome.NOT_SENT, reason=Reason.THROTTLED, retryable=True, after=seconds(7)),
                StepState.PENDING, Direction.CONTINUE, 7, id="no quota: as long as the quota says",
            ),
            pytest.param(
                receipt(Outcome.NOT_SENT, reason=Reason.TRANSIENT, retryable=True),
                StepState.PENDING, Direction.CONTINUE, 2, id="no connection: soon",
            ),
            pytest.param(
                receipt(Outcome.NOT_SENT, reason=Reason.CONSENT_REVOKED, tenant_wide=True),
                StepState.PENDING, Direction.STOP_TENANT, None, id="no token: the tenant stops",
            ),
            pytest.param(
                receipt(Outcome.NOT_SENT, reason=Reason.TENANT_MISMATCH),
                StepState.FAILED, Direction.CONTINUE, None, id="meant for another tenant: never",
            ),
            pytest.param(
                receipt(Outcome.NOT_SENT, reason=Reason.REQUEST_MALFORMED),
                StepState.FAILED, Direction.CONTINUE, None, id="no such request: never",
            ),
        ],
    )  # fmt: skip
    def test_what_never_left(self, answer: Receipt, state: StepState, direction: Direction, wait: int | None) -> None:
        ruling = ruled(answer)
        assert (ruling.step.state, ruling.direction) == (state, direction)
        assert ruling.step.not_before == (None if wait is None else NOW + seconds(wait))
        assert ruling.step.reason is answer.reason
        assert (ruling.subject is not None) is (state is StepState.FAILED)

    @pytest.mark.parametrize("attempts", [1, LIMITS.max_refusals, 10_000])
    def test_being_throttled_gives_nobody_up(self, attempts: int) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.THROTTLED, retryable=True), attempts=attempts)
        assert (ruling.step.state, ruling.subject) == (StepState.PENDING, None)
        assert ruling.step.not_before is not None
        assert ruling.step.not_before > NOW

    @pytest.mark.parametrize(
        ("attempts", "state", "subject"),
        [
            pytest.param(LIMITS.max_refusals - 1, StepState.PENDING, None, id="once more"),
            pytest.param(LIMITS.max_refusals, StepState.FAILED, SubjectState.FAILED, id="once too often"),
        ],
    )
    def test_other_passing_refusals_are_borne_a_limited_number_of_times(
        self, attempts: int, state: StepState, subject: SubjectState | None
    ) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.CONCURRENT_WRITE, retryable=True), attempts=attempts)
        assert ruling.step.state is state
        assert (ruling.subject and ruling.subject.state) is subject

    def test_the_tenant_s_trouble_is_nobody_s_fault(self) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.FORBIDDEN, tenant_wide=True), attempts=10_000)
        assert (ruling.step.state, ruling.direction) == (StepState.PENDING, Direction.STOP_TENANT)
        assert ruling.subject is None

    def test_without_a_seat_the_person_waits_and_the_rest_is_planned_anew(self) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.COUNT_VIOLATION))
        assert (ruling.step.state, ruling.direction) == (StepState.FAILED, Direction.REPLAN)
        assert ruling.subject is not None
        assert (ruling.subject.state, ruling.subject.reason) == (SubjectState.WAITING, Reason.SEATS_INSUFFICIENT)

    @pytest.mark.parametrize(
        "reason",
        [
            Reason.MUTUALLY_EXCLUSIVE, Reason.DEPENDENCY, Reason.USAGE_LOCATION, Reason.USAGE_LOCATION_PROHIBITED,
            Reason.UNIQUENESS, Reason.GRAPH_OTHER, Reason.INHERITED_FROM_GROUP, Reason.NOT_FOUND, Reason.SKU_NOT_OWNED,
        ],
    )  # fmt: skip
    def test_what_cannot_work_for_a_person_is_refused_with_microsoft_s_reason(self, reason: Reason) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=reason))
        assert (ruling.step.state, ruling.step.reason, ruling.direction) == (
            StepState.FAILED,
            reason,
            Direction.CONTINUE,
        )
        assert ruling.subject is not None
        assert (ruling.subject.state, ruling.subject.reason) == (SubjectState.REFUSED, reason)

    def test_a_refusal_without_a_word_is_refused_all_the_same(self) -> None:
        ruling = ruled(receipt(Outcome.REFUSED))
        assert (ruling.step.state, ruling.step.reason) == (StepState.FAILED, Reason.GRAPH_OTHER)

    def test_a_swap_of_what_is_not_held_loses_nothing_it_is_looked_at_first(self) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.LICENCE_NOT_HELD))
        assert (ruling.step.state, ruling.step.reason) == (StepState.UNKNOWN, Reason.LICENCE_NOT_HELD)
        assert (ruling.step.not_before, ruling.subject) == (NOW, None)

    def test_a_pure_removal_of_what_is_not_held_is_done(self) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.LICENCE_NOT_HELD), StepKind.REMOVE)
        assert (ruling.step.state, ruling.subject) == (StepState.APPLIED, None)

    @given(
        st.sampled_from(FROM_THE_GATEWAY),
        st.none() | st.sampled_from(Reason),
        st.sampled_from(list(KINDS)),
        st.booleans(),
        st.booleans(),
        st.none() | st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=1)),
        st.integers(1, 10_000),
    )
    def test_whatever_comes_back_leads_where_a_step_and_a_person_may_go(
        self,
        outcome: Outcome,
        reason: Reason | None,
        kind: StepKind,
        retryable: bool,
        tenant_wide: bool,
        after: timedelta | None,
        attempts: int,
    ) -> None:
        answer = receipt(outcome, reason=reason, retryable=retryable, tenant_wide=tenant_wide, after=after)
        ruling = rule(record(kind, attempts=attempts), answer, NOW, LIMITS)

        assert ruling.step.state in STEP_TRANSITIONS[StepState.IN_FLIGHT]
        assert ruling.subject is None or ruling.subject.state in SUBJECT_TRANSITIONS[SubjectState.PENDING]
        assert (ruling.subject is not None) is (ruling.step.state is StepState.FAILED)
        assert outcome is not Outcome.UNKNOWN or ruling.step.state is StepState.UNKNOWN


class TestOutcomeOf:
    def of(self, *answers: Receipt) -> ChunkOutcome:
        records = [record(number=number) for number in range(1, len(answers) + 1)]
        return outcome_of(TENANT, records, answers, NOW, LIMITS)

    def test_everybody_is_ruled_upon_by_their_own_receipt(self) -> None:
        outcome = self.of(receipt(Outcome.UNKNOWN, number=2), receipt(Outcome.ACCEPTED, number=1))
        assert [(step.step_id, step.state) for step in outcome.steps] == [
            (2, StepState.UNKNOWN),
            (1, StepState.APPLIED),
        ]

    @pytest.mark.parametrize(
        ("answers", "direction"),
        [
            pytest.param([], Direction.CONTINUE, id="nothing"),
            pytest.param([receipt(Outcome.ACCEPTED)], Direction.CONTINUE, id="all well"),
            pytest.param(
                [receipt(Outcome.REFUSED, reason=Reason.COUNT_VIOLATION), receipt(Outcome.ACCEPTED, number=2)],
                Direction.REPLAN, id="one seat too few",
            ),
            pytest.param(
                [
                    receipt(Outcome.REFUSED, reason=Reason.FORBIDDEN, tenant_wide=True),
                    receipt(Outcome.REFUSED, reason=Reason.COUNT_VIOLATION, number=2),
                ],
                Direction.STOP_TENANT, id="the tenant's trouble weighs most",
            ),
        ],
    )  # fmt: skip
    def test_the_chunk_goes_where_its_gravest_ruling_goes(self, answers: list[Receipt], direction: Direction) -> None:
        assert self.of(*answers).direction is direction

    @pytest.mark.parametrize(
        ("reason", "is_credential"), [(Reason.CREDENTIAL_REJECTED, True), (Reason.CONSENT_REVOKED, False)]
    )
    @pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NOT_SENT])
    def test_why_the_tenant_stops_is_told(self, outcome: Outcome, reason: Reason, *, is_credential: bool) -> None:
        stopped = self.of(receipt(outcome, reason=reason, tenant_wide=True))
        assert (stopped.direction, stopped.reason, stopped.is_credential) == (
            Direction.STOP_TENANT,
            reason,
            is_credential,
        )

    def test_an_event_tells_who_what_and_under_which_request(self) -> None:
        (event,) = self.of(receipt(Outcome.ACCEPTED, request_id=REQUEST)).events
        assert (event.kind, event.correlation, event.operation) == ("attempt.accepted", "attempt-1", OPERATION)
        assert (event.before, event.after, event.subject, event.organisation) == (A1, A3, "pseudonym-1", "school")
        assert event.details == {"kind": "swap", "request_id": REQUEST}

    def test_an_event_names_no_directory_object(self) -> None:
        (event,) = self.of(receipt(Outcome.REFUSED, reason=Reason.NOT_FOUND, detail="person-1 is unknown")).events
        assert "person-1" not in repr(event)

    @pytest.mark.parametrize(
        ("answer", "lines"),
        [
            pytest.param(receipt(Outcome.ACCEPTED), ["attempt.accepted"], id="accepted"),
            pytest.param(receipt(Outcome.REFUSED, reason=Reason.UNIQUENESS), ["attempt.refused"], id="refused"),
            pytest.param(
                receipt(Outcome.REFUSED, reason=Reason.THROTTLED, retryable=True), ["attempt.refused"], id="throttled"
            ),
            pytest.param(receipt(Outcome.UNKNOWN), [], id="nobody knows yet"),
            pytest.param(receipt(Outcome.NOT_SENT, reason=Reason.THROTTLED), [], id="it never left"),
            pytest.param(
                receipt(Outcome.REFUSED, reason=Reason.LICENCE_NOT_HELD), [], id="a swap that only a look explains"
            ),
        ],
    )
    def test_a_certain_attempt_gets_its_one_line_now(self, answer: Receipt, lines: list[str]) -> None:
        assert [event.kind for event in self.of(answer).events] == lines


class TestThroughGroups:
    """A PATCH of several members is refused as a whole: nobody of it was added."""

    def shared(self, reason: Reason, attempts: int = 1, **known: object) -> Ruling:
        answer = receipt(Outcome.REFUSED, reason=reason, **known)
        answer = msgspec.structs.replace(answer, attempt_id=AttemptId("call#1"))
        return rule(
            record(StepKind.ADD_MEMBERS, attempts=attempts, last_attempt=AttemptId("call#1")), answer, NOW, LIMITS
        )

    @pytest.mark.parametrize("reason", [Reason.MEMBER_ALREADY, Reason.NOT_FOUND, Reason.GRAPH_OTHER])
    def test_refused_together_each_is_tried_alone_at_once(self, reason: Reason) -> None:
        ruling = self.shared(reason)
        assert (ruling.step.state, ruling.step.reason, ruling.step.not_before) == (StepState.PENDING, reason, NOW)
        assert ruling.subject is None

    def test_a_young_group_is_tried_together_first_and_then_one_by_one(self) -> None:
        young = {"retryable": True, "after": seconds(5)}
        told = [self.shared(Reason.GROUP_TOO_NEW, attempts, **young).step.reason for attempts in (1, 2, 3)]
        assert told == [Reason.GROUP_TOO_NEW, Reason.GROUP_TOO_NEW, Reason.NOT_FOUND]

    def test_after_a_lost_answer_being_a_member_means_look(self) -> None:
        answer = msgspec.structs.replace(
            receipt(Outcome.REFUSED, reason=Reason.MEMBER_ALREADY), attempt_id=AttemptId("call#1")
        )
        ruling = rule(record(StepKind.ADD_MEMBERS, reason=Reason.NO_ANSWER), answer, NOW, LIMITS)
        assert (ruling.step.state, ruling.step.reason) == (StepState.UNKNOWN, Reason.MEMBER_ALREADY)

    def test_alone_and_a_member_already_what_counts_is_the_licence(self) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.MEMBER_ALREADY), StepKind.ADD_MEMBERS)
        assert ruling.step.state is StepState.APPLIED

    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            (StepKind.REMOVE_MEMBER, Reason.NOT_FOUND),
            (StepKind.REMOVE, Reason.LICENCE_NOT_HELD),
            (StepKind.REMOVE, Reason.INHERITED_FROM_GROUP),
        ],
    )
    def test_after_a_lost_answer_what_is_gone_was_our_own_doing(self, kind: StepKind, reason: Reason) -> None:
        lost = record(kind, reason=Reason.NO_ANSWER)
        [event] = outcome_of(TENANT, [lost], [receipt(Outcome.REFUSED, reason=reason)], NOW, LIMITS).events
        assert event.kind == "attempt.found_done"

    def test_a_refusal_for_now_does_not_lift_the_doubt(self) -> None:
        throttled = receipt(Outcome.REFUSED, reason=Reason.THROTTLED, retryable=True)
        ruling = rule(record(StepKind.REMOVE, reason=Reason.NO_ANSWER), throttled, NOW, LIMITS)
        assert (ruling.step.state, ruling.step.reason) == (StepState.PENDING, Reason.NO_ANSWER)

    def test_not_in_the_group_any_more_is_what_leaving_wants(self) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.NOT_FOUND), StepKind.REMOVE_MEMBER)
        assert ruling.step.state is StepState.APPLIED

    @pytest.mark.parametrize("reason", [Reason.GROUP_GONE, Reason.GROUP_READ_ONLY])
    def test_a_group_that_takes_nobody_stops_its_operation(self, reason: Reason) -> None:
        ruling = self.shared(reason)
        assert (ruling.step.state, ruling.direction) == (StepState.PENDING, Direction.STOP_GROUP)

    @pytest.mark.parametrize("kind", [StepKind.LICENSE_GROUP, StepKind.CREATE_GROUP])
    def test_a_group_refused_for_good_stops_it_too(self, kind: StepKind) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.DEPENDENCY), kind)
        assert (ruling.step.state, ruling.direction) == (StepState.FAILED, Direction.STOP_GROUP)

    def test_a_group_that_is_not_known_yet_is_licensed_later_for_nobody_may_join_it_before(self) -> None:
        ruling = ruled(receipt(Outcome.REFUSED, reason=Reason.NOT_FOUND), StepKind.LICENSE_GROUP)
        assert (ruling.step.state, ruling.direction) == (StepState.PENDING, Direction.STOP_GROUP)
        assert ruling.step.reason is Reason.GROUP_GONE

    @pytest.mark.parametrize("doubt", [None, Reason.NO_ANSWER], ids=["no doubt", "in doubt"])
    def test_a_group_that_has_no_old_licence_is_looked_at(self, doubt: Reason | None) -> None:
        step = msgspec.structs.replace(record(StepKind.SWAP).step, kind=StepKind.LICENSE_GROUP)
        tried = msgspec.structs.replace(record(StepKind.SWAP, reason=doubt), step=step)
        ruling = rule(tried, receipt(Outcome.REFUSED, reason=Reason.LICENCE_NOT_HELD), NOW, LIMITS)
        assert (ruling.step.state, ruling.step.reason) == (StepState.UNKNOWN, doubt or Reason.LICENCE_NOT_HELD)

    def test_the_reason_of_the_stop_is_told(self) -> None:
        answer = receipt(Outcome.REFUSED, reason=Reason.GROUP_GONE)
        outcome = outcome_of(TENANT, [record(StepKind.ADD_MEMBERS)], [answer], NOW, LIMITS)
        assert (outcome.direction, outcome.reason) == (Direction.STOP_GROUP, Reason.GROUP_GONE)

    def test_the_record_names_the_call_and_the_group(self) -> None:
        known = record(StepKind.ADD_MEMBERS, last_attempt=AttemptId("call#1"))
        step = msgspec.structs.replace(known.step, change=Change(group_id=GROUP, add_sku=A3))
        joined = msgspec.structs.replace(known, step=step)
        answer = msgspec.structs.replace(receipt(Outcome.ACCEPTED), attempt_id=AttemptId("call#1"))
        [event] = outcome_of(TENANT, [joined], [answer], NOW, LIMITS).events
        assert (event.correlation, event.details["group"]) == ("call", GROUP)
