"""Migrations: from what was asked for to the closing statement."""

from typing import Annotated, Any

import msgspec
from fastapi import Query
from pydantic import Field

from provisioning.domain.errors import InputError
from provisioning.domain.migration import EvidenceSource, Migration, Situation
from provisioning.domain.migration_file import MigrationFile
from provisioning.domain.migration_lifecycle import MigrationState, PersonState
from provisioning.intake.gate_evidence import ReportColumns, parse_evidence
from provisioning.intake.identity_maps import parse_identity_map
from provisioning.intake.migration_files import parse_migration
from provisioning.planning.migration_report import MigrationReport
from provisioning.planning.preflight import Preflight
from provisioning.services.create_migration import CreatedMigration
from provisioning.services.migration_sheet import MigrationRow, MigrationSheet, PersonRow
from provisioning.services.paging import Page, cut
from provisioning.web.calls import Body, Caller, Named, PageWanted, Person, Text
from provisioning.web.routing import router as routes_about

router = routes_about("migrations")

WaveNumber = Annotated[int, Field(ge=1, le=10_000, description="The first is the pilot.")]


class NewMigration(Body):
    """`migration`: the fields of docs/migration-file.md. `identity_map`: the CSV text that its identity.file names."""

    migration: dict[str, Any]
    identity_map: str | None = None


class Evidence(Body):
    """`content`: the file as text; `name` is what the record calls it. The columns are those of a tool's report."""

    source: EvidenceSource
    name: Text = "evidence"
    content: str
    person_column: Text = "person"
    status_column: Text = "status"
    completed_column: Text | None = None


class GateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`unknown`: nobody of this migration. `unready`: whom the evidence calls not moved, and its word.

    `unlicensed`: whom the migration gave no licence before it was called off; Exchange does not come on for them.

    By the moments in the evidence: `not_yet` has moved, or so `long_ago` that Microsoft may have deleted the mailbox.
    """

    ready: int
    known_before: int
    unknown: tuple[str, ...]
    unlicensed: tuple[str, ...]
    not_yet: tuple[str, ...]
    long_ago: tuple[str, ...]
    unready: dict[str, str]

    def to_keep(self) -> "GateAnswer":
        return msgspec.structs.replace(self, unknown=(), unlicensed=(), not_yet=(), long_ago=(), unready={})


@router.post("")
def create(caller: Person, asked: NewMigration) -> CreatedMigration:
    """Prepare a migration, and match its people. Both tenants are read; nothing is written."""
    return caller.services.create_migration(caller.identity, _read(caller, asked))


@router.get("")
def list_all(
    caller: Person, wanted: PageWanted, state: Annotated[list[MigrationState] | None, Query()] = None
) -> Page[MigrationRow]:
    """Migrations and where they stand, oldest first."""
    rows = caller.services.show_migrations(state or ())
    return cut(rows, wanted, tuple[str, str], lambda row: (_moment(row), row.migration.migration_id))


@router.get("/{migration}")
def show(caller: Person, migration: Named) -> MigrationSheet:
    """One migration: situations, waves, and what waits for whom."""
    return caller.services.show_migrations.one(migration)


@router.get("/{migration}/people")
def people(
    caller: Person,
    migration: Named,
    wanted: PageWanted,
    wave: Annotated[int | None, Query(ge=0, le=10_000, description="0: of none.")] = None,
    state: Annotated[list[PersonState] | None, Query()] = None,
    situation: Annotated[list[Situation] | None, Query()] = None,
) -> Page[PersonRow]:
    """Its people. Operators see their ids, others what the audit log calls them."""
    rows = caller.services.show_migrations.people(caller.identity, migration, wave, state or (), situation or ())
    ordered = sorted(rows, key=_person)
    return cut(ordered, wanted, tuple[int, str], _person)


@router.post("/{migration}/match")
def match(caller: Person, migration: Named) -> Migration:
    """Match its people anew, until the first wave begins."""
    return caller.services.match_again(caller.identity, migration)


@router.get("/{migration}/waves/{wave}/check")
def check(caller: Person, migration: Named, wave: WaveNumber) -> Preflight:
    """What is in the way of a wave. Both tenants are looked at, and nothing is changed."""
    return caller.services.check_wave(migration, wave)


@router.post("/{migration}/gate")
def gate(caller: Person, migration: Named, evidence: Evidence) -> GateAnswer:
    """Say whose mailbox has moved; Exchange goes on for them. A licence is never evidence."""
    columns = ReportColumns(
        person=evidence.person_column, status=evidence.status_column, completed_at=evidence.completed_column
    )
    read = parse_evidence(evidence.name, evidence.content.encode(), evidence.source, columns)
    ready = [one.person for one in read.ready]
    opened = caller.services.open_gate(
        caller.identity, migration, ready, evidence.source, read.reference, read.completed
    )
    return GateAnswer(
        ready=opened.ready,
        known_before=opened.known_before,
        unknown=opened.unknown,
        unlicensed=opened.unlicensed,
        not_yet=opened.not_yet,
        long_ago=opened.long_ago,
        unready={one.person: one.status for one in read.unready},
    )


@router.get("/{migration}/report")
def report(caller: Person, migration: Named) -> MigrationReport:
    """What happened to whom, when, and who let it. Names people by id for operators only."""
    return caller.services.report_migration(caller.identity, migration)


def _read(caller: Caller, asked: NewMigration) -> MigrationFile:
    content = msgspec.json.encode(asked.migration)
    migration = parse_migration("migration.json", content, caller.services.mappings)
    if (migration.identity_file is None) is not (asked.identity_map is None):
        raise InputError("identity.file of the migration and identity_map go together: give both, or neither.")
    if asked.identity_map is None:
        return migration
    pairs = parse_identity_map("identity_map", asked.identity_map.encode())
    return msgspec.structs.replace(migration, identity=pairs)


def _moment(row: MigrationRow) -> str:
    return f"{row.migration.created_at:%Y-%m-%dT%H:%M:%S.%f}"


def _person(row: PersonRow) -> tuple[int, str]:
    return row.wave, row.person or row.source_id or ""
