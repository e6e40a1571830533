"""What stood in a tenant before we sold there, and since when an operation cannot read its tenant."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "ALTER TABLE operations ADD COLUMN unreadable_since timestamptz",
    """
    CREATE TABLE seat_baselines (
        tenant_id   text NOT NULL CONSTRAINT baseline_in_known_tenant REFERENCES tenants,
        sku_id      text NOT NULL,
        seen_at     timestamptz NOT NULL,
        unexplained integer NOT NULL CHECK (unexplained >= 0),
        PRIMARY KEY (tenant_id, sku_id, seen_at)
    )""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT", "seat_baselines")


def downgrade() -> None:
    op.execute("DROP TABLE seat_baselines")
    op.execute("ALTER TABLE operations DROP COLUMN unreadable_since")
