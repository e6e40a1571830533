"""A preflight proves something about one wave, for seven days: when it last did belongs to the wave."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0015"
down_revision = "0014"

STATEMENTS = (
    "ALTER TABLE migration_waves ADD COLUMN proven_at timestamptz",
    """
    UPDATE migration_waves AS wave SET proven_at = migrations.preflight_at
    FROM migrations WHERE migrations.migration_id = wave.migration_id AND wave.state <> 'waiting'""",
    "ALTER TABLE migrations DROP COLUMN preflight_at",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("UPDATE (proven_at)", "migration_waves")


def downgrade() -> None:
    op.execute("ALTER TABLE migrations ADD COLUMN preflight_at timestamptz")
    grant("UPDATE (preflight_at)", "migrations")
    op.execute(
        "UPDATE migrations SET preflight_at = (SELECT max(proven_at) FROM migration_waves AS wave"
        " WHERE wave.migration_id = migrations.migration_id)"
    )
    op.execute("ALTER TABLE migration_waves DROP COLUMN proven_at")
