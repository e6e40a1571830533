"""Agreements on their way to another tenant: what each look at both tenants showed."""

from alembic import op

from provisioning.database.migrations.grants import grant

revision = "0019"
down_revision = "0018"

STATEMENTS = (
    """
    CREATE TABLE agreement_moves (
        look_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        ticket_id text NOT NULL CONSTRAINT move_for_known_ticket REFERENCES tickets,
        move      jsonb NOT NULL,
        seen_at   timestamptz NOT NULL
    )""",
    "CREATE INDEX agreement_moves_by_ticket ON agreement_moves (ticket_id, look_id)",
    # What Microsoft is asked was let by a second person first; only a migration has approvals of its own.
    """
    ALTER TABLE tickets
        DROP CONSTRAINT ticket_carried_out_once_approved,
        ADD CONSTRAINT ticket_carried_out_once_approved CHECK (
            state NOT IN ('awaiting_microsoft', 'running', 'completed', 'partially_completed')
            OR approved_by IS NOT NULL OR kind = 'move_school')""",
)
BEFORE = """
    ALTER TABLE tickets
        DROP CONSTRAINT ticket_carried_out_once_approved,
        ADD CONSTRAINT ticket_carried_out_once_approved CHECK (
            state NOT IN ('running', 'completed', 'partially_completed')
            OR approved_by IS NOT NULL OR kind IN ('move_school', 'remap_agreement'))"""


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    # Append-only: what was seen is what Microsoft's support is told, and what a board is shown years later.
    grant("SELECT, INSERT", "agreement_moves")


def downgrade() -> None:
    op.execute(BEFORE)
    op.execute("DROP TABLE agreement_moves")
