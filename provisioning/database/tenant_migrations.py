"""Migrations and their waves. As with operations, `due_at` is the only queue of record."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Text, insert, literal, literal_column, or_, update

from provisioning.database.named_people import put_together, set_apart
from provisioning.database.store import columns_of, inserted, row_of
from provisioning.database.tables.operations import operations
from provisioning.database.tables.tenant_migrations import migrations
from provisioning.database.tables.tenant_migrations import waves as wave_rows
from provisioning.database.transitions import sources_or_itself
from provisioning.database.travellers import SqlTravellers, no_migration
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import MigrationId
from provisioning.domain.migration import Migration, Traveller, Wave
from provisioning.domain.migration_lifecycle import (
    MIGRATION_TRANSITIONS,
    WAVE_TRANSITIONS,
    MigrationState,
    advance_migration,
    advance_wave,
)
from provisioning.domain.operation import Operation
from provisioning.planning.selectors import parse_selector

_SOURCES = sources_or_itself(MIGRATION_TRANSITIONS)
_WAVE_SOURCES = sources_or_itself(WAVE_TRANSITIONS)
_STANDING = ("state", "reason", "entered_at", "matched_at", "due_at")
_COLUMNS = columns_of(migrations, Migration).add_columns(migrations.c.named)


class SqlMigrations(SqlTravellers):
    def add(self, migration: Migration, waves: Sequence[Wave], travellers: Sequence[Traveller] = ()) -> None:
        self._connection.execute(insert(migrations).values(_row_of(migration)))
        if waves:
            self._connection.execute(inserted(wave_rows, [row_of(wave) for wave in waves]))
        if travellers:
            self.replace_travellers(migration.migration_id, travellers)

    def find(self, migration: MigrationId) -> Migration | None:
        return next(iter(self._migrations(_COLUMNS.where(migrations.c.migration_id == migration))), None)

    def get(self, migration: MigrationId) -> Migration:
        found = self.find(migration)
        if found is None:
            raise no_migration(migration)
        return found

    def list_by(self, states: Collection[MigrationState] = (), limit: int = 1000) -> list[Migration]:
        query = _COLUMNS.where(migrations.c.state.in_(states)) if states else _COLUMNS
        return self._migrations(query.order_by(migrations.c.created_at, migrations.c.migration_id).limit(limit))

    def asked_by(self, reference: str) -> list[Migration]:
        table = migrations.c
        query = _COLUMNS.where(table.definition.op("->>", return_type=Text())(literal("asked_by", Text)) == reference)
        return self._migrations(query.order_by(table.created_at, table.migration_id))

    def starting_with(self, prefix: str, limit: int = 3) -> list[MigrationId]:
        return self._ids(migrations.c.migration_id, prefix, limit)

    def save(self, migration: Migration) -> Migration:
        table = migrations.c
        is_ours = (table.migration_id == migration.migration_id) & (table.version == migration.version)
        may_go = table.state.in_(_SOURCES[migration.state])
        news = {name: getattr(migration, name) for name in _STANDING} | {"version": migration.version + 1}
        if not self._changed(update(migrations).where(is_ours, may_go).values(news)):
            raise self._refused(migration)
        return msgspec.structs.replace(migration, version=migration.version + 1)

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[MigrationId]:
        return self._claimed(migrations.c.migration_id, now, again_at, limit)

    def postpone(self, migration: MigrationId, until: datetime) -> None:
        self._postpone(migrations.c.migration_id, migration, until)

    def waves(self, migration: MigrationId) -> list[Wave]:
        query = columns_of(wave_rows, Wave).where(wave_rows.c.migration_id == migration)
        return self._list(query.order_by(wave_rows.c.number), Wave)

    def save_wave(self, wave: Wave) -> None:
        self._lock(wave.migration_id)
        table = wave_rows.c
        is_it = (table.migration_id == wave.migration_id) & (table.number == wave.number)
        may_go = table.state.in_(_WAVE_SOURCES[wave.state])
        was_started_so = or_(
            table.started_by.is_(None), (table.started_by == wave.started_by) & (table.go_reason == wave.go_reason)
        )
        changing = (
            "state",
            "entered_at",
            "started_by",
            "asked_by",
            "go_reason",
            "reason",
            "proven_at",
            "failures_seen",
        )
        news = {name: getattr(wave, name) for name in changing}
        if not self._changed(update(wave_rows).where(is_it, may_go, was_started_so).values(news)):
            raise self._refused_wave(wave)

    def operations_of(self, migration: MigrationId) -> list[Operation]:
        query = columns_of(operations, Operation).where(_is_part_of(migration))
        return self._list(query.order_by(operations.c.created_at, operations.c.operation_id), Operation)

    def followers_of(self, migration: Migration) -> list[Operation]:
        follows: ColumnElement[str] = literal_column("operations.wish -> 'follows' ->> 'migration_id'", Text)
        in_target = operations.c.tenant_id == migration.definition.target_tenant
        query = columns_of(operations, Operation).where(in_target, follows == migration.migration_id)
        return self._list(query.order_by(operations.c.created_at, operations.c.operation_id), Operation)

    def _migrations(self, query: Select[Any]) -> list[Migration]:
        return [_migration_of(row) for row in self._rows(query)]

    def _refused(self, migration: Migration) -> ConflictError:
        present = self.get(migration.migration_id)
        if present.version == migration.version:
            advance_migration(present.state, migration.state)
        return ConflictError(f"Migration {migration.migration_id} changed since it was read. Read it again.")

    def _refused_wave(self, wave: Wave) -> ConflictError | InputError:
        present = next((each for each in self.waves(wave.migration_id) if each.number == wave.number), None)
        if present is None:
            return InputError(f"Migration {wave.migration_id} has no wave {wave.number}.")
        if present.state is not wave.state:
            advance_wave(present.state, wave.state)
        return ConflictError(f"Wave {wave.number} of {wave.migration_id} was started by {present.started_by} already.")


def _row_of(migration: Migration) -> dict[str, Any]:
    definition, named = set_apart(migration.definition)
    for selector in (named.people, *named.waves):
        parse_selector(selector)  # whom it names must be found again when they are to be forgotten
    return row_of(migration) | {
        "source_tenant_id": definition.source_tenant,
        "target_tenant_id": definition.target_tenant,
        "definition": definition,
        "named": named,
    }


def _is_part_of(migration: MigrationId) -> ColumnElement[bool]:
    """To the letter as in the index that finds it."""
    part_of: ColumnElement[str] = literal_column("operations.wish -> 'part' ->> 'migration_id'", Text)
    return part_of == migration


def _migration_of(row: dict[str, Any]) -> Migration:
    whole = put_together(row["definition"], row.pop("named"))
    return msgspec.convert(row | {"definition": whole}, Migration)
