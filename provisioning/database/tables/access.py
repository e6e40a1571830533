"""Who may act, who works where, and where nobody may write."""

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, SmallInteger, Table

from provisioning.database.tables.columns import METADATA, label, labels, moment, note

actors = Table(
    "actors",
    METADATA,
    label("actor", key=True),
    labels("roles"),
    note("board_id"),
    moment("added_at"),
    moment("revoked_at", optional=True),
)

tokens = Table(
    "tokens",
    METADATA,
    label("token_digest", key=True),
    label("actor"),
    moment("added_at"),
    moment("expires_at"),
    moment("revoked_at", optional=True),
)

leases = Table(
    "leases",
    METADATA,
    label("name", key=True),
    label("holder"),
    Column("fence", BigInteger, nullable=False),
    moment("expires_at"),
)

stops = Table("stops", METADATA, label("scope", key=True), label("reason"), label("stopped_by"), moment("stopped_at"))

credential_failures = Table(
    "credential_failures",
    METADATA,
    label("tenant_id", key=True),
    label("reason", key=True),
    moment("failed_at"),
    Column("is_answered", Boolean, nullable=False),
)

kept_answers = Table(
    "kept_answers",
    METADATA,
    label("actor", key=True),
    label("key", key=True),
    label("digest"),
    moment("claimed_at"),
    Column("status", SmallInteger),
    Column("body", LargeBinary, nullable=False),
)
