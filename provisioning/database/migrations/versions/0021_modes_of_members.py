"""How a tenant of a campaign licensed when the waves were drawn: canaries stand for those that do as they do."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE campaign_members ADD COLUMN mode text NOT NULL DEFAULT 'direct'"
        " CHECK (mode IN ('none', 'direct', 'group'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE campaign_members DROP COLUMN mode")
