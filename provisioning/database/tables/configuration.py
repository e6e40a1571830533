"""Which mappings and limits are in force, and which were."""

from sqlalchemy import BigInteger, Column, Identity, Table

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
)
