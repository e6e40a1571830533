"""Which people share a call, and under which id."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.domain.ids import AttemptId, GroupId, StepId, SubjectId
from provisioning.domain.operation import Change, StepKind, StepRecord, call_of, place_in_call
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.execution.calls import MEMBERS_PER_CALL, attempts_of, in_calls, is_shared
from tests.factories import operations as make
from tests.unit.execution.steps import A3, NOW, TENANT, record

OPERATION = make.operation(TENANT)
LEASE = Lease(name="tenant:t", holder="worker", fence=3, expires_at=NOW)


def joining(number: int, group: str = "g", last: str | None = None, reason: Reason | None = None) -> StepRecord:
    known = record(StepKind.ADD_MEMBERS)
    step = msgspec.structs.replace(
        known.step, subject_id=SubjectId(f"p{number}"), change=Change(group_id=GroupId(group), add_sku=A3)
    )
    last_attempt = AttemptId(last) if last else None
    return msgspec.structs.replace(
        known, step_id=StepId(number), step=step, last_attempt=last_attempt, reason=reason, attempts=bool(last)
    )


def sizes(*records: StepRecord) -> list[int]:
    return [len(call) for call in in_calls(records)]


class TestInCalls:
    def test_twenty_join_at_once(self) -> None:
        assert sizes(*map(joining, range(45))) == [20, 20, 5]

    def test_each_group_has_its_own_call(self) -> None:
        assert sizes(joining(1, "g"), joining(2, "h"), joining(3, "g")) == [2, 1]

    @pytest.mark.parametrize("kind", sorted(set(StepKind) - {StepKind.ADD_MEMBERS}))
    def test_every_other_write_travels_alone(self, kind: StepKind) -> None:
        assert sizes(record(kind), record(kind)) == [1, 1]

    def test_what_was_sent_together_is_sent_again_together(self) -> None:
        again = [joining(n, last=f"call#{n}") for n in range(3)]
        assert sizes(*again[:2], joining(9), again[2], joining(10)) == [3, 2]

    @pytest.mark.parametrize("reason", [Reason.MEMBER_ALREADY, Reason.NOT_FOUND, Reason.GRAPH_OTHER])
    def test_after_a_refusal_that_one_of_them_caused_each_goes_alone(self, reason: Reason) -> None:
        assert sizes(*(joining(n, last=f"call#{n}", reason=reason) for n in range(3))) == [1, 1, 1]

    def test_after_a_refusal_for_now_they_stay_together(self) -> None:
        assert sizes(*(joining(n, last=f"call#{n}", reason=Reason.THROTTLED) for n in range(3))) == [3]

    @given(st.lists(st.tuples(st.sampled_from("gh"), st.sampled_from([None, "a", "b"]))))
    def test_nobody_is_lost_and_no_call_is_too_large(self, drawn: list[tuple[str, str | None]]) -> None:
        records = [joining(n, group, f"{call}#{n}" if call else None) for n, (group, call) in enumerate(drawn)]
        calls = in_calls(records)
        assert sorted(one.step_id for call in calls for one in call) == [one.step_id for one in records]
        assert all(len(call) <= MEMBERS_PER_CALL for call in calls)
        assert all(len({one.step.change.group_id for one in call}) == 1 for call in calls)


class TestAttempts:
    def test_of_one_call_share_its_id_and_are_told_apart(self) -> None:
        attempts = list(attempts_of(OPERATION, in_calls(map(joining, range(3))), LEASE))
        assert len({attempt.call_id for attempt in attempts}) == 1
        assert len({attempt.attempt_id for attempt in attempts}) == 3
        assert all(is_shared(attempt.attempt_id) for attempt in attempts)
        assert {attempt.fence for attempt in attempts} == {3}

    def test_alone_it_is_the_call(self) -> None:
        [attempt] = attempts_of(OPERATION, in_calls([joining(1)]), LEASE)
        assert attempt.call_id == attempt.attempt_id

    def test_what_is_sent_again_keeps_its_id(self) -> None:
        again = [joining(n, last=f"call#{n}") for n in (4, 7)]
        attempts = list(attempts_of(OPERATION, in_calls(again), LEASE))
        assert [attempt.attempt_id for attempt in attempts] == ["call#4", "call#7"]
        assert [attempt.number for attempt in attempts] == [2, 2]

    def test_who_is_tried_alone_after_a_common_refusal_gets_an_id_of_their_own(self) -> None:
        [attempt] = attempts_of(OPERATION, in_calls([joining(1, last="call#1", reason=Reason.NOT_FOUND)]), LEASE)
        assert not is_shared(attempt.attempt_id)
        assert attempt.call_id != "call"

    def test_who_was_tried_alone_before_keeps_it(self) -> None:
        [attempt] = attempts_of(OPERATION, in_calls([joining(1, last="own", reason=Reason.NOT_FOUND)]), LEASE)
        assert attempt.attempt_id == "own"


@given(st.uuids(), st.integers(1, 20))
def test_the_call_of_an_attempt_is_the_one_it_was_placed_in(call: object, place: int) -> None:
    assert call_of(place_in_call(str(call), place)) == str(call)
