"""Organisations and what is on record about them."""

from sqlalchemy import Column, Date, Table

from provisioning.database.tables.columns import METADATA, json, label, moment, note
from provisioning.domain.records import Record

organisations = Table(
    "organisations",
    METADATA,
    label("organisation_id", key=True),
    label("kind"),
    label("name"),
    note("board_number"),
    note("town"),
    note("web_domain"),
    label("membership"),
    label("eligibility"),
    Column("operational_from", Date),
    Column("operational_until", Date),
)

relations = Table(
    "organisation_relations",
    METADATA,
    label("parent_id", key=True),
    label("child_id", key=True),
    label("kind", key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_until", Date),
)

records = Table(
    "records",
    METADATA,
    label("kind", key=True),
    label("record_id", key=True),
    label("organisation_id"),
    json("body", Record),
    moment("saved_at"),
    note("saved_by"),  # unknown of what was there before this was kept
)
