"""What is on record for good, how far it is sealed, and who the pseudonyms stand for."""

from sqlalchemy import BigInteger, Column, Identity, LargeBinary, Table

from provisioning.database.tables.columns import METADATA, label, moment, note, only_row

audit_events = Table(
    "audit_events",
    METADATA,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    label("body"),
    note("organisation_id"),
    note("tenant_id"),
    note("operation_id"),
)

audit_unsealed = Table("audit_unsealed", METADATA, Column("event_id", BigInteger, primary_key=True))

audit_seals = Table(
    "audit_seals",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

audit_sealer = Table(
    "audit_sealer",
    METADATA,
    only_row(),
    Column("frontier", LargeBinary, nullable=False),
    Column("checkpointed", BigInteger, nullable=False),
    moment("checkpointed_at", optional=True),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    label("note"),
    Column("frontier", LargeBinary, nullable=False),
    moment("signed_at"),
)

pseudonyms = Table(
    "pseudonyms",
    METADATA,
    label("tenant_id", key=True),
    label("subject_id", key=True),
    label("pseudonym"),
)
