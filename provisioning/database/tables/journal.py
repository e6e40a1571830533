"""People, steps and attempts of operations."""

from sqlalchemy import BigInteger, Boolean, Column, Identity, Integer, SmallInteger, Table

from provisioning.database.tables.columns import METADATA, json, label, labels, moment, note
from provisioning.domain.operation import BeforeImage, Change

subjects = Table(
    "operation_subjects",
    METADATA,
    label("operation_id", key=True),
    label("subject_id", key=True),
    label("plan_id"),
    label("pseudonym"),
    note("organisation_id"),
    label("state"),
    note("reason"),
    json("before", BeforeImage),
    labels("notes"),
    Column("is_group", Boolean, nullable=False),
)

steps = Table(
    "steps",
    METADATA,
    Column("step_id", BigInteger, Identity(always=True), primary_key=True),
    label("operation_id"),
    label("plan_id"),
    label("tenant_id"),
    label("subject_id"),
    Column("position", Integer, nullable=False),
    Column("sequence", SmallInteger, nullable=False),
    label("kind"),
    json("change", Change),
    label("explanation"),
    label("state"),
    note("reason"),
    Column("attempts", SmallInteger, nullable=False),
    note("last_attempt"),
    moment("sent_at", optional=True),
    moment("applied_at", optional=True),
    moment("verified_at", optional=True),
    moment("not_before", optional=True),
    Column("is_last", Boolean, nullable=False),
)

attempts = Table(
    "attempts",
    METADATA,
    label("attempt_id", key=True),
    Column("step_id", BigInteger, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    moment("begun_at"),
    note("outcome"),
    Column("status", SmallInteger),
    note("reason"),
    note("request_id"),
    note("error_code"),
    note("detail"),
    Column("resource_units", Integer),
    moment("sent_at", optional=True),
    moment("finished_at", optional=True),
)
