"""Whom a rebind would choose: counts of each look at the tenant, which go with the ticket."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0023"
down_revision = "0022"

STATEMENTS = (
    """
    CREATE TABLE rebind_looks (
        look_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        ticket_id text NOT NULL CONSTRAINT look_for_known_ticket REFERENCES tickets,
        look      jsonb NOT NULL,
        seen_at   timestamptz NOT NULL
    )""",
    "CREATE INDEX rebind_looks_by_ticket ON rebind_looks (ticket_id, look_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    # What was seen is what somebody approved by: it is never changed, and goes when the ticket's people go.
    grant("SELECT, INSERT, DELETE", "rebind_looks")


def downgrade() -> None:
    op.execute("DROP TABLE rebind_looks")
