"""Agreements on their way to another tenant: one row for each look and each decision, added and never changed."""

from sqlalchemy import BigInteger, Column, Identity, Table

from provisioning.database.tables.columns import METADATA, json, label, moment
from provisioning.domain.agreement_move import AgreementMove

agreement_moves = Table(
    "agreement_moves",
    METADATA,
    Column("look_id", BigInteger, Identity(always=True), primary_key=True),
    label("ticket_id"),
    json("move", AgreementMove),
    moment("seen_at"),
)
