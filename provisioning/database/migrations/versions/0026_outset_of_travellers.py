"""What people of a migration had when they were matched, so that a forecast counts the writes that they need."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute("ALTER TABLE migration_travellers ADD COLUMN outset jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE migration_travellers DROP COLUMN outset")
