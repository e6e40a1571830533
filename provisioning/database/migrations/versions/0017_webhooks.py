"""Signed webhooks: messages on their way out, one after the other for each subject; and what came in, by its id."""

from alembic import op

from provisioning.database.migrations.grants import grant, revoke

revision = "0017"
down_revision = "0016"

STATEMENTS = (
    """
    CREATE TABLE webhook_messages (
        message_id      text PRIMARY KEY,
        place           bigint GENERATED ALWAYS AS IDENTITY,
        endpoint        text NOT NULL,
        subject         text NOT NULL,
        topic           text NOT NULL,
        organisation_id text NOT NULL,
        body            text NOT NULL,
        made_at         timestamptz NOT NULL,
        due_at          timestamptz,
        attempts        integer NOT NULL CONSTRAINT attempts_are_counted CHECK (attempts >= 0),
        answered        integer,
        delivered_at    timestamptz,
        given_up_at     timestamptz,
        CONSTRAINT message_ends_once CHECK (delivered_at IS NULL OR given_up_at IS NULL),
        CONSTRAINT message_is_due_until_it_ends CHECK (
            (due_at IS NOT NULL) = (delivered_at IS NULL AND given_up_at IS NULL))
    )""",
    "CREATE INDEX webhook_messages_open ON webhook_messages (endpoint, subject, place) WHERE due_at IS NOT NULL",
    "CREATE INDEX webhook_messages_given_up ON webhook_messages (endpoint) WHERE given_up_at IS NOT NULL",
    "CREATE INDEX webhook_messages_by_age ON webhook_messages (delivered_at) WHERE delivered_at IS NOT NULL",
    """
    CREATE TABLE webhook_receipts (
        sender      text NOT NULL,
        message_id  text NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (sender, message_id)
    )""",
    "CREATE INDEX webhook_receipts_by_age ON webhook_receipts (received_at)",
    "ALTER TABLE notices ADD COLUMN facts_spread integer NOT NULL DEFAULT 0",
    "CREATE INDEX notices_to_spread ON notices (day) WHERE facts_spread < facts",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(
        "SELECT, INSERT, DELETE, UPDATE (due_at, attempts, answered, delivered_at, given_up_at)",
        "webhook_messages",
    )
    grant("SELECT, INSERT, DELETE", "webhook_receipts")
    grant("UPDATE (facts_spread)", "notices")


def downgrade() -> None:
    revoke("UPDATE (facts_spread)", "notices")
    for statement in (
        "ALTER TABLE notices DROP COLUMN facts_spread",
        "DROP TABLE webhook_receipts",
        "DROP TABLE webhook_messages",
    ):
        op.execute(statement)
