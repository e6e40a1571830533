"""One look at a migration: fold in what its operations came to, move its waves, begin what is next."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, Actor, ArticleCode, MigrationId, OperationId, SubjectId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.migration import TARGET_PHASES, Migration, Phase, Wave
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS, UNDER_WAY, MigrationState, WaveState
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.planning.migration_turn import Begin, Said, Standing, Turn, begun, id_in, is_announced, next_turn
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork, UnitOfWork
from provisioning.services.boards import of_board_in
from provisioning.services.bring_into_group import bring_into_group

_AT_WORK = frozenset({OperationState.APPLYING, OperationState.VERIFYING})
_WENT_WRONG = frozenset({SubjectState.FAILED, SubjectState.CHANGED_MEANWHILE, SubjectState.REFUSED})
_LIVING = frozenset({MigrationState.RUNNING, MigrationState.PAUSED, MigrationState.ABORTED})


@dataclass(frozen=True, kw_only=True)
class AdvanceMigration:
    """Called any number of times; two at once are told apart by the migration's version (ConflictError)."""

    open_uow: OpenUnitOfWork
    clock: Clock
    dispatcher: Dispatcher
    limits: Limits

    def __call__(self, migration_id: MigrationId) -> int:
        """How many operations it began."""
        now = self.clock.now()
        with self.open_uow() as uow:
            migration = uow.migrations.get(migration_id)
            if migration.state not in _LIVING:
                return 0
            standing = _standing(uow, migration, now)
            turn = next_turn(standing)
            operations = [_operation(uow, turn, begin, now) for begin in turn.begins]
            self._store(uow, standing, turn, operations, now)
            uow.commit()
        for operation in operations:
            self.dispatcher.advance(operation.operation_id, operation.lane)
        return len(operations)

    def _store(
        self, uow: UnitOfWork, standing: Standing, turn: Turn, operations: Sequence[Operation], now: datetime
    ) -> None:
        migration = turn.migration
        for wave, before in zip(turn.waves, standing.waves, strict=True):
            if wave != before:
                uow.migrations.save_wave(wave)
            has_arrived = wave.state is WaveState.HOLDING and before.state is WaveState.GATED
            if has_arrived and migration.state is not MigrationState.ABORTED:
                bring_into_group(uow, migration, wave, turn.travellers, now)
        at_work = {
            one: operation.operation_id
            for begin, operation in zip(turn.begins, operations, strict=True)
            for one in begin.people
        }
        phases = {one: begin.part.phase for begin in turn.begins for one in begin.people}
        now_standing = [
            begun(one, phases[one.source_id], at_work[one.source_id]) if one.source_id in at_work else one
            for one in turn.travellers
        ]
        for earlier, later in ((standing.travellers, turn.travellers), (turn.travellers, now_standing)):
            changed = [new for new, old in zip(later, earlier, strict=True) if new != old]
            uow.migrations.save_travellers(migration.migration_id, changed)
        uow.audit.record([*_events(migration, standing, turn, now), *(_begun_event(one, now) for one in operations)])
        is_over = migration.state in MIGRATION_ENDS and not any(one.state in UNDER_WAY for one in now_standing)
        due = None if is_over else now + self.limits.migration_poll
        uow.migrations.save(msgspec.structs.replace(migration, due_at=due))


def _standing(uow: UnitOfWork, migration: Migration, now: datetime) -> Standing:
    travellers = tuple(uow.migrations.travellers(migration.migration_id))
    operations = tuple(uow.migrations.operations_of(migration.migration_id))
    at_work = {one.operation_id for one in travellers if one.state in UNDER_WAY}
    return Standing(
        migration=migration,
        waves=tuple(uow.migrations.waves(migration.migration_id)),
        travellers=travellers,
        operations=operations,
        said={
            one.operation_id: _said(uow, one.operation_id)
            for one in operations
            if one.operation_id in at_work and one.state in OPERATION_ENDS
        },
        failing=failing(uow, [one for one in operations if one.state in _AT_WORK]),
        now=now,
    )


