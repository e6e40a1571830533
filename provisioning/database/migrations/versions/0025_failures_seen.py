"""A threshold counts what failed since a person last let the migration go on: what they saw belongs to the wave."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0025"
down_revision = "0024"

STATEMENTS = (
    "ALTER TABLE migration_waves ADD COLUMN failures_seen integer NOT NULL DEFAULT 0"
    " CONSTRAINT nobody_saw_less_than_nothing CHECK (failures_seen >= 0)",
    # who failed until now was counted already: no migration pauses because of an upgrade
    """
    UPDATE migration_waves AS wave SET failures_seen = (
        SELECT count(*) FROM migration_travellers AS people
        WHERE people.migration_id = wave.migration_id AND people.wave = wave.number AND people.state = 'failed')""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("UPDATE (failures_seen)", "migration_waves")


def downgrade() -> None:
    op.execute("ALTER TABLE migration_waves DROP COLUMN failures_seen")
