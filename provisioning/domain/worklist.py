"""What people must look at, and what they are told."""

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from provisioning.domain.ids import OperationId, OrganisationId, TenantId, TicketId
from provisioning.domain.reasons import Reason


class Owner(StrEnum):
    """Who has to act on a work-list item."""

    OPERATOR = "operator"
    APPROVER = "approver"
    SCHOOL = "school"
    SHOP = "shop"
    ADMIN = "admin"


class Topic(StrEnum):
    """What a notice is about: the topics of the outbox. Every language has a sentence for each."""

    ORDER_HELD = "order_held"
    ORDER_REJECTED = "order_rejected"
    ORDER_REDIRECTED = "order_redirected"
    ORDER_CHANGE_REFUSED = "order_change_refused"
    ORDER_COMPLETED = "order_completed"
    ORDER_PARTIALLY_COMPLETED = "order_partially_completed"
    ORDER_CANCELLED = "order_cancelled"
    DELIVERY_COMPLETED = "delivery_completed"
    DELIVERY_PARTIALLY_COMPLETED = "delivery_partially_completed"
    CONSENT_NEEDED = "consent_needed"
    SEATS_LATE = "seats_late"
    APPROVAL_NEEDED = "approval_needed"  # to ourselves: approvers are ours
    GLASS_BROKEN = "glass_broken"  # to ourselves too
    MAPPINGS_ROLLED_BACK = "mappings_rolled_back"  # to ourselves too
    CAMPAIGN_ANNOUNCED = "campaign_announced"  # to boards, before
    CAMPAIGN_ENDED = "campaign_ended"  # to boards, after
    CAMPAIGN_STOPPED = "campaign_stopped"  # to ourselves
    APPLICATION_INCIDENT = "application_incident"  # to ourselves: no customer hears of it
    AGREEMENT_ALARM = "agreement_alarm"  # to ourselves: seats are where they should not be, or nowhere
    # answers to a ticket: one message per fact, in order
    TICKET_RECEIVED = "ticket_received"
    TICKET_ASKED_BACK = "ticket_asked_back"
    TICKET_AUTHORITY_ASKED = "ticket_authority_asked"
    TICKET_ASSESSED = "ticket_assessed"
    TICKET_APPROVED = "ticket_approved"
    TICKET_STARTED = "ticket_started"
    TICKET_WAITING = "ticket_waiting"
    TICKET_COMPLETED = "ticket_completed"
    TICKET_PARTIALLY_COMPLETED = "ticket_partially_completed"
    TICKET_REJECTED = "ticket_rejected"
    TICKET_WITHDRAWN = "ticket_withdrawn"


# A burst of news is held back because a fault might make it. These go to a list that a second person approved, so the
# question has its answer already.
APPROVED_TOPICS = frozenset({Topic.CAMPAIGN_ANNOUNCED, Topic.CAMPAIGN_ENDED})


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits for a person. `count` is more than one for people waiting under one operation."""

    subject: str  # "order acme/1042/1", "operation 3f2a…", "binding of 41234 to 7c4a…"
    reason: Reason
    owner: Owner
    since: datetime
    organisation_id: OrganisationId | None = None
    tenant_id: TenantId | None = None
    operation_id: OperationId | None = None
    count: int = 1


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one organisation: at most one per topic and day, however many facts it gathers."""

    organisation_id: OrganisationId
    topic: str
    day: date
    facts: int
    first_at: datetime
    last_at: datetime
    references: tuple[str, ...] = ()


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell, written in the transaction of the fact it tells.

    With a `ticket_id` it is an answer: numbered by `sequence` within its ticket, and never gathered into a notice.
    `details` are codes and numbers, no names.
    """

    topic: Topic
    organisation_id: OrganisationId
    reference: str
    at: datetime
    ticket_id: TicketId | None = None
    sequence: int | None = None
    details: dict[str, str] = {}


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """No new write where it applies. `scope`: "all", "tenant:<id>" or "kind:<operation kind>"."""

    scope: str
    reason: str
    stopped_by: str
    stopped_at: datetime


class FailedAlike(NamedTuple):
    """How many tenants failed with one error: of late, and of those, since a person last resumed everything."""

    tenants: int
    unanswered: int


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to work on `name` until `expires_at` (real time). A higher fence always wins."""

    name: str
    holder: str
    fence: int
    expires_at: datetime
