"""Migrations of people between tenants, their waves and their people. (The folder beside this one holds Alembic's.)"""

from sqlalchemy import Boolean, Column, Computed, Integer, Table

from provisioning.database.jsonb import JsonOf
from provisioning.database.named_people import NamedPeople
from provisioning.database.tables.columns import METADATA, json, label, moment, note
from provisioning.domain.migration import GateEvidence, MigrationDefinition, Outset

migrations = Table(
    "migrations",
    METADATA,
    label("migration_id", key=True),
    label("source_tenant_id"),
    label("target_tenant_id"),
    json("definition", MigrationDefinition),
    json("named", NamedPeople),
    label("digest"),
    label("state"),
    note("reason"),
    label("requested_by"),
    moment("created_at"),
    moment("entered_at"),
    moment("matched_at", optional=True),
    moment("due_at", optional=True),
    Column("version", Integer, nullable=False),
    moment("purged_at", optional=True),
)

waves = Table(
    "migration_waves",
    METADATA,
    label("migration_id", key=True),
    Column("number", Integer, primary_key=True),
    label("state"),
    moment("entered_at"),
    note("started_by"),
    note("asked_by"),
    label("go_reason"),
    note("reason"),
    moment("proven_at", optional=True),
    Column("failures_seen", Integer, nullable=False),
)

travellers = Table(
    "migration_travellers",
    METADATA,
    label("migration_id", key=True),
    label("source_id", key=True),
    note("target_id"),
    label("pseudonym"),
    label("organisation_id"),
    Column("wave", Integer, nullable=False),
    Column("in_wave", Integer, Computed("nullif(wave, 0)", persisted=True)),  # points at the wave, where there is one
    label("situation"),
    label("state"),
    note("source_sku"),
    note("target_sku"),
    Column("has_mailbox", Boolean, nullable=False),
    note("reason"),
    note("failed_in"),
    Column("evidence", JsonOf(GateEvidence)),
    note("operation_id"),
    moment("enabled_at", optional=True),
    json("outset", Outset),
)
