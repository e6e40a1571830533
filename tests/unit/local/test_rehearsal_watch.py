from datetime import timedelta
from typing import Any

import msgspec
import pytest

from provisioning.domain.lifecycle import OperationState, StepState
from provisioning.domain.migration import Migration, Phase
from provisioning.domain.migration_lifecycle import MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.local.rehearsal_watch import Scene, held_until, part_of, why
from tests.factories import NOW, guid
from tests.factories.migrations import migration, operation_for, traveller, waves
from tests.factories.operations import operation

OF = migration(guid(), guid())


def work(state: OperationState, of: Migration = OF, **fields: Any) -> Operation:
    return operation_for(of, state=state, **fields)


def scene(*operations: Operation, **fields: Any) -> Scene:
    defaults: dict[str, Any] = {
        "migration": (MigrationState.RUNNING, None),
        "waves": tuple(waves(OF)),
        "counts": {1: {PersonState.PREPARING: 5, PersonState.FAILED: 1}},
        "steps": {},
    }
    return Scene(operations=operations, **defaults | fields)


class TestMovement:
    def test_a_mere_look_at_an_operation_is_none(self) -> None:
        it = work(OperationState.APPLYING)
        again = msgspec.structs.replace(
            it, version=it.version + 1, due_at=it.created_at + timedelta(minutes=1), waits=3
        )
        assert scene(it).movement == scene(again).movement

    def test_any_step_any_person_any_state_is(self) -> None:
        it = work(OperationState.APPLYING)
        still = scene(it, steps={it.operation_id: {StepState.PENDING: 3}})
        moved = [
            scene(it, steps={it.operation_id: {StepState.PENDING: 2, StepState.APPLIED: 1}}),
            scene(msgspec.structs.replace(it, state=OperationState.VERIFYING), steps=still.steps),
            scene(it, steps=still.steps, counts={1: {PersonState.PREPARED: 6}}),
            scene(it, steps=still.steps, migration=(MigrationState.PAUSED, Reason.THRESHOLD_REACHED)),
            scene(it, steps=still.steps, waves=tuple(waves(OF, state=WaveState.GATED))),
        ]
        assert [one.movement == still.movement for one in moved] == [False] * len(moved)


class TestNeedsSomebody:
    @pytest.mark.parametrize(
        ("states", "expected"),
        [
            pytest.param([OperationState.HELD], True, id="held"),
            pytest.param([OperationState.HELD, OperationState.COMPLETED], True, id="the others have ended"),
            pytest.param([OperationState.HELD, OperationState.APPLYING], False, id="another still works"),
            pytest.param([OperationState.COMPLETED], False, id="nothing is open"),
            pytest.param([], False, id="nothing began yet"),
        ],
    )
    def test_when_all_that_is_open_was_held(self, states: list[OperationState], expected: bool) -> None:
        assert scene(*map(work, states)).needs_somebody is expected


class TestWaitsForOpening:
    def shut(self, state: OperationState = OperationState.APPLYING) -> Operation:
        return work(state, reason=Reason.OUTSIDE_WINDOW)

    @pytest.mark.parametrize(
        ("others", "expected"),
        [
            pytest.param([], True, id="alone"),
            pytest.param([OperationState.HELD, OperationState.COMPLETED], True, id="what is held waits for nothing"),
            pytest.param([OperationState.PLANNING], False, id="another still works"),
            pytest.param([OperationState.AWAITING_APPROVAL], False, id="another waits for a person"),
        ],
    )
    def test_when_nothing_else_is_at_work(self, others: list[OperationState], expected: bool) -> None:
        assert scene(self.shut(), *map(work, others)).waits_for_opening is expected

    def test_not_when_nothing_is_open(self) -> None:
        assert not scene().waits_for_opening
        assert not scene(self.shut(OperationState.COMPLETED)).waits_for_opening


class TestWhy:
    def test_tells_what_is_open_its_reason_and_what_was_refused(self) -> None:
        waits, works = work(OperationState.HELD, reason=Reason.POISON), work(OperationState.PLANNING)
        told = why(scene(waits, works), 1, {waits.operation_id: "It was drawn anew.", "another": "Not of this wave."})  # type: ignore[dict-item]
        assert told == "prepare is held (POISON); prepare is planning; It was drawn anew."

    def test_or_that_nothing_is(self) -> None:
        assert why(scene(), 1, {}) == "the wave is waiting, and nothing is at work on it"


def test_the_source_of_all_may_be_released_once_the_last_one_has_waited() -> None:
    early, late = (traveller(OF, enabled_at=NOW + timedelta(days=day)) for day in (0, 3))
    not_there = traveller(OF)
    month = timedelta(days=30)
    assert held_until([early, late, not_there], month, NOW) == NOW + timedelta(days=33)
    assert held_until([not_there], month, NOW) == NOW


def test_people_of_a_wave_are_counted_by_state() -> None:
    it = scene()
    assert it.people(1, {PersonState.PREPARING, PersonState.WAITING}) == 5
    assert it.people(2, {PersonState.PREPARING}) == 0


def test_an_operation_is_a_part_or_it_has_no_business_here() -> None:
    assert part_of(work(OperationState.NEW)).phase is Phase.PREPARE
    with pytest.raises(ValueError, match="no part of a migration"):
        part_of(operation(guid()))