def failing(uow: UnitOfWork, operations: Iterable[Operation]) -> Counter[int]:
    """For how many people of each wave it went wrong so far in these operations."""
    found: Counter[int] = Counter()
    for one in operations:
        if one.wish.part is not None:
            counts = uow.journal.subject_counts(one.operation_id)
            found[one.wish.part.wave] += sum(counts.get(state, 0) for state in _WENT_WRONG)
            if one.wish.part.phase is Phase.RELEASE and counts.get(SubjectState.REFUSED):
                found[one.wish.part.wave] -= _announced(uow, one.operation_id)
    return found


def _announced(uow: UnitOfWork, release: OperationId) -> int:
    """How many of whom it refused were known to be refused before the wave began."""
    refused = (one for one in uow.journal.subjects(release) if one.state is SubjectState.REFUSED)
    return sum(is_announced(Phase.RELEASE, one.reason) for one in refused)


def _said(uow: UnitOfWork, operation: OperationId) -> Mapping[SubjectId, Said]:
    """Whom it did not come to, it says nothing of."""
    return {
        one.subject_id: (one.state, one.reason)
        for one in uow.journal.subjects(operation)
        if one.state is not SubjectState.PENDING
    }


def _operation(uow: UnitOfWork, turn: Turn, begin: Begin, now: datetime) -> Operation:
    migration, definition = turn.migration, turn.migration.definition
    is_in_target = begin.part.phase in TARGET_PHASES
    tenant = definition.target_tenant if is_in_target else definition.source_tenant
    holder = definition.target_holder if is_in_target else definition.source_holder
    by_id = {one.source_id: one for one in turn.travellers}
    operation = Operation(
        operation_id=OperationId(str(uuid4())),
        kind=OperationKind.RELEASE if begin.part.phase is Phase.RELEASE else OperationKind.MIGRATE,
        tenant_id=tenant,
        lane=Lane.BULK,
        state=OperationState.NEW,
        wish=Wish(
            sku_id=begin.sku_id,
            audience=begin.audience,
            article_code=ArticleCode(""),
            replaces=frozenset(),
            holder_id=holder,
            organisations=of_board_in(uow, tenant, holder, dutch_day(now)),
            seats_wanted=0,
            named=tuple(id_in(begin.part.phase, by_id[one]) for one in begin.people),
            mapping_digest=migration.digest,
            part=begin.part,
        ),
        requested_by=_who_asked(turn.waves, begin, migration),
        created_at=now,
        entered_at=now,
        due_at=now,
    )
    uow.operations.add(operation)
    return operation


def _who_asked(waves: Sequence[Wave], begin: Begin, migration: Migration) -> Actor:
    """Whoever asked for the wave's latest turn may not approve it."""
    asked = next((wave.asked_by for wave in waves if wave.number == begin.part.wave), None)
    return asked or migration.requested_by


def _events(migration: Migration, standing: Standing, turn: Turn, now: datetime) -> list[Event]:
    moved = [
        _wave_event(migration, wave, before, now)
        for wave, before in zip(turn.waves, standing.waves, strict=True)
        if wave.state is not before.state
    ]
    if migration.state is standing.migration.state:
        return moved
    ended = Event(
        at=now,
        actor=SYSTEM,
        kind=f"migration.{migration.state}",
        organisation=migration.definition.target_holder,
        tenant=migration.definition.target_tenant,
        before=standing.migration.state,
        after=migration.state,
        reason=migration.reason,
        details={"migration": migration.migration_id},
    )
    return [*moved, ended]


def _wave_event(migration: Migration, wave: Wave, before: Wave, now: datetime) -> Event:
    return Event(
        at=now,
        actor=SYSTEM,
        kind=f"wave.{wave.state}",
        organisation=migration.definition.target_holder,
        tenant=migration.definition.target_tenant,
        before=before.state,
        after=wave.state,
        details={"migration": migration.migration_id, "wave": str(wave.number)},
    )


def _begun_event(operation: Operation, now: datetime) -> Event:
    part = operation.wish.part
    details = {} if part is None else {"migration": part.migration_id, "wave": str(part.wave), "phase": part.phase}
    return Event(
        at=now,
        actor=operation.requested_by,
        kind="operation.begun",
        organisation=operation.wish.holder_id,
        tenant=operation.tenant_id,
        operation=operation.operation_id,
        details={**details, "people": str(len(operation.wish.named))},
    )
