"""Order lines, the references they came with, and the ledger of what was bought."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Identity, Integer, Table

from provisioning.database.tables.columns import METADATA, label, labels, moment, note

watermarks = Table("collector_watermarks", METADATA, label("source", key=True), moment("changed_at"))

order_lines = Table(
    "order_lines",
    METADATA,
    label("source", key=True),
    label("order_number", key=True),
    label("line_number", key=True),
    label("status"),
    moment("placed_at"),
    moment("changed_at"),
    label("organisation_code"),
    label("actor"),
    label("article_code"),
    label("quantity"),
    Column("quantity_is_total", Boolean, nullable=False),
    Column("unit_price_cents", BigInteger),
    Column("starts_on", Date),
    Column("ends_on", Date),
    note("tenant_hint"),
    note("reference_number"),
    note("requester_reference"),
    label("digest"),
    label("state"),
    note("reason"),
    labels("warnings"),
    moment("received_at"),
    moment("judged_at", optional=True),
    moment("held_since", optional=True),
    note("released_by"),
)

references = Table(
    "subject_references",
    METADATA,
    label("source", key=True),
    label("order_number", key=True),
    label("line_number", key=True),
    Column("ordinal", Integer, primary_key=True),
    note("reference"),
    note("subject_id"),
    moment("kept_at"),
)

brought_in = Table(
    "order_lines_brought_in",
    METADATA,
    label("source", key=True),
    label("order_number", key=True),
    label("line_number", key=True),
    label("client"),
)

ledger = Table(
    "entitlement_ledger",
    METADATA,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    label("holder_id"),
    note("tenant_id"),
    label("article_code"),
    note("sku_id"),
    Column("delta", Integer, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("ends_on", Date),
    label("cause"),
    label("cause_ref"),
)
