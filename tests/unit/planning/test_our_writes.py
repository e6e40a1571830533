"""What a wave wrote is ours once it was accepted, whatever came of it."""

from typing import Any

import pytest

from provisioning.domain.lifecycle import StepState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepRecord
from provisioning.planning.our_writes import accepted, as_we_left
from tests.unit.execution.steps import record
from tests.unit.planning.scene import A1, A3, NOW, held, person, replaced

OFF, ON = frozenset({"exchange"}), frozenset[str]()
S = StepState


def gave(disabled: frozenset[str], state: StepState = S.VERIFIED, **known: Any) -> StepRecord:
    one = record(state=state, applied_at=NOW, **known)
    return replaced(one, step=replaced(one.step, change=Change(add_sku=A3, disabled_plans=disabled)))


def holding(disabled: frozenset[str]) -> Person:
    return person("anne", HeldLicence(A3, disabled))


class TestWhatIsOurs:
    @pytest.mark.parametrize("state", list(StepState))
    def test_is_what_was_accepted(self, state: StepState) -> None:
        assert len(accepted([record(state=state, applied_at=NOW)])) == 1
        assert accepted([record(state=state, applied_at=None)]) == []


class TestAsWeLeft:
    def test_is_the_last_that_was_read_back(self) -> None:
        records = [gave(OFF), gave(ON)]
        for now in (OFF, ON, frozenset({"teams"})):
            assert as_we_left(records, A3, holding(now)) == HeldLicence(A3, ON)

    @pytest.mark.parametrize("state", [S.APPLIED, S.FAILED])
    def test_a_first_write_that_failed_may_have_landed(self, state: StepState) -> None:
        assert as_we_left([gave(OFF, state)], A3, holding(OFF)) == HeldLicence(A3, OFF)

    @pytest.mark.parametrize("now", [OFF, ON])
    def test_of_one_that_nobody_read_back_what_they_hold_says_whether_it_came(self, now: frozenset[str]) -> None:
        assert as_we_left([gave(OFF), gave(ON, S.FAILED)], A3, holding(now)) == HeldLicence(A3, now)

    def test_whatever_else_they_hold_is_not_how_we_left_them(self) -> None:
        by_hand = frozenset({"teams"})
        assert as_we_left([gave(OFF), gave(ON, S.FAILED)], A3, holding(by_hand)) == HeldLicence(A3, ON)

    def test_what_was_certain_later_outranks_what_was_before(self) -> None:
        """Exchange was switched off by hand after it came on: that is not as we left them."""
        assert as_we_left([gave(OFF, S.FAILED), gave(ON)], A3, holding(OFF)) == HeldLicence(A3, ON)

    def test_is_nothing_where_we_gave_nothing(self) -> None:
        assert as_we_left([], A3, holding(OFF)) is None
        assert as_we_left([gave(OFF)], A1, person("anne", held(A1))) is None

    def test_who_holds_nothing_any_more_was_left_with_the_last(self) -> None:
        assert as_we_left([gave(OFF)], A3, None) == HeldLicence(A3, OFF)
        assert as_we_left([gave(OFF)], A3, person("anne")) == HeldLicence(A3, OFF)
