"""Every state machine: what may follow what, and that nothing hangs."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from provisioning.domain.errors import TransitionError
from provisioning.domain.lifecycle import (
    LINE_TRANSITIONS,
    OPERATION_ENDS,
    OPERATION_TRANSITIONS,
    OPERATION_WAITS,
    STEP_ENDS,
    STEP_TRANSITIONS,
    SUBJECT_TRANSITIONS,
    LineState,
    OperationState,
    StepState,
    SubjectState,
    advance,
)

MACHINES: list[tuple[type[StrEnum], Mapping[StrEnum, frozenset[StrEnum]], StrEnum]] = [
    (LineState, LINE_TRANSITIONS, LineState.RECEIVED),  # type: ignore[list-item]  # Mapping is invariant in its key
    (OperationState, OPERATION_TRANSITIONS, OperationState.NEW),  # type: ignore[list-item]  # the same
    (StepState, STEP_TRANSITIONS, StepState.PENDING),  # type: ignore[list-item]  # the same
    (SubjectState, SUBJECT_TRANSITIONS, SubjectState.PENDING),  # type: ignore[list-item]  # the same
]


def reachable(table: Mapping[StrEnum, frozenset[StrEnum]], start: StrEnum) -> set[StrEnum]:
    found, edge = {start}, {start}
    while edge:
        edge = {following for state in edge for following in table[state]} - found
        found |= edge
    return found


@pytest.mark.parametrize(("states", "table", "first"), MACHINES, ids=["line", "operation", "step", "subject"])
class TestEveryMachine:
    def test_every_state_has_its_row(
        self, states: type[StrEnum], table: Mapping[StrEnum, frozenset[StrEnum]], first: StrEnum
    ) -> None:
        assert set(table) == set(states)

    def test_every_state_can_be_reached(
        self, states: type[StrEnum], table: Mapping[StrEnum, frozenset[StrEnum]], first: StrEnum
    ) -> None:
        assert reachable(table, first) == set(states)

    def test_from_every_state_there_is_a_way_to_an_end(
        self, states: type[StrEnum], table: Mapping[StrEnum, frozenset[StrEnum]], first: StrEnum
    ) -> None:
        # a completed line moves once more only when its school changes its mind about who assigns
        ends = {state for state in states if table[state] <= {state}} | {LineState.COMPLETED}
        assert all(reachable(table, state) & ends for state in states)

    def test_the_function_follows_the_table(
        self, states: type[StrEnum], table: Mapping[StrEnum, frozenset[StrEnum]], first: StrEnum
    ) -> None:
        for current in states:
            for following in states:
                if following in table[current]:
                    assert advance(current, following) is following
                else:
                    with pytest.raises(TransitionError, match=f"{current} to {following}"):
                        advance(current, following)


class TestPromises:
    @pytest.mark.parametrize("ended", sorted(STEP_ENDS))
    def test_an_ended_step_never_moves_again(self, ended: StepState) -> None:
        assert STEP_TRANSITIONS[ended] == frozenset()

    def test_nothing_is_written_twice_without_a_look(self) -> None:
        """A step in flight or unknown becomes pending only through an answer or an observation, never by itself."""
        assert StepState.IN_FLIGHT not in STEP_TRANSITIONS[StepState.UNKNOWN]
        assert StepState.PENDING not in STEP_TRANSITIONS[StepState.APPLIED]

    def test_done_means_read_back(self) -> None:
        """Pending is never verified: something was sent, and something was seen."""
        assert StepState.VERIFIED not in STEP_TRANSITIONS[StepState.PENDING]

    @pytest.mark.parametrize(
        ("ended", "ways_out"),
        [
            (OperationState.COMPLETED, set()),
            (OperationState.PARTIALLY_COMPLETED, set()),
            (OperationState.CANCELLED, set()),
            (OperationState.FAILED, {OperationState.NEW}),
        ],
    )
    def test_an_ended_operation_stays_ended_but_for_an_operator_s_retry(
        self, ended: OperationState, ways_out: set[OperationState]
    ) -> None:
        assert ended in OPERATION_ENDS
        assert OPERATION_TRANSITIONS[ended] == ways_out

    @pytest.mark.parametrize("state", sorted(set(OperationState) - OPERATION_ENDS - {OperationState.HELD}))
    def test_a_person_can_stop_anything_that_goes_on(self, state: OperationState) -> None:
        assert {OperationState.HELD, OperationState.CANCELLED} <= OPERATION_TRANSITIONS[state]

    @pytest.mark.parametrize("wait", sorted(OPERATION_WAITS))
    def test_a_wait_leads_to_planning_and_never_straight_to_writing(self, wait: OperationState) -> None:
        assert OperationState.PLANNING in OPERATION_TRANSITIONS[wait]
        assert OperationState.APPLYING not in OPERATION_TRANSITIONS[wait]

    def test_a_rejected_line_stays_rejected(self) -> None:
        assert LINE_TRANSITIONS[LineState.REJECTED] == frozenset()

    def test_whoever_waits_may_be_served_later(self) -> None:
        assert SubjectState.PENDING in SUBJECT_TRANSITIONS[SubjectState.WAITING]
