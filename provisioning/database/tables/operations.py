"""Operations, their plans, and the seats they claim."""

from sqlalchemy import BigInteger, Column, Identity, Integer, LargeBinary, Table

from provisioning.database.tables.columns import METADATA, json, label, labels, moment, note
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Wish
from provisioning.planning.seats import SeatsSeen

WRITING = (OperationState.APPLYING, OperationState.VERIFYING)

operations = Table(
    "operations",
    METADATA,
    label("operation_id", key=True),
    label("kind"),
    label("tenant_id"),
    label("lane"),
    label("state"),
    note("reason"),
    json("wish", Wish),
    label("requested_by"),
    labels("hands"),
    moment("created_at"),
    moment("entered_at"),
    moment("due_at", optional=True),
    Column("waits", Integer, nullable=False),
    Column("lost_attempts", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    note("resume_state"),
    Column("seats_seen", Integer),
    moment("seats_seen_since", optional=True),
    moment("unreadable_since", optional=True),
)

plans = Table(
    "plans",
    METADATA,
    label("plan_id", key=True),
    label("operation_id"),
    label("tenant_id"),
    note("sku_id"),
    label("digest"),
    Column("envelope", LargeBinary, nullable=False),
    moment("drawn_at"),
    moment("observed_at"),
    moment("valid_until"),
    labels("guard_breaches"),
    label("requested_by"),
    labels("authors"),
    note("approved_by"),
    moment("approved_at", optional=True),
    note("rejected_by"),
    moment("rejected_at", optional=True),
    note("rejected_because"),
    note("void_reason"),
    moment("voided_at", optional=True),
    note("break_glass_reason"),
    note("reviewed_by"),
    moment("reviewed_at", optional=True),
    json("seats", SeatsSeen, optional=True),
)

reservations = Table(
    "reservations",
    METADATA,
    label("tenant_id", key=True),
    label("sku_id", key=True),
    label("subject_id", key=True),
    label("operation_id"),
)

seat_baselines = Table(
    "seat_baselines",
    METADATA,
    label("tenant_id", key=True),
    label("sku_id", key=True),
    moment("seen_at", key=True),
    Column("unexplained", Integer, nullable=False),
)

waiting_list = Table(
    "waiting_list",
    METADATA,
    Column("place", BigInteger, Identity(always=True), primary_key=True),
    label("tenant_id"),
    label("sku_id"),
    label("subject_id"),
    label("operation_id"),
    moment("since"),
    moment("listed_at"),
    moment("served_at", optional=True),
)
