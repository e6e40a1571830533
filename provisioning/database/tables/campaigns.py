"""Campaigns and their members: one row for each holder, product and tenant, none for a person."""

from sqlalchemy import Boolean, Column, Integer, Table

from provisioning.database.jsonb import JsonOf
from provisioning.database.tables.columns import METADATA, json, label, labels, moment, note
from provisioning.domain.campaign import CampaignApproval, CampaignDefinition
from provisioning.planning.campaign_readiness import Readiness

campaigns = Table(
    "campaigns",
    METADATA,
    label("campaign_id", key=True),
    json("definition", CampaignDefinition),
    label("digest"),
    label("state"),
    note("reason"),
    label("told"),
    label("requested_by"),
    Column("approval", JsonOf(CampaignApproval)),
    note("started_by"),
    moment("created_at"),
    moment("entered_at"),
    moment("due_at", optional=True),
    Column("version", Integer, nullable=False),
)

members = Table(
    "campaign_members",
    METADATA,
    label("campaign_id", key=True),
    label("tenant_id", key=True),
    label("holder_id", key=True),
    label("from_sku", key=True),
    label("to_sku"),
    label("board_id"),
    Column("wave", Integer, nullable=False),
    label("mode"),
    label("state"),
    note("reason"),
    label("told"),
    note("operation_id"),
    *(Column(name, Integer, nullable=False) for name in ("people", "right", "left", "failed")),
    Column("is_seen", Boolean, nullable=False),
    labels("hands"),
    moment("entered_at"),
    Column("readiness", JsonOf(Readiness)),
    moment("checked_at", optional=True),
    moment("look_until", optional=True),  # real time: somebody looks at it now
)
