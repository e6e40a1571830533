"""Groups that bring licences: the register of ours, and their rows among the people of an operation."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    """
    CREATE TABLE licensing_groups (
        tenant_id   text NOT NULL CONSTRAINT group_in_known_tenant REFERENCES tenants,
        sku_id      text NOT NULL,
        holder_id   text NOT NULL,
        nickname    text NOT NULL,
        group_id    text,
        is_licensed boolean NOT NULL,
        PRIMARY KEY (tenant_id, sku_id, holder_id),
        CONSTRAINT licensed_group_is_known CHECK (group_id IS NOT NULL OR NOT is_licensed)
    )""",
    "ALTER TABLE steps ADD COLUMN is_last boolean NOT NULL DEFAULT true",
    "ALTER TABLE operation_subjects ADD COLUMN is_group boolean NOT NULL DEFAULT false",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant("SELECT, INSERT, UPDATE", "licensing_groups")


def downgrade() -> None:
    op.execute("DELETE FROM steps USING operation_subjects AS rows WHERE rows.is_group"
               " AND (rows.operation_id, rows.subject_id) = (steps.operation_id, steps.subject_id)")
    op.execute("DELETE FROM operation_subjects WHERE is_group")
    op.execute("ALTER TABLE steps DROP COLUMN is_last")
    op.execute("ALTER TABLE operation_subjects DROP COLUMN is_group")
    op.execute("DROP TABLE licensing_groups")
