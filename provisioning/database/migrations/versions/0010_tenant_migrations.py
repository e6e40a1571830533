"""Migrations of people between tenants: what was asked for, its waves, its people, and which operations are theirs."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    """
    CREATE TABLE migrations (
        migration_id     text PRIMARY KEY,
        source_tenant_id text NOT NULL CONSTRAINT migration_from_known_tenant REFERENCES tenants,
        target_tenant_id text NOT NULL CONSTRAINT migration_to_known_tenant REFERENCES tenants,
        definition       jsonb NOT NULL CONSTRAINT migration_hold_period_long_enough
                             CHECK (CAST(definition ->> 'hold_period' AS interval) >= interval '30 days'),
        named            jsonb NOT NULL,
        digest           text NOT NULL,
        state            text NOT NULL CHECK (state IN ('new', 'matched', 'running', 'paused', 'aborted', 'completed')),
        reason           text,
        requested_by     text NOT NULL,
        created_at       timestamptz NOT NULL,
        entered_at       timestamptz NOT NULL,
        matched_at       timestamptz,
        preflight_at     timestamptz,
        due_at           timestamptz,
        version          integer NOT NULL,
        purged_at        timestamptz,
        CONSTRAINT migration_between_two_tenants CHECK (source_tenant_id <> target_tenant_id),
        CONSTRAINT paused_migration_has_reason CHECK (state <> 'paused' OR reason IS NOT NULL),
        CONSTRAINT only_ended_migrations_are_purged CHECK (purged_at IS NULL OR state IN ('aborted', 'completed'))
    )""",
    "CREATE INDEX migrations_due ON migrations (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX migrations_ended ON migrations (entered_at) WHERE purged_at IS NULL",
    """
    CREATE TABLE migration_waves (
        migration_id text NOT NULL CONSTRAINT wave_of_known_migration REFERENCES migrations,
        number       integer NOT NULL CONSTRAINT wave_numbered_from_one CHECK (number >= 1),
        state        text NOT NULL CHECK (state IN ('waiting', 'preparing', 'gated', 'holding', 'releasing',
                         'rolling_back', 'rolled_back', 'done')),
        entered_at   timestamptz NOT NULL,
        started_by   text,
        asked_by     text,
        go_reason    text NOT NULL,
        reason       text,
        PRIMARY KEY (migration_id, number),
        CONSTRAINT wave_started_by_person CHECK (
            state = 'waiting' OR (started_by IS NOT NULL AND starts_with(started_by, 'person:'))),
        CONSTRAINT wave_after_the_pilot_has_reason CHECK (
            state = 'waiting' OR number = 1 OR length(trim(go_reason)) > 0)
    )""",
    """
    CREATE TABLE migration_travellers (
        migration_id    text NOT NULL CONSTRAINT traveller_of_known_migration REFERENCES migrations,
        source_id       text NOT NULL,
        target_id       text,
        pseudonym       text NOT NULL,
        organisation_id text NOT NULL,
        wave            integer NOT NULL CHECK (wave >= 0),
        in_wave         integer GENERATED ALWAYS AS (nullif(wave, 0)) STORED,
        situation       text NOT NULL CHECK (situation IN ('matched', 'missing_in_target', 'missing_in_source',
                            'disputed', 'matched_twice', 'already_licensed', 'guest', 'disabled', 'of_two_boards')),
        state           text NOT NULL CHECK (state IN ('waiting', 'preparing', 'prepared', 'enabling', 'enabled',
                            'releasing', 'released', 'rolling_back', 'rolled_back', 'failed', 'left_out')),
        source_sku      text,
        target_sku      text,
        has_mailbox     boolean NOT NULL,
        reason          text,
        failed_in       text CHECK (failed_in IN ('prepare', 'enable', 'release', 'undo_target', 'undo_source')),
        evidence        jsonb,
        operation_id    text CONSTRAINT traveller_of_known_operation REFERENCES operations,
        enabled_at      timestamptz,
        PRIMARY KEY (migration_id, source_id),
        CONSTRAINT traveller_in_known_wave FOREIGN KEY (migration_id, in_wave) REFERENCES migration_waves,
        CONSTRAINT traveller_has_all_it_takes CHECK (
            state IN ('waiting', 'left_out')
            OR (wave >= 1 AND target_id IS NOT NULL AND target_sku IS NOT NULL
                AND situation IN ('matched', 'already_licensed', 'disabled'))),
        CONSTRAINT exchange_goes_on_with_evidence CHECK (state <> 'enabling' OR evidence IS NOT NULL),
        CONSTRAINT hold_period_has_a_beginning CHECK (
            state NOT IN ('enabled', 'releasing', 'released') OR enabled_at IS NOT NULL),
        CONSTRAINT failed_traveller_has_reason CHECK (
            state <> 'failed' OR (reason IS NOT NULL AND failed_in IS NOT NULL))
    ) WITH (fillfactor = 80)""",
    # Before anybody begins, two may still dispute an account: that is what their situation says.
    """
    CREATE UNIQUE INDEX one_traveller_for_an_account ON migration_travellers (migration_id, target_id)
    WHERE state <> 'left_out' AND situation NOT IN ('disputed', 'matched_twice')""",
    """
    CREATE INDEX operations_by_migration ON operations ((wish -> 'part' ->> 'migration_id'))
    WHERE wish -> 'part' ->> 'migration_id' IS NOT NULL""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    # What was asked for, and as whom people were matched, stays as it was written.
    grant(
        "SELECT, INSERT, UPDATE (named, state, reason, entered_at, matched_at, preflight_at, due_at, version,"
        " purged_at)",
        "migrations",
    )
    grant("SELECT, INSERT, UPDATE (state, entered_at, started_by, asked_by, go_reason, reason)", "migration_waves")
    grant(
        "SELECT, INSERT, DELETE, UPDATE (wave, state, reason, failed_in, evidence, operation_id, enabled_at)",
        "migration_travellers",
    )


def downgrade() -> None:
    op.execute("DROP INDEX operations_by_migration")
    op.execute("DROP TABLE migration_travellers, migration_waves, migrations")
