"""Organisations, the tenants they use, and who may get a licence there."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import Actor, BindingId, GroupId, OrganisationId, ServicePlanId, SkuId, TenantId


class OrganisationKind(StrEnum):
    BOARD = "board"
    SCHOOL = "school"
    LOCATION = "location"
    BOARD_OFFICE = "board_office"
    SUPPORTING_INSTITUTION = "supporting_institution"
    ADMINISTRATION_OFFICE = "administration_office"
    NETWORK_MANAGER = "network_manager"


class RelationKind(StrEnum):
    HIERARCHICAL = "hierarchical"
    PARTICIPATES = "participates"
    ADMINISTERED_BY = "administered_by"
    SUCCEEDED_BY = "succeeded_by"


class Organisation(msgspec.Struct, frozen=True, kw_only=True):
    """A board, school or location. The id is its register code; names are never keys."""

    organisation_id: OrganisationId
    kind: OrganisationKind
    name: str
    board_number: str | None = None
    town: str | None = None
    web_domain: str | None = None
    membership: str = "none"  # none, applied, active, rejected or ended
    eligibility: str = "funded_school"
    operational_from: date | None = None
    operational_until: date | None = None


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """Dated and never overwritten; the last day is included."""

    parent_id: OrganisationId
    child_id: OrganisationId
    kind: RelationKind
    valid_from: date
    valid_until: date | None = None


class ConsentState(StrEnum):
    NONE = "none"
    PENDING = "pending"
    GRANTED = "granted"
    INSUFFICIENT = "insufficient"
    REVOKED = "revoked"


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """One Entra tenant as we know it. `proven_at`: when the first five written people were verified."""

    tenant_id: TenantId
    initial_domain: str
    verified_domains: tuple[str, ...] = ()
    country: str | None = None
    consent: ConsentState = ConsentState.NONE
    permissions: frozenset[str] = frozenset()
    first_write_at: datetime | None = None
    proven_at: datetime | None = None


class BindingEvidence(StrEnum):
    VERIFIED_DOMAIN = "verified_domain"
    EXPECTED_SUBSCRIPTION = "expected_subscription"
    SIGNED_CONSENT = "signed_consent"


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """Which tenant an organisation uses in a period; `selectors`: JSON text per audience.

    `created_by` wrote last what is proposed, or confirmed by now; `authors`: whoever else wrote some of it.
    """

    binding_id: BindingId
    organisation_id: OrganisationId
    tenant_id: TenantId
    valid_from: date
    valid_until: date | None = None
    is_transition: bool = False
    selectors: dict[Audience, str] = {}
    created_by: Actor
    authors: tuple[Actor, ...] = ()
    confirmed_by: Actor | None = None
    confirmed_at: datetime | None = None
    evidence: frozenset[BindingEvidence] = frozenset()

    @property
    def hands(self) -> tuple[Actor, ...]:
        """None of them confirms it, or approves what rests on it."""
        return tuple(dict.fromkeys((self.created_by, *self.authors)))

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_at is not None

    def is_valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class AssignmentMode(StrEnum):
    NONE = "none"  # seats are placed, nothing is written
    DIRECT = "direct"
    GROUP = "group"


class SkuPolicy(msgspec.Struct, frozen=True):
    """What the school decided for one SKU: plans that stay off, and the plans it has decided about at all."""

    disabled_plans: frozenset[ServicePlanId] = frozenset()
    known_plans: frozenset[ServicePlanId] = frozenset()


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's wishes in a period; `asked_by` names who at the school asked (a reference, no name).

    `created_by` proposed it; `authors`: whoever else wrote some of it.
    """

    tenant_id: TenantId
    valid_from: date
    valid_until: date | None = None
    assignment_mode: AssignmentMode = AssignmentMode.NONE
    group_id: GroupId | None = None
    managed_by: str = "us"  # us, customer or mixed
    usage_location: str | None = None
    seat_priority: tuple[str, ...] = ()  # organisation ids or attribute values, most urgent first
    skus: dict[SkuId, SkuPolicy] = {}
    advised: dict[Audience, frozenset[str]] = {}  # plan families advised off at a first licence
    asked_by: str = ""
    created_by: Actor = Actor("system")
    authors: tuple[Actor, ...] = ()
    approved_by: Actor | None = None
    digest: str = ""

    @property
    def hands(self) -> tuple[Actor, ...]:
        """None of them approves it, or what rests on it."""
        return tuple(dict.fromkeys((self.created_by, *self.authors)))


def without_authors(value: Binding | Policy) -> bytes:
    """All it says but `authors`, as JSON in a fixed order: a digest of it is what it was before these were kept."""
    said: dict[str, object] = msgspec.to_builtins(value, order="deterministic")
    del said["authors"]
    return msgspec.json.encode(said)
