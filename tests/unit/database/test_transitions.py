"""The domain's tables turned round: from where a state is entered."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from provisioning.database.transitions import sources_of, sources_or_itself
from provisioning.domain.lifecycle import STEP_TRANSITIONS, SUBJECT_TRANSITIONS
from provisioning.domain.migration_lifecycle import MIGRATION_TRANSITIONS, PERSON_TRANSITIONS, WAVE_TRANSITIONS

Table = Mapping[StrEnum, frozenset[StrEnum]]
TABLES = pytest.mark.parametrize(
    "table", [STEP_TRANSITIONS, SUBJECT_TRANSITIONS, MIGRATION_TRANSITIONS, WAVE_TRANSITIONS, PERSON_TRANSITIONS]
)


@TABLES
def test_every_way_is_there_and_no_other(table: Table) -> None:
    forwards = {(source, state) for source, following in table.items() for state in following}
    assert {(source, state) for state, sources in sources_of(table).items() for source in sources} == forwards


@TABLES
def test_what_may_be_written_where_it_stands_adds_that_and_nothing_else(table: Table) -> None:
    entered = sources_of(table)
    assert {state: set(sources) for state, sources in sources_or_itself(table).items()} == {
        state: {*sources, state} for state, sources in entered.items()
    }
