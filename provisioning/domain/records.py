"""Facts that only people know; they come in through `records import` and are idempotent by kind and id."""

from datetime import date
from enum import StrEnum

import msgspec

from provisioning.domain.ids import OrganisationId, TenantId


class RecordKind(StrEnum):
    MEMBERSHIP = "membership"
    RELATION = "relation"
    DECLARATION = "declaration"
    AGREEMENT = "agreement"
    PARTICIPANT = "participant"
    VOLUME_LICENCE = "volume_licence"
    SUPPLIER_DECISION = "supplier_decision"
    ANNUAL_COUNT = "annual_count"
    MANDATE = "mandate"
    CLOSURE_EVIDENCE = "closure_evidence"
    RENEWAL_DECISION = "renewal_decision"


class Membership(msgspec.Struct, frozen=True, kw_only=True, tag="membership"):
    record_id: str
    organisation_id: OrganisationId
    status: str  # applied, active, rejected or ended
    eligibility: str = "funded_school"


class RelationRecord(msgspec.Struct, frozen=True, kw_only=True, tag="relation"):
    record_id: str
    organisation_id: OrganisationId  # the child
    parent_id: OrganisationId
    relation: str
    valid_from: date
    valid_until: date | None = None


class Declaration(msgspec.Struct, frozen=True, kw_only=True, tag="declaration"):
    """A board's declaration; with a reference number the invoice goes to each school (R18)."""

    record_id: str
    organisation_id: OrganisationId
    signed_on: date
    reference_number: str | None = None
    participants: tuple[OrganisationId, ...] = ()
    revoked_on: date | None = None


class Agreement(msgspec.Struct, frozen=True, kw_only=True, tag="agreement"):
    record_id: str
    organisation_id: OrganisationId  # the holder
    supplier: str
    licence_form: str
    starts_on: date
    ends_on: date | None = None
    predecessor_id: str | None = None
    processing: str = (
        "absent"  # processing agreement with the school: agreed, absent (warns) or refused (blocks writes)
    )


class Participant(msgspec.Struct, frozen=True, kw_only=True, tag="participant"):
    record_id: str
    organisation_id: OrganisationId
    agreement_id: str
    valid_from: date
    valid_until: date | None = None


class MappingState(StrEnum):
    UNMAPPED = "unmapped"
    MAPPED = "mapped"
    REMAP_REQUESTED = "remap_requested"  # Microsoft was asked to move it
    REMAPPED = "remapped"  # it was seen in the other tenant


class VolumeLicence(msgspec.Struct, frozen=True, kw_only=True, tag="volume_licence"):
    """A License ID at Microsoft; it can live in one tenant only (M1). It follows what was seen there."""

    record_id: str
    organisation_id: OrganisationId
    agreement_id: str
    public_customer_number: str
    program: str = "EES"
    tenant_id: TenantId | None = None
    mapping_state: MappingState | None = None  # None: as `tenant_id` says


class SupplierDecision(msgspec.Struct, frozen=True, kw_only=True, tag="supplier_decision"):
    record_id: str
    organisation_id: OrganisationId
    supplier: str
    decision: str  # pending, approved or rejected


class AnnualCount(msgspec.Struct, frozen=True, kw_only=True, tag="annual_count"):
    record_id: str
    organisation_id: OrganisationId
    licence_year: int
    staff: int
    pupils: int
    fte: str | None = None  # decimal text: counts never float
    duo_staff: int | None = None


class Mandate(msgspec.Struct, frozen=True, kw_only=True, tag="mandate"):
    """An organisation lets somebody act for it. `actor` is the reference by which that somebody is known.

    For tickets `scope` holds words between blanks or commas: "signatory" or "tickets" (whatever may be asked by
    ticket), kinds of tickets ("change_sku rebind"), or "ticket:SOURCE/REFERENCE" (that one alone).
    """

    record_id: str
    organisation_id: OrganisationId
    actor: str
    scope: str
    valid_from: date
    valid_until: date | None = None


class ClosureEvidence(msgspec.Struct, frozen=True, kw_only=True, tag="closure_evidence"):
    record_id: str
    organisation_id: OrganisationId
    evidence_reference: str
    closes_on: date
    reviewer: str


class RenewalDecision(msgspec.Struct, frozen=True, kw_only=True, tag="renewal_decision"):
    record_id: str
    organisation_id: OrganisationId
    agreement_id: str
    decision: str  # renew, terminate or pending
    decided_on: date


Record = (
    Membership
    | RelationRecord
    | Declaration
    | Agreement
    | Participant
    | VolumeLicence
    | SupplierDecision
    | AnnualCount
    | Mandate
    | ClosureEvidence
    | RenewalDecision
)
