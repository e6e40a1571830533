"""Tenants, who uses them, and what their schools decided."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Identity, Integer, Table

from provisioning.database.tables.columns import METADATA, json, label, labels, moment, note
from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import SkuId
from provisioning.domain.tenancy import SkuPolicy

tenants = Table(
    "tenants",
    METADATA,
    label("tenant_id", key=True),
    label("initial_domain"),
    labels("verified_domains"),
    note("country"),
    label("consent"),
    labels("permissions"),
    moment("first_write_at", optional=True),
    moment("proven_at", optional=True),
)

bindings = Table(
    "bindings",
    METADATA,
    label("binding_id", key=True),
    label("organisation_id"),
    label("tenant_id"),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("is_transition", Boolean, nullable=False),
    json("selectors", dict[Audience, str]),
    note("selected_by"),
    label("created_by"),
    labels("authors"),
    note("confirmed_by"),
    moment("confirmed_at", optional=True),
    labels("evidence"),
)

policies = Table(
    "policies",
    METADATA,
    Column("policy_id", BigInteger, Identity(always=True), primary_key=True),
    label("tenant_id"),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    label("assignment_mode"),
    note("group_id"),
    label("managed_by"),
    note("usage_location"),
    labels("seat_priority"),
    json("skus", dict[SkuId, SkuPolicy]),
    json("advised", dict[Audience, frozenset[str]]),
    label("asked_by"),
    label("created_by"),
    labels("authors"),
    note("approved_by"),
    moment("approved_at", optional=True),
    label("digest"),
    Column("is_superseded", Boolean, nullable=False),
)

selection_sizes = Table(
    "selection_sizes",
    METADATA,
    label("binding_id", key=True),
    label("audience", key=True),
    Column("size", Integer, nullable=False),
    moment("noted_at"),
)

licensing_groups = Table(
    "licensing_groups",
    METADATA,
    label("tenant_id", key=True),
    label("sku_id", key=True),
    label("holder_id", key=True),
    label("nickname"),
    note("group_id"),
    Column("is_licensed", Boolean, nullable=False),
)
