"""Where migrations, waves and their people may go, and that nobody gets stuck."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from provisioning.domain.errors import TransitionError
from provisioning.domain.migration_lifecycle import (
    MIGRATION_ENDS,
    MIGRATION_TRANSITIONS,
    PERSON_TRANSITIONS,
    UNDER_WAY,
    WAVE_ENDS,
    WAVE_TRANSITIONS,
    MigrationState,
    PersonState,
    WaveState,
    advance_migration,
    advance_person,
    advance_wave,
)

Table = Mapping[StrEnum, frozenset[StrEnum]]
TABLES = pytest.mark.parametrize(
    "table", [MIGRATION_TRANSITIONS, WAVE_TRANSITIONS, PERSON_TRANSITIONS], ids=["migration", "wave", "person"]
)


def reachable(table: Table, start: StrEnum) -> set[StrEnum]:
    found, left = {start}, [start]
    while left:
        new = table[left.pop()] - found
        found |= new
        left += new
    return found


class TestTables:
    @TABLES
    def test_every_state_has_its_row_and_can_be_reached(self, table: Table) -> None:
        first = next(iter(table))
        assert set(table) == set(type(first))
        assert reachable(table, first) == set(table)

    @TABLES
    def test_an_end_is_within_reach_of_every_state(self, table: Table) -> None:
        ends = {*MIGRATION_ENDS, *WAVE_ENDS, PersonState.RELEASED, PersonState.ROLLED_BACK, PersonState.LEFT_OUT}
        assert all(reachable(table, state) & ends for state in table)

    def test_called_off_is_for_good(self) -> None:
        assert not MIGRATION_TRANSITIONS[MigrationState.ABORTED]

    def test_what_has_ended_goes_on_for_people_who_failed_or_goes_back(self) -> None:
        assert MIGRATION_TRANSITIONS[MigrationState.COMPLETED] == {MigrationState.RUNNING}
        assert WAVE_TRANSITIONS[WaveState.ROLLED_BACK] == {WaveState.ROLLING_BACK}
        assert WAVE_TRANSITIONS[WaveState.DONE] == {WaveState.GATED, WaveState.RELEASING, WaveState.ROLLING_BACK}

    def test_a_migration_can_be_called_off_in_any_state_but_an_end(self) -> None:
        alive = set(MigrationState) - MIGRATION_ENDS
        assert all(MigrationState.ABORTED in MIGRATION_TRANSITIONS[state] for state in alive)

    def test_whoever_is_worked_on_can_fail_or_arrive(self) -> None:
        assert all(PersonState.FAILED in PERSON_TRANSITIONS[state] for state in UNDER_WAY)


class TestOrder:
    def test_nobody_is_released_before_everything_is_on_in_the_target(self) -> None:
        before = {state for state, following in PERSON_TRANSITIONS.items() if PersonState.RELEASING in following}
        assert before == {PersonState.ENABLED}

    def test_exchange_goes_on_only_for_who_is_prepared(self) -> None:
        before = {state for state, following in PERSON_TRANSITIONS.items() if PersonState.ENABLING in following}
        assert before == {PersonState.PREPARED}


class TestAdvance:
    def test_what_the_table_allows(self) -> None:
        assert advance_person(PersonState.WAITING, PersonState.PREPARING) is PersonState.PREPARING
        assert advance_wave(WaveState.GATED, WaveState.HOLDING) is WaveState.HOLDING
        assert advance_migration(MigrationState.PAUSED, MigrationState.RUNNING) is MigrationState.RUNNING

    def test_what_it_does_not(self) -> None:
        with pytest.raises(TransitionError, match="PersonState may not go from waiting to released"):
            advance_person(PersonState.WAITING, PersonState.RELEASED)
        with pytest.raises(TransitionError, match="WaveState"):
            advance_wave(WaveState.DONE, WaveState.PREPARING)
        with pytest.raises(TransitionError, match="MigrationState"):
            advance_migration(MigrationState.ABORTED, MigrationState.RUNNING)
