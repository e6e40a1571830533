"""Where migrations stand: all of them in a list, one with everything that waits for somebody, and its people."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.catalogue import Sku
from provisioning.domain.ids import OperationId, SkuId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS
from provisioning.domain.migration import Migration, Situation, Traveller, Wave
from provisioning.domain.migration_lifecycle import MIGRATION_ENDS, MigrationState, PersonState, WaveState
from provisioning.domain.operation import Operation
from provisioning.domain.rights import Action, may
from provisioning.planning.migration_forecast import Prospect
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.migration_aftermath import aftermath
from provisioning.services.migration_deeds import get_migration, get_wave
from provisioning.services.migration_sheet import (
    Brief,
    MigrationRow,
    MigrationSheet,
    OperationLine,
    PersonRow,
    WaveSheet,
    brief_of,
    in_order,
    person_row,
    wave_sheet,
)
from provisioning.services.nameless_rows import open_rows
from provisioning.services.show_plan import awaits_approval
from provisioning.services.situation_counts import situations_of

# nothing is ahead of it, or nobody knows yet for whom
_BEHIND = MIGRATION_ENDS | {MigrationState.NEW}


@dataclass(frozen=True, kw_only=True)
class ShowMigrations:
    open_uow: OpenUnitOfWork
    clock: Clock
    foretell: Callable[[], Mapping[OperationId, datetime]]
    skus: Callable[[], Mapping[SkuId, Sku]]
    prospects: Callable[[Migration, Sequence[Traveller]], Sequence[Prospect]]

    def __call__(self, states: Collection[MigrationState] = ()) -> list[MigrationRow]:
        """Migrations in these states (any when none is given), oldest first."""
        with self.open_uow() as uow:
            return [_row(uow, migration, self.skus()) for migration in uow.migrations.list_by(states)]

    def one(self, named: str) -> MigrationSheet:
        """The sheet of the migration whose id begins so; raises InputError when there is none."""
        now = self.clock.now()
        with self.open_uow() as uow:
            migration = get_migration(uow, named)
            operations = uow.migrations.operations_of(migration.migration_id)
            people = uow.migrations.travellers(migration.migration_id)
            sheet = _sheet(uow, migration, operations, people, self.skus(), now)
            lines = list(_open_lines(uow, operations, now))
        sheet = self._with_work(sheet, lines, now)
        if migration.state in _BEHIND:
            return sheet
        ahead = [_corrected(one, sheet.operations) for one in self.prospects(migration, people)]
        return msgspec.structs.replace(sheet, forecast=ahead)

    def _with_work(self, sheet: MigrationSheet, lines: Sequence[OperationLine], now: datetime) -> MigrationSheet:
        left = sum(line.writes_left for line in lines)
        if not left:  # a forecast looks at the quota of every tenant: not for nothing
            return msgspec.structs.replace(sheet, operations=list(lines))
        ends = self.foretell()
        timed = [msgspec.structs.replace(line, writes_done_at=ends.get(line.operation_id)) for line in lines]
        done_at = max((line.writes_done_at for line in timed if line.writes_done_at), default=None)
        seconds = (done_at - now).total_seconds() if done_at else 0.0
        rate = left / seconds if seconds > 0 else None
        return msgspec.structs.replace(sheet, operations=timed, writes_left=left, writes_done_at=done_at, rate=rate)

    def people(
        self,
        identity: Identity,
        named: str,
        wave: int | None = None,
        states: Collection[PersonState] = (),
        situations: Collection[Situation] = (),
    ) -> list[PersonRow]:
        """By wave and id; all of them, or who is in this wave, these states and these situations.

        Raises InputError for no such wave.
        """
        with self.open_uow() as uow:
            migration = get_migration(uow, named)
            if wave:
                get_wave(uow, migration, wave)
            found = uow.migrations.travellers(migration.migration_id, wave=wave, states=states)
        with_ids, period = may(identity, Action.SEE_PEOPLE), migration.definition.hold_period
        asked = [one for one in found if not situations or one.situation in situations]
        return [person_row(one, period, with_ids=with_ids) for one in asked]


def _row(uow: UnitOfWork, migration: Migration, skus: Mapping[SkuId, Sku]) -> MigrationRow:
    counts = uow.migrations.counts(migration.migration_id).values()
    states = [state for counted in counts for state in counted.elements()]
    waves = [wave.state for wave in uow.migrations.waves(migration.migration_id)]
    return MigrationRow(
        migration=_brief(uow, migration, skus),
        people=in_order(states),
        waves={state: waves.count(state) for state in WaveState if state in waves},
    )


def _brief(uow: UnitOfWork, migration: Migration, skus: Mapping[SkuId, Sku]) -> Brief:
    tenants = (migration.definition.source_tenant, migration.definition.target_tenant)
    return brief_of(migration, domains_of(uow, tenants), skus)


def domains_of(uow: UnitOfWork, tenants: Collection[TenantId]) -> dict[TenantId, str]:
    """The first domain of each that is known."""
    return {tenant: found.initial_domain for tenant in tenants if (found := uow.tenants.find(tenant))}


def _corrected(one: Prospect, lines: Sequence[OperationLine]) -> Prospect:
    """Of a phase that is being written, what is left is known."""
    own = [line for line in lines if (line.wave, line.phase) == (one.wave, one.phase) and line.writes_left]
    if not own:
        return one
    done_at = max((line.writes_done_at for line in own if line.writes_done_at), default=one.done_at)
    return msgspec.structs.replace(one, left=sum(line.writes_left for line in own), done_at=done_at)


def _sheet(
    uow: UnitOfWork,
    migration: Migration,
    operations: Sequence[Operation],
    people: Sequence[Traveller],
    skus: Mapping[SkuId, Sku],
    now: datetime,
) -> MigrationSheet:
    ended = {one.operation_id: one.entered_at for one in operations if one.state in OPERATION_ENDS}

    def sheet_of(wave: Wave) -> WaveSheet:
        own = [one for one in people if one.wave == wave.number]
        return wave_sheet(wave, migration.definition, own, ended, now)

    return MigrationSheet(
        migration=_brief(uow, migration, skus),
        situations=situations_of(uow.migrations.situations(migration.migration_id), migration.definition.treatments),
        waves=list(map(sheet_of, uow.migrations.waves(migration.migration_id))),
        without_wave=in_order(one.state for one in people if not one.wave),
        operations=[],
        writes_left=0,
        writes_done_at=None,
        rate=None,
        forecast=[],
        nameless=open_rows(uow, migration).nameless,
        left_to_do=aftermath(uow, migration, people, {sku: known.name for sku, known in skus.items()}, dutch_day(now)),
    )


def _open_lines(uow: UnitOfWork, operations: Sequence[Operation], now: datetime) -> Iterator[OperationLine]:
    writes = {work.operation_id: work.writes for work in uow.journal.pending_writes()}
    for operation in operations:
        part = operation.wish.part
        if part is None or operation.state in OPERATION_ENDS:
            continue
        plan = uow.plans.current(operation.operation_id)
        yield OperationLine(
            operation_id=operation.operation_id,
            kind=operation.kind,
            wave=part.wave,
            phase=part.phase,
            tenant_id=operation.tenant_id,
            state=operation.state,
            reason=operation.reason,
            people=len(operation.wish.named),
            digest=plan.digest if plan and awaits_approval(operation, plan, now) else None,
            writes_left=writes.get(operation.operation_id, 0),
            writes_done_at=None,
        )
