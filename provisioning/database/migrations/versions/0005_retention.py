"""What is too old goes, and a person can be forgotten; audit log, ledger and order lines stay out of the service's reach."""

from alembic import op

from provisioning.database.migrations.grants import grant, revoke

revision = "0005"
down_revision = "0004"

_TABLES = ("attempts", "plans", "waiting_list")  # from people, steps, reservations and references it deletes already


def upgrade() -> None:
    grant("DELETE", *_TABLES)
    op.execute("CREATE INDEX operations_ended ON operations (entered_at) WHERE due_at IS NULL AND state <> 'held'")


def downgrade() -> None:
    op.execute("DROP INDEX operations_ended")
    revoke("DELETE", *_TABLES)
