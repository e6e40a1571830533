"""Operations, their steps and people, what was tried and what came of it."""

from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import (
    Actor,
    ArticleCode,
    AttemptId,
    GroupId,
    LineKey,
    OperationId,
    OrganisationId,
    PlanId,
    Pseudonym,
    ServicePlanId,
    SkuId,
    StepId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.observation import HeldLicence
from provisioning.domain.reasons import Reason
from provisioning.domain.remap import RemapPart


class OperationKind(StrEnum):
    DELIVER = "deliver"
    CHANGE = "change"
    MIGRATE = "migrate"
    REMAP = "remap"
    RELEASE = "release"
    RECONCILE = "reconcile"


class Lane(StrEnum):
    """Orders pass, bulk work yields."""

    ORDER = "order"
    BULK = "bulk"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a deliver operation should bring about; stored as JSON with the operation.

    `entitlement` is not here: it is the ledger's sum when the plan is drawn. `seats_wanted` is what this order adds,
    `seats_before` how many seats of the product there were before it that our ledger does not explain; None when
    nobody had looked.
    """

    sku_id: SkuId
    audience: Audience
    article_code: ArticleCode
    replaces: frozenset[SkuId]
    holder_id: OrganisationId
    organisations: tuple[OrganisationId, ...]  # whose people, in the order's sequence
    seats_wanted: int
    seats_before: int | None = None
    line: LineKey | None = None
    named: tuple[SubjectId, ...] = ()
    starts_on: date | None = None
    mapping_digest: str = ""  # of the article and SKU rows used
    part: MigrationPart | None = None  # of a migration: `named` are then its people, ids of this operation's tenant
    follows: MigrationPart | None = None  # it comes after that part: in its window, and not when it is called off
    remap: RemapPart | None = None  # of a remap: only who holds `remap.from_sku` changes, and nobody gets it anew

    @property
    def is_for_mailboxes(self) -> bool:
        """Whether it switches Exchange on for mailboxes that have moved: Microsoft deletes those that go without.

        So no hours and no holidays keep it, and it outlives the migration that was called off.
        """
        return self.part is not None and self.part.phase is Phase.ENABLE


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work in one tenant. `due_at`: when the sweep looks at it again, None when a person must act.

    `hands`: who had it tried again, and who asked for or tried again what it follows; none of them approves its plan.
    """

    operation_id: OperationId
    kind: OperationKind
    tenant_id: TenantId
    lane: Lane
    state: OperationState
    reason: Reason | None = None
    wish: Wish
    requested_by: Actor
    hands: tuple[Actor, ...] = ()
    created_at: datetime
    entered_at: datetime  # into this state
    due_at: datetime | None
    waits: int = 0  # how often this state was looked at in vain: drives the growing intervals
    lost_attempts: int = 0
    version: int = 0  # optimistic lock: every change raises it
    resume_state: OperationState | None = None  # where a held operation goes on
    seats_seen: int | None = None
    seats_seen_since: datetime | None = None
    unreadable_since: datetime | None = None  # when reading the tenant first failed, without a success after it

    def with_hands(self, *by: Actor) -> "Operation":
        """In which these had a hand, too; nobody is ever taken off."""
        return msgspec.structs.replace(self, hands=tuple(dict.fromkeys((*self.hands, *by))))


class StepKind(StrEnum):
    ASSIGN = "assign"
    REMOVE = "remove"
    SWAP = "swap"
    SET_PLANS = "set_plans"
    SET_USAGE_LOCATION = "set_usage_location"
    CREATE_GROUP = "create_group"
    LICENSE_GROUP = "license_group"
    ADD_MEMBERS = "add_members"
    REMOVE_MEMBER = "remove_member"
    REPROCESS = "reprocess"
    NO_OP = "no_op"


MEMBERS_PER_CALL = 20  # learn.microsoft.com, "Add members": people who join a group in one PATCH

# about a group itself, not about a person
GROUP_STEPS = frozenset({StepKind.CREATE_GROUP, StepKind.LICENSE_GROUP})


class Addition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A licence that a change gives, and the plans that are off in it."""

    sku_id: SkuId
    disabled_plans: frozenset[ServicePlanId] = frozenset()


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The write itself, in our words; the same shape for the plan, the journal and the gateway.

    With a `group_id` the licences come and go through that group: its licences are written (license_group), or a
    person joins it (add_members: `add_sku` is what they get by that) or leaves it (remove_member: `remove_skus`).
    """

    add_sku: SkuId | None = None
    disabled_plans: frozenset[ServicePlanId] = frozenset()
    remove_skus: tuple[SkuId, ...] = ()
    usage_location: str | None = None
    group_id: GroupId | None = None
    group_name: str | None = None  # create_group: the mailNickname by which it is found again
    people: int = 1  # license_group: how many people it concerns
    also_add: tuple[Addition, ...] = ()  # add-ons that come along with `add_sku` in the same call

    @property
    def added(self) -> tuple[Addition, ...]:
        """Every licence that it gives."""
        first = (Addition(self.add_sku, self.disabled_plans),) if self.add_sku else ()
        return (*first, *self.also_add) if self.also_add else first


class BeforeImage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How the person looked when the plan was drawn: whoever looks different at their turn is left alone."""

    licences: tuple[HeldLicence, ...] = ()
    usage_location: str | None = None
    is_enabled: bool = True


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One intended write for one person, or for a group (`subject_id` is then its id or nickname).

    `sequence` orders the steps of one person; `position` all of the plan.
    """

    position: int
    subject_id: SubjectId
    kind: StepKind
    change: Change = Change()
    sequence: int = 0
    reason: str = ""  # for people; no code branches on it
    not_before: datetime | None = None
    is_last: bool = True  # of this person: with it they have what they should


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A step in the journal, with where it stands."""

    step_id: StepId
    operation_id: OperationId
    plan_id: PlanId
    step: Step
    state: StepState
    before: BeforeImage
    pseudonym: Pseudonym
    organisation_id: OrganisationId | None = None
    attempts: int = 0
    reason: Reason | None = None
    sent_at: datetime | None = None  # of the latest attempt
    applied_at: datetime | None = None
    not_before: datetime | None = None
    last_attempt: AttemptId | None = None


class SubjectRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One person in an operation: the line on the final list."""

    operation_id: OperationId
    subject_id: SubjectId
    pseudonym: Pseudonym
    state: SubjectState
    reason: Reason | None = None
    organisation_id: OrganisationId | None = None
    notes: tuple[str, ...] = ()  # what could not be carried over


_PLACE_IN_CALL = "#"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One write about to leave the machine. Its id is the client-request-id on the wire.

    Up to twenty people join a group in one call: their attempts share its id and are numbered within it (`<id>#<n>`).
    """

    attempt_id: AttemptId
    step_id: StepId
    operation_id: OperationId
    tenant_id: TenantId
    subject_id: SubjectId
    kind: StepKind
    change: Change
    fence: int
    number: int = 1

    @property
    def call_id(self) -> str:
        """The client-request-id of the call that carries this attempt."""
        return call_of(self.attempt_id)


def call_of(attempt: AttemptId) -> str:
    """The id of the call that an attempt travels in."""
    return attempt.partition(_PLACE_IN_CALL)[0]


def place_in_call(call: str, place: int) -> AttemptId:
    """The id of one person's attempt in a call for several."""
    return AttemptId(f"{call}{_PLACE_IN_CALL}{place}")


class Outcome(StrEnum):
    """What is known of one attempt. Exactly one audit line says it."""

    ACCEPTED = "accepted"  # Graph said yes
    REFUSED = "refused"  # Graph said no; `reason` tells, `after` when to try again
    NOT_SENT = "not_sent"  # certainly never left: no tokens, deadline, stop
    UNKNOWN = "unknown"  # sent, no answer that counts
    FOUND_DONE = "found_done"  # observed later: the goal is there
    FOUND_ABSENT = "found_absent"  # observed later, after settle: it is not


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's answer for one attempt. `retryable`: certainly refused and later is fine."""

    attempt_id: AttemptId
    outcome: Outcome
    status: int | None = None
    reason: Reason | None = None
    retryable: bool = False
    tenant_wide: bool = False  # the whole tenant must stop (consent, permission, credential)
    after: timedelta | None = None
    request_id: str | None = None
    error_code: str | None = None
    detail: str | None = None  # Microsoft's text, scrubbed
    resource_units: int | None = None
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    created: GroupId | None = None  # create_group: the id that Graph gave
