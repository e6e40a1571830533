"""Credential failures from before writes were resumed call for no second incident; the service may say so already."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("ALTER TABLE credential_failures ADD COLUMN is_answered boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE credential_failures DROP COLUMN is_answered")
