"""Messages on their way out, and those that came in."""

from sqlalchemy import BigInteger, Column, Identity, Integer, Table

from provisioning.database.tables.columns import METADATA, label, moment

messages = Table(
    "webhook_messages",
    METADATA,
    label("message_id", key=True),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    label("endpoint"),
    label("subject"),
    label("topic"),
    label("organisation_id"),
    label("body"),
    moment("made_at"),
    moment("due_at", optional=True),
    Column("attempts", Integer, nullable=False),
    Column("answered", Integer),
    moment("delivered_at", optional=True),
    moment("given_up_at", optional=True),
)

receipts = Table(
    "webhook_receipts",
    METADATA,
    label("sender", key=True),
    label("message_id", key=True),
    moment("received_at"),
)
