"""How a rehearsal stands, seen in its own database, and what its plans say."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from provisioning.bootstrap import Services
from provisioning.domain.ids import MigrationId, OperationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState, StepState
from provisioning.domain.migration import Migration, MigrationPart, Traveller, Wave
from provisioning.domain.migration_lifecycle import PersonState
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.planning.rehearsal import PlanFacts, RehearsedPlan, facts_of


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that moves. Two that are equal: nothing happened in between."""

    migration: tuple[str, Reason | None]
    waves: tuple[Wave, ...]
    counts: Mapping[int, Mapping[PersonState, int]]
    operations: tuple[Operation, ...]
    steps: Mapping[OperationId, Mapping[StepState, int]]

    def wave(self, number: int) -> Wave:
        return next(wave for wave in self.waves if wave.number == number)

    def people(self, number: int, states: Iterable[PersonState]) -> int:
        return sum(self.counts.get(number, {}).get(state, 0) for state in states)

    @property
    def open_operations(self) -> tuple[Operation, ...]:
        return tuple(one for one in self.operations if one.state not in OPERATION_ENDS)

    @property
    def needs_somebody(self) -> bool:
        """Whether all that is open was held: nothing goes on by itself."""
        states = {one.state for one in self.open_operations}
        return states == {OperationState.HELD}

    @property
    def waits_for_opening(self) -> bool:
        """Whether all that is not held waits for the hours in which writes may leave."""
        reasons = {one.reason for one in self.open_operations if one.state is not OperationState.HELD}
        return reasons == {Reason.OUTSIDE_WINDOW}

    @property
    def movement(self) -> object:
        """What differs once anything has happened; a mere look at an operation changes no state."""
        return (
            self.migration,
            [(wave.number, wave.state) for wave in self.waves],
            {number: dict(states) for number, states in self.counts.items()},
            [(one.operation_id, one.state, one.reason) for one in self.operations],
            {one: dict(counts) for one, counts in self.steps.items()},
        )


def look(services: Services, migration_id: MigrationId) -> Scene:
    with services.open_uow() as uow:
        migration: Migration = uow.migrations.get(migration_id)
        operations = tuple(uow.migrations.operations_of(migration_id))
        return Scene(
            migration=(migration.state, migration.reason),
            waves=tuple(uow.migrations.waves(migration_id)),
            counts=uow.migrations.counts(migration_id),
            operations=operations,
            steps={
                one.operation_id: uow.journal.step_counts(one.operation_id)
                for one in operations
                if one.state not in OPERATION_ENDS
            },
        )


def travellers(services: Services, migration_id: MigrationId, wave: int | None = None) -> list[Traveller]:
    with services.open_uow() as uow:
        return uow.migrations.travellers(migration_id, wave=wave)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A plan when it was first seen. `forecast`: seconds until its last write, where a person was asked."""

    facts: PlanFacts
    was_shown: bool
    forecast: float | None = None


def show(services: Services, operation: Operation) -> Shown:
    """Raises InputError when it has no plan."""
    sheet = services.show_plan(operation.operation_id)
    left = (sheet.writes_done_at - services.clock.now()).total_seconds() if sheet.writes_done_at else None
    with services.open_uow() as uow:
        facts = facts_of(sheet, uow.journal.subjects(operation.operation_id), uow.plans.steps(sheet.plan_id))
    return Shown(facts=facts, was_shown=sheet.awaits_approval, forecast=left)


def rehearsed_plan(services: Services, operation: Operation, shown: Shown) -> RehearsedPlan:
    """What became of it."""
    with services.open_uow() as uow:
        record = uow.plans.current(operation.operation_id)
        outcome = uow.journal.subject_counts(operation.operation_id)
    began = (record and record.approved_at) or (record and record.drawn_at)
    is_over = operation.state in OPERATION_ENDS
    return RehearsedPlan(
        phase=part_of(operation).phase,
        tenant_id=operation.tenant_id,
        sku_id=operation.wish.sku_id,
        operation_id=operation.operation_id,
        facts=shown.facts,
        was_shown=shown.was_shown,
        state=operation.state,
        reason=operation.reason,
        outcome=outcome,
        forecast=shown.forecast,
        taken=(operation.entered_at - began).total_seconds() if began and is_over else None,
    )


def part_of(operation: Operation) -> MigrationPart:
    if operation.wish.part is None:
        raise ValueError(f"operation {operation.operation_id} is no part of a migration")
    return operation.wish.part


def why(scene: Scene, number: int, refusals: Mapping[OperationId, str]) -> str:
    """What is open in the wave, in the words of its reasons, and what was said to whoever tried to go on with it."""
    open_ones = [one for one in scene.open_operations if part_of(one).wave == number]
    told = [
        f"{part_of(one).phase.replace('_', ' ')} is {one.state.replace('_', ' ')}"
        + (f" ({one.reason})" if one.reason else "")
        for one in open_ones
    ]
    told += [refusals[one.operation_id] for one in open_ones if one.operation_id in refusals]
    return "; ".join(told) or f"the wave is {scene.wave(number).state}, and nothing is at work on it"


def held_until(people: Iterable[Traveller], period: timedelta, otherwise: datetime) -> datetime:
    """When the source of all of them may be released."""
    return max((end for one in people if (end := one.held_until(period))), default=otherwise)
