"""What is to be told, and what was."""

from sqlalchemy import BigInteger, Column, Date, Identity, Integer, Table

from provisioning.database.tables.columns import METADATA, json, label, labels, moment, note

intents = Table(
    "outbox_intents",
    METADATA,
    Column("intent_id", BigInteger, Identity(always=True), primary_key=True),
    label("topic"),
    label("organisation_id"),
    label("reference"),
    moment("at"),
    note("ticket_id"),  # of an answer: one message by itself, never part of a notice
    Column("sequence", Integer),
    json("details", dict[str, str]),
    moment("relayed_at", optional=True),
)

notices = Table(
    "notices",
    METADATA,
    label("organisation_id", key=True),
    label("topic", key=True),
    Column("day", Date, primary_key=True),
    Column("facts", Integer, nullable=False),
    moment("first_at"),
    moment("last_at"),
    labels("references_made"),
    moment("made_at"),
    Column("facts_spread", Integer, nullable=False, server_default="0"),  # of them, how many webhooks told
)
