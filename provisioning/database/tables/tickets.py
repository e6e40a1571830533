"""Tickets, and apart from them what people wrote beside the fields."""

from sqlalchemy import BigInteger, Column, Identity, Integer, Table

from provisioning.database.tables.columns import METADATA, json, label, labels, moment, note

tickets = Table(
    "tickets",
    METADATA,
    label("ticket_id", key=True),
    label("source"),
    label("reference"),
    label("kind"),
    label("organisation_id"),
    label("requested_by"),
    labels("authors"),
    note("board_id"),
    note("requester"),
    json("given", dict[str, object]),
    labels("missing"),
    label("state"),
    note("reason"),
    note("digest"),
    labels("grounded_by"),
    note("approved_by"),
    moment("approved_at", optional=True),
    note("closing_words"),
    moment("created_at"),
    moment("entered_at"),
    moment("due_at", optional=True),
    Column("answers", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)

texts = Table(
    "ticket_texts",
    METADATA,
    Column("text_id", BigInteger, Identity(always=True), primary_key=True),
    label("ticket_id"),
    label("body"),
    moment("kept_at"),
)
