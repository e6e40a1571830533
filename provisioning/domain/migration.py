"""A migration: people of one tenant go to another, wave by wave. Licences are ready there first and leave here last.

What each state means for a person, and why the order is what it is, is section 8 of the trade: Microsoft makes an empty
mailbox as soon as an Exchange plan is on, and the real one then cannot come (learn.microsoft.com, "Cross-tenant mailbox
migration"). So the target's licence comes with its Exchange plans off, and they go on when somebody proves that the
mailbox has moved.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.ids import (
    Actor,
    MigrationId,
    OperationId,
    OrganisationId,
    Pseudonym,
    SkuId,
    SubjectId,
    TenantId,
)
from provisioning.domain.migration_lifecycle import BEFORE_ENABLED, MigrationState, PersonState, WaveState
from provisioning.domain.reasons import Reason

EXCHANGE = "exchange"  # the family of service plans that make a mailbox
# learn.microsoft.com, "Cross-tenant mailbox migration": license a moved mailbox within 30 days, else it is deleted
KEPT_UNLICENSED = timedelta(days=30)


class Situation(StrEnum):
    """How a person of the source was found in the target. Nothing starts while one but `matched` is unexplained."""

    MATCHED = "matched"
    MISSING_IN_TARGET = "missing_in_target"
    MISSING_IN_SOURCE = "missing_in_source"  # the identity map names somebody whom the source does not have
    DISPUTED = "disputed"  # two rules, or two rows of the map, lead to different people
    MATCHED_TWICE = "matched_twice"  # two people of the source lead to the same one
    ALREADY_LICENSED = "already_licensed"  # matched, and holds a product of the migration there already
    GUEST = "guest"
    DISABLED = "disabled"
    OF_TWO_BOARDS = (
        "of_two_boards"  # another board's selector matches as well, in the source or their account in the target
    )


class Treatment(StrEnum):
    """What an operator decided about a situation, by name."""

    LEAVE_OUT = "leave_out"  # nothing is written for them, in neither tenant
    TAKE_ALONG = "take_along"


# who can go along although they are no plain match; for the others there is nobody to give a licence to
MAY_GO_ALONG = frozenset({Situation.ALREADY_LICENSED, Situation.DISABLED})


class MatchRule(StrEnum):
    """How people are found in the target where the identity map says nothing; read live, kept nowhere."""

    EMPLOYEE_ID = "employee_id"
    IMMUTABLE_ID = "immutable_id"
    MAIL_NICKNAME = "mail_nickname"


class Phase(StrEnum):
    """What an operation does for a wave."""

    PREPARE = "prepare"  # target: the licence, Exchange off
    ENABLE = "enable"  # target: Exchange on, for who is ready
    RELEASE = "release"  # source: the licence goes
    UNDO_TARGET = "undo_target"  # roll back: what the wave gave in the target goes
    UNDO_SOURCE = "undo_source"  # roll back: what the wave took in the source comes back


TARGET_PHASES = frozenset({Phase.PREPARE, Phase.ENABLE, Phase.UNDO_TARGET})
FORWARD = frozenset({Phase.PREPARE, Phase.ENABLE, Phase.RELEASE})  # the others take back what these did
WAY_IN = frozenset({Phase.PREPARE, Phase.ENABLE})


class MigrationPart(msgspec.Struct, frozen=True, kw_only=True):
    """Which piece of which migration an operation is."""

    migration_id: MigrationId
    wave: int
    phase: Phase


class ProductPair(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds `source_sku` gets `target_sku`; the same product on both sides is the common case.

    No product of the source is in two pairs: nobody can tell for whom of its holders each of them would be.
    """

    source_sku: SkuId
    target_sku: SkuId
    audience: Audience = Audience.ANY


class WaveDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One wave as it was asked for: people by selector (JSON text over the source), the first ones that match win."""

    number: int  # from 1; the first is the pilot
    name: str
    selector: str
    limit: int | None = None  # at most so many people; the rest fall to later waves
    not_before: datetime | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """When writes may leave: hours of the Dutch day, and only in school holidays of a region when one is named.

    What switches Exchange on for a mailbox that has moved leaves at any hour.
    """

    region: str | None = None  # noord, midden or zuid
    from_hour: int = 0
    until_hour: int = 24


class MigrationDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What the file asked for. Frozen with the migration; its digest is what approvals rest on."""

    name: str
    source_tenant: TenantId
    target_tenant: TenantId
    source_holder: OrganisationId
    target_holder: OrganisationId
    asked_by: str  # who at the boards asked: a reference, no name
    people: str  # selector (JSON text) over the source
    products: tuple[ProductPair, ...]
    waves: tuple[WaveDefinition, ...]
    identity: tuple[tuple[SubjectId, SubjectId], ...] = ()  # source and target ids, resolved; UPNs rest elsewhere
    rules: tuple[MatchRule, ...] = ()
    treatments: dict[Situation, Treatment] = {}
    plan_mapping: dict[str, str] = {}  # service plan of a source product → of the target product, where names differ
    hold_period: timedelta = timedelta(days=30)
    failure_threshold: float = 0.05  # share of a wave's people whose failure pauses it
    window: Window = Window()
    approvers: tuple[Actor, ...] = ()  # who alone may approve its plans; none named: whoever has the role
    moves_mailboxes: bool = True  # by Microsoft's cross-tenant jobs: the add-on for user migration is needed

    @property
    def skus(self) -> frozenset[SkuId]:
        """The products of both sides."""
        return frozenset(sku for pair in self.products for sku in (pair.source_sku, pair.target_sku))

    def audience_of(self, source_sku: SkuId | None) -> Audience:
        """For whom the product is that people get who leave this one: what is decided for pupils depends on it."""
        return next((pair.audience for pair in self.products if pair.source_sku == source_sku), Audience.ANY)


