"""Several workers share a campaign's list: whoever looks at a tenant says until when it is theirs."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("ALTER TABLE campaign_members ADD COLUMN look_until timestamptz")
    grant("UPDATE (look_until)", "campaign_members")


def downgrade() -> None:
    op.execute("ALTER TABLE campaign_members DROP COLUMN look_until")
