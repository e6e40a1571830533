"""Which mappings and limits are in force, and which were."""

from sqlalchemy import BigInteger, Boolean, Column, Computed, Identity, LargeBinary, Table

from provisioning.database.tables.columns import METADATA, json, label, moment, note

configuration_versions = Table(
    "configuration_versions",
    METADATA,
    Column("version_id", BigInteger, Identity(always=True), primary_key=True),
    label("kind"),
    label("digest"),
    json("content", dict[str, str]),
    label("reason"),
    label("proposed_by"),
    moment("proposed_at"),
    note("approved_by"),
    moment("approved_at", optional=True),
    moment("retired_at", optional=True),
    Column("restores", BigInteger),
    note("reviewed_by"),
    moment("reviewed_at", optional=True),
    # two columns for the foreign key that says: what comes back was agreed on before
    Column("was_agreed", Boolean, Computed("approved_by IS NOT NULL OR proposed_by = 'system'", persisted=True)),
    Column(
        "restores_agreed",
        Boolean,
        Computed("CASE WHEN restores IS NULL THEN NULL ELSE true END", persisted=True),
    ),
)

configuration_contents = Table(
    "configuration_contents",
    METADATA,
    label("kind", key=True),
    label("digest", key=True),
    Column("packed", LargeBinary, nullable=False),
)