class EvidenceSource(StrEnum):
    """What says that a mailbox has moved. A licence or a plan says nothing about a mailbox."""

    TOOL_REPORT = "tool_report"  # of the migration tool that moved it
    LIST = "list"  # of whoever moved them, who signs for it
    MICROSOFT_JOB = "microsoft_job"  # Microsoft's cross-tenant job, completed for this person


class GateEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person is `ready_for_exchange`: who says so, on what ground, and which file or job."""

    source: EvidenceSource
    reference: str  # the report, the list or the job: an id or a file's name and digest, no person's name
    given_by: Actor
    given_at: datetime
    completed_at: datetime | None = None  # when the mailbox had moved, where the evidence says so; UTC

    @property
    def moved_at(self) -> datetime:
        """Since when the mailbox is in the target, as exactly as it is known: Microsoft's 30 days run from here."""
        return self.completed_at or self.given_at


class Outset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody had when they were matched, as far as it says which writes they need."""

    has_location: bool = True  # in the target
    is_licensed: bool = False  # has the product in the target, or one that brings all of it
    is_by_name: bool = True  # in the target; else a group already brings the product there, or a larger one does
    has_exchange: bool = False  # nothing of Exchange is to come on in the target
    removals: int = 1  # writes that take the product in the source: one by name, and one for each group of ours


class Traveller(msgspec.Struct, frozen=True, kw_only=True):
    """One person of a migration: the same human being in two tenants."""

    migration_id: MigrationId
    source_id: SubjectId
    target_id: SubjectId | None = None
    pseudonym: Pseudonym | None = None  # of the source account; what reports and the log call them
    organisation_id: OrganisationId
    wave: int = 0  # 0: in none
    situation: Situation = Situation.MATCHED
    state: PersonState = PersonState.WAITING
    source_sku: SkuId | None = None  # the product they leave
    target_sku: SkuId | None = None  # the product they get
    has_mailbox: bool = True  # in the source; without one there is no gate
    reason: Reason | None = None  # why they failed, or what they wait for
    failed_in: Phase | None = None
    evidence: GateEvidence | None = None
    operation_id: OperationId | None = None  # that works on them now, or did last
    enabled_at: datetime | None = None  # the hold period runs from here, or from later evidence
    outset: Outset = Outset()

    @property
    def is_ready(self) -> bool:
        """Whether Exchange may be switched on for them."""
        return self.state is PersonState.PREPARED and self.evidence is not None

    @property
    def misses_exchange(self) -> bool:
        """Whether their mailbox has moved, and Exchange is not on for it in the target.

        Not of those who go back because somebody decided it; but of those whom calling off left on that way.
        """
        if self.evidence is None or not self.has_mailbox:
            return False
        was_left = self.reason is Reason.MIGRATION_ABORTED and self.enabled_at is None
        has_failed = self.state is PersonState.FAILED and (self.failed_in in WAY_IN or was_left)
        return has_failed or self.state in BEFORE_ENABLED

    def held_until(self, period: timedelta) -> datetime | None:
        """When the source may be released; None before everything is on in the target.

        It runs from the evidence too: until somebody saw the mailbox arrive, the one in the source is the real one.
        """
        if self.enabled_at is None:
            return None
        seen_at = self.evidence.given_at if self.evidence else self.enabled_at
        return max(self.enabled_at, seen_at) + period


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    migration_id: MigrationId
    number: int
    state: WaveState = WaveState.WAITING
    entered_at: datetime
    started_by: Actor | None = None
    asked_by: Actor | None = None  # who last asked for something of it: start, release, roll back
    go_reason: str = ""  # why the person who started it thought it right to go on
    proven_at: datetime | None = None  # the oldest observation of the latest preflight that found nothing in the way
    reason: Reason | None = None
    failures_seen: int = 0  # people for whom it had gone wrong when a person last let the migration go on

    def with_another_try(self, people: int) -> "Wave":
        """Once so many who failed go on: should they fail anew, nobody has seen that."""
        return msgspec.structs.replace(self, failures_seen=max(0, self.failures_seen - people))


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    migration_id: MigrationId
    definition: MigrationDefinition
    digest: str  # of the definition
    state: MigrationState
    reason: Reason | None = None
    requested_by: Actor
    created_at: datetime
    entered_at: datetime
    matched_at: datetime | None = None
    due_at: datetime | None = None  # when the sweep looks at it again
    version: int = 0
