"""What was seen of a tenant before a rebind is approved: one row for each look, added and never changed."""

from sqlalchemy import BigInteger, Column, Identity, Table

from provisioning.database.tables.columns import METADATA, json, label, moment
from provisioning.domain.rebind_look import RebindLook

rebind_looks = Table(
    "rebind_looks",
    METADATA,
    Column("look_id", BigInteger, Identity(always=True), primary_key=True),
    label("ticket_id"),
    json("look", RebindLook),
    moment("seen_at"),
)
