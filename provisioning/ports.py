"""What the core needs from the world. Adapters implement these; fakes implement them for the simulation.

Stores belong to a unit of work: everything done through one is committed together or not at all. Reads return
frozen values. `find_*` may return None, `get_*` raises InputError when there is nothing, `list_*` returns a list.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Protocol, Self

import msgspec

from provisioning.audit.checkpoint import Checkpoint
from provisioning.audit.export import StoredCheckpoint, StoredEvent
from provisioning.audit.sealing import SealedLog, Sealing
from provisioning.domain.actors import Identity, Role
from provisioning.domain.catalogue import Audience
from provisioning.domain.events import Event
from provisioning.domain.ids import (
    Actor,
    BindingId,
    LineKey,
    OperationId,
    OrganisationId,
    PlanId,
    Pseudonym,
    SkuId,
    StepId,
    SubjectId,
    TenantId,
)
from provisioning.domain.lifecycle import LineState, OperationState, StepState, SubjectState
from provisioning.domain.observation import Census, Membership, Person, Seats, TenantProfile
from provisioning.domain.operation import (
    Attempt,
    Lane,
    Operation,
    Receipt,
    StepKind,
    StepRecord,
    SubjectRecord,
)
from provisioning.domain.order import LedgerEntry, OrderLine, ShopLine
from provisioning.domain.reasons import Reason
from provisioning.domain.records import Record, RecordKind
from provisioning.domain.tenancy import (
    Binding,
    BindingEvidence,
    Organisation,
    Policy,
    Relation,
    Tenant,
)
from provisioning.domain.worklist import Intent, Lease, Notice, Stop, WorkItem
from provisioning.planning.plan import Plan


class Clock(Protocol):
    """`now` drives all waiting (accelerated in a sandbox); `wall` is real: leases, tokens, time-outs."""

    def now(self) -> datetime: ...
    def wall(self) -> datetime: ...


# ── Microsoft ────────────────────────────────────────────────────────────────────────────────────────────


class LicenceGateway(Protocol):
    """Microsoft Graph. Reads raise GraphError subclasses; `apply` never does: a failure is a receipt."""

    def observe_tenant(self, tenant: TenantId) -> TenantProfile: ...
    def find_tenant(self, domain: str) -> TenantId | None:
        """The tenant that owns a domain by Entra's discovery document; None when no tenant does."""

    def observe_seats(self, tenant: TenantId) -> Seats: ...
    def observe_readiness(self, tenant: TenantId) -> tuple[TenantProfile, Seats]:
        """Both at once, in one call: it is asked before every operation."""

    def observe_census(self, tenant: TenantId) -> Census:
        """Everybody, 999 a page; `is_complete` is false when a page stayed unreadable."""

    def observe_people(self, tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
        """These people by themselves, 20 a batch; None: Graph says 404; absent from the answer: not readable."""

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]:
        """Members by key: "group:<id>", "unit:<id>", "school:<id>:teacher", "school:<id>:student"."""

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        """Object ids for UPNs or ids as ordered; None: no such person."""

    def apply(self, tenant: TenantId, attempts: Sequence[Attempt], lease: Lease) -> list[Receipt]:
        """Send each attempt once, 20 a batch, within the lease; one receipt each, in any order.

        The caller took the quota's tokens before it journalled. `kind` and `change` say what to write: assign,
        remove, swap, set_plans → assignLicense; set_usage_location → PATCH user.
        """


class Quota(Protocol):
    """The write buckets, shared by all workers."""

    def take(self, tenant: TenantId, writes: int, lane: Lane) -> "Grant": ...
    def refused(self, tenant: TenantId, scope: str | None, after: timedelta | None) -> None:
        """Microsoft answered 429: close the bucket that `scope` names until `after` has passed."""

    def pressed(self, tenant: TenantId, percentage: float) -> None:
        """x-ms-throttle-limit-percentage: lower the rate by a tenth for a window."""


class Grant(msgspec.Struct, frozen=True):
    """`writes` may be sent now (0 to what was asked); `after` says when the rest may be tried."""

    writes: int
    after: timedelta = timedelta(0)


class Dispatcher(Protocol):
    """Tells a worker to look at something now. Losing a message is harmless: the sweep looks again."""

    def advance(self, operation: OperationId, lane: Lane) -> None: ...


# ── the database ─────────────────────────────────────────────────────────────────────────────────────────


class OrganisationStore(Protocol):
    def find(self, organisation: OrganisationId) -> Organisation | None: ...
    def list_all(self, kind: str | None = None) -> list[Organisation]: ...
    def save(self, organisations: Iterable[Organisation]) -> int:
        """Insert or update by id; returns how many changed anything."""

    def add_relations(self, relations: Iterable[Relation]) -> int:
        """Insert those that are not there yet (parent, child, kind, valid_from); returns how many."""

    def relations_of(self, organisation: OrganisationId, on: date) -> list[Relation]:
        """Those valid on the day in which it is parent or child."""


class TenantStore(Protocol):
    def find(self, tenant: TenantId) -> Tenant | None: ...
    def find_by_domain(self, domain: str) -> Tenant | None: ...
    def list_all(self) -> list[Tenant]: ...
    def save(self, tenant: Tenant) -> None: ...
    def note_first_write(self, tenant: TenantId, at: datetime) -> None:
        """Set `first_write_at` if it is empty."""

    def note_proven(self, tenant: TenantId, at: datetime) -> None: ...
    def bindings_of(self, organisation: OrganisationId, on: date) -> list[Binding]: ...
    def bindings_in(self, tenant: TenantId, on: date) -> list[Binding]: ...
    def find_binding(self, binding: BindingId) -> Binding | None: ...
    def add_binding(self, binding: Binding) -> None:
        """Raises ConflictError when another binding of the organisation overlaps and neither is a transition."""

    def confirm_binding(
        self, binding: BindingId, by: Actor, at: datetime, evidence: Collection[BindingEvidence]
    ) -> None: ...
    def set_selector(self, binding: BindingId, audience: Audience, selector: str, by: Actor, at: datetime) -> None:
        """Write it and make `by` the author of the binding, which is unconfirmed again: who gets seats takes two."""

    def policy_on(self, tenant: TenantId, on: date) -> Policy:
        """The latest approved policy valid on the day; the default (assignment mode none) when there is none."""

    def add_policy(self, policy: Policy) -> None:
        """Insert a proposal; it is in force once somebody else has approved it."""

    def list_policies(self, tenant: TenantId) -> list[Policy]:
        """All of them, proposals too, newest first."""

    def approve_policy(self, tenant: TenantId, digest: str, by: Actor, at: datetime) -> None:
        """Raises ConflictError when no proposal has this digest; the database refuses its own author."""

    def selection_size(self, binding: BindingId, audience: Audience) -> int | None: ...
    def note_selection(self, binding: BindingId, audience: Audience, size: int, at: datetime) -> None: ...


class OrderStore(Protocol):
    def watermark(self, source: str) -> datetime | None: ...
    def set_watermark(self, source: str, changed_at: datetime) -> None: ...
    def digests(self, source: str, since: datetime | None) -> dict[LineKey, str]:
        """Key → digest of what we keep; `since` bounds by the shop's changed_at."""

    def open_keys(self, source: str) -> set[LineKey]:
        """Keys of lines not yet ended."""

    def find(self, key: LineKey) -> OrderLine | None: ...
    def receive(self, shop: ShopLine, at: datetime) -> bool:
        """Insert as received; False when the key is already here (another collector was first)."""

    def replace_shop(self, shop: ShopLine) -> None:
        """A held or received line whose columns the shop corrected."""

    def note_late_change(self, shop: ShopLine, warning: Reason) -> None:
        """A line past correction: remember the shop's status and digest, add the warning, move nothing."""

    def set_state(
        self,
        key: LineKey,
        state: LineState,
        reason: Reason | None,
        at: datetime,
        warnings: Sequence[Reason] = (),
        released_by: Actor | None = None,
    ) -> None: ...
    def list_by(
        self, states: Collection[LineState] = (), order_number: str | None = None, limit: int = 1000
    ) -> list[OrderLine]: ...
    def list_held(self, organisation: str, reasons: Collection[Reason] = ()) -> list[OrderLine]:
        """Held lines of one organisation code, oldest first (all reasons when none is given)."""

    def similar(self, organisation: str, article: str, quantity: int, since: datetime) -> list[OrderLine]:
        """Accepted or later lines that look the same: the suspicion of a duplicate."""


class Ledger(Protocol):
    def append(self, entries: Iterable[LedgerEntry]) -> None: ...
    def list_by(self, holder: OrganisationId) -> list[LedgerEntry]: ...
    def entitlement(self, holder: OrganisationId, tenant: TenantId, sku: SkuId, on: date) -> int:
        """The sum of deltas in force on the day."""

    def tenant_total(self, tenant: TenantId, sku: SkuId, on: date) -> int:
        """The sum over all holders in this tenant: what must be visible as seats."""


class RecordStore(Protocol):
    def save(self, records: Iterable[Record], at: datetime) -> int:
        """Idempotent by kind and id; returns how many changed anything."""

    def list_by(self, kind: RecordKind, organisation: OrganisationId | None = None) -> list[Record]: ...


class OperationStore(Protocol):
    def add(self, operation: Operation) -> None: ...
    def find(self, operation: OperationId) -> Operation | None: ...
    def get(self, operation: OperationId) -> Operation: ...
    def save(self, operation: Operation) -> Operation:
        """Write it if `version` is still ours, return it with the next version; else raise ConflictError."""

    def list_by(
        self,
        states: Collection[OperationState] = (),
        tenant: TenantId | None = None,
        line: LineKey | None = None,
        limit: int = 1000,
    ) -> list[Operation]: ...
    def starting_with(self, prefix: str, limit: int = 3) -> list[OperationId]:
        """Operations whose id begins so: people name them by their first characters."""

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[tuple[OperationId, Lane]]:
        """Operations whose `due_at` has come; it is moved to `again_at` so that the next sweep leaves them."""

    def postpone(self, operation: OperationId, until: datetime) -> None:
        """Move `due_at` alone, without a new version: whoever works on it is not disturbed."""

    def order_is_due(self, tenant: TenantId, now: datetime) -> bool:
        """Whether an operation of the order lane in this tenant waits for its turn."""

    def writers_in(self, tenant: TenantId) -> list[OperationId]:
        """Operations of the tenant in applying or verifying, oldest first."""


class PlanStore(Protocol):
    def add(
        self,
        plan: Plan,
        pseudonyms: Mapping[SubjectId, Pseudonym],
        *,
        sku: SkuId | None,
        valid_until: datetime,
    ) -> None:
        """Store plan, subjects, steps, reservations and waiting list rows; voids earlier plans of the operation."""

    def find(self, plan: PlanId) -> "PlanRecord | None": ...
    def current(self, operation: OperationId) -> "PlanRecord | None": ...
    def approve(
        self, plan: PlanId, by: Actor, digest: str, at: datetime, break_glass_reason: str | None = None
    ) -> None:
        """Raises ConflictError when the digest is not the stored one.

        The database refuses the requester and the authors themselves, unless one person breaks the glass.
        """

    def unreviewed(self, operation: OperationId) -> "list[PlanRecord]":
        """Plans of the operation that one person approved alone and nobody reviewed yet, void or not."""

    def review(self, plan: PlanId, by: Actor, at: datetime) -> None:
        """The database refuses whoever approved it."""

    def reject(self, plan: PlanId, by: Actor, reason: str, at: datetime) -> None: ...
    def void(self, plan: PlanId, reason: Reason, at: datetime) -> None: ...


class PlanRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A stored plan without its rows, and what became of it."""

    plan_id: PlanId
    operation_id: OperationId
    digest: str
    envelope: bytes  # JSON of planning.plan.Envelope
    drawn_at: datetime
    observed_at: datetime
    valid_until: datetime
    guard_breaches: tuple[str, ...]
    requested_by: Actor
    approved_by: Actor | None = None
    approved_at: datetime | None = None
    break_glass_reason: str | None = None
    rejected_by: Actor | None = None
    void_reason: Reason | None = None

    @property
    def may_apply(self) -> bool:
        return self.void_reason is None and (not self.guard_breaches or self.approved_at is not None)


class StepUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt or an observation makes of one step."""

    step_id: StepId
    state: StepState
    reason: Reason | None = None
    not_before: datetime | None = None
    at: datetime | None = None  # applied_at or verified_at, by state
    receipt: Receipt | None = None  # closes the latest attempt


class SubjectUpdate(msgspec.Struct, frozen=True, kw_only=True):
    subject_id: SubjectId
    state: SubjectState
    reason: Reason | None = None


class Journal(Protocol):
    """Steps, people and attempts of operations. Whatever moves a step or a person goes through here."""

    def next_steps(self, operation: OperationId, now: datetime, limit: int) -> list[StepRecord]:
        """At most one pending step per person (its earlier steps applied or verified), due, by position."""

    def next_due(self, operation: OperationId) -> datetime | None:
        """When the earliest pending or unknown step may be looked at; None when there is none."""

    def begin(self, attempts: Sequence[Attempt], lease: Lease, at: datetime) -> None:
        """Pending → in_flight, and one attempt row each: new, or the step's own with its next number.

        Raises StaleLeaseError when the fence is old.
        """

    def steps_in(
        self, operation: OperationId, states: Collection[StepState], limit: int | None = None
    ) -> list[StepRecord]: ...
    def close(
        self,
        operation: OperationId,
        lease: Lease,
        steps: Sequence[StepUpdate],
        subjects: Sequence[SubjectUpdate],
    ) -> None:
        """Write what came of it, checked against the table of transitions. Raises StaleLeaseError.

        Reservations of people who reached an end are dropped, those who wait enter the waiting list.
        """

    def step_counts(self, operation: OperationId) -> dict[StepState, int]: ...
    def subject_counts(self, operation: OperationId) -> dict[SubjectState, int]: ...
    def subjects(self, operation: OperationId) -> list[SubjectRecord]: ...
    def applied_since(self, tenant: TenantId, since: datetime) -> list[StepRecord]:
        """Our own receipts (applied or verified steps) that may outrank the replica, oldest first."""

    def kinds_since(self, tenant: TenantId, since: datetime) -> dict[StepKind, int]:
        """Writes of all operations in the tenant, through every door: for the guards."""


class SeatBook(Protocol):
    def reserved(self, tenant: TenantId, sku: SkuId, apart_from: OperationId | None = None) -> set[SubjectId]: ...
    def release(self, operation: OperationId) -> None: ...
    def waiting(self, tenant: TenantId, sku: SkuId) -> list[SubjectId]:
        """The waiting list, first come first."""

    def waiting_lists(self) -> "list[WaitingList]": ...
    def served(self, tenant: TenantId, sku: SkuId, subjects: Collection[SubjectId], at: datetime) -> None: ...


class WaitingList(msgspec.Struct, frozen=True, kw_only=True):
    """People who wait for seats of one SKU in one tenant, with the latest operation that listed them."""

    tenant_id: TenantId
    sku_id: SkuId
    operation_id: OperationId
    people: int
    since: datetime


class LeaseStore(Protocol):
    def take(self, name: str, holder: str, wall: datetime, duration: timedelta) -> Lease | None:
        """The lease, or None while somebody else's is alive. Taking raises the fence."""

    def renew(self, lease: Lease, wall: datetime, duration: timedelta) -> Lease:
        """Raises StaleLeaseError when it is no longer ours."""

    def release(self, lease: Lease) -> None: ...
    def check(self, lease: Lease) -> None:
        """Raises StaleLeaseError when a higher fence exists (locks the row until commit)."""


class StopStore(Protocol):
    def add(self, stop: Stop) -> None: ...
    def lift(self, scope: str) -> bool: ...
    def list_all(self) -> list[Stop]: ...
    def blocking(self, tenant: TenantId, kind: str) -> Stop | None: ...
    def note_credential_failure(self, tenant: TenantId, reason: Reason, at: datetime, since: datetime) -> int:
        """Remember it and return how many tenants failed the same way since."""


class ActorStore(Protocol):
    def add(self, identity: Identity, token_digest: str, at: datetime) -> None: ...
    def find_by_token(self, token_digest: str) -> Identity | None:
        """Who the token stands for, expired or not; None when it is unknown or revoked."""

    def list_all(self) -> list[Identity]:
        """Those not revoked, expired or not."""

    def revoke(self, actor: Actor, at: datetime) -> bool:
        """Whether there was one to revoke; adding the same actor again later is allowed."""

    def has_any(self, role: Role, at: datetime) -> bool:
        """Whether somebody with the role has a token that is valid at that moment."""


class AuditLog(Protocol):
    def record(self, events: Sequence[Event]) -> None:
        """Append in this transaction."""

    def list_by(
        self,
        operation: OperationId | None = None,
        organisation: OrganisationId | None = None,
        limit: int = 1000,
    ) -> list[Event]: ...
    def pseudonyms(self, tenant: TenantId, subjects: Collection[SubjectId]) -> dict[SubjectId, Pseudonym]:
        """The pseudonym of each person, made when there is none yet."""

    def forget(self, tenant: TenantId, subjects: Collection[SubjectId]) -> int:
        """Destroy what ties their pseudonyms to them; returns how many had one. The log verifies as before."""


class AuditArchive(Protocol):
    """The sealed log, read for exports: long readings, so no part of a unit of work."""

    def checkpoints(self) -> list[StoredCheckpoint]:
        """All of them, in order."""

    def events(self, organisation: OrganisationId | None = None) -> Iterator[StoredEvent]:
        """Sealed events in order, of everybody or of one organisation."""

    def leaves(self, size: int) -> Iterator[bytes]:
        """The first `size` leaf hashes, in order."""


class SealStore(Protocol):
    """The sealer's end of the audit log. Whoever loads it holds it until commit: the tree never forks."""

    def load(self) -> SealedLog: ...
    def unsealed(self, limit: int) -> list[tuple[int, bytes]]:
        """Number and text of events that have no place in the tree yet, in the order they were recorded."""

    def store(
        self, events: Sequence[int], sealing: Sealing, checkpoints: Sequence[StoredCheckpoint], at: datetime
    ) -> None:
        """Give these events (as many as `sealing` has leaves) their places; keep the log's new end and checkpoints."""

    def checkpoints_after(self, size: int) -> list[StoredCheckpoint]:
        """Those of a longer log than `size`, shortest first."""


class CheckpointSink(Protocol):
    """A place outside the database where checkpoints are safe from whoever rules the database."""

    def newest_size(self) -> int:
        """The length of the log in its newest checkpoint; 0 when it has none."""

    def write(self, checkpoint: Checkpoint) -> None:
        """Keep it for good. Raises ConflictError when another checkpoint of the same size is there: the log forked."""


class References(Protocol):
    """UPNs and ids from orders, kept only until resolved or too old."""

    def keep(self, key: LineKey, references: Sequence[str], at: datetime) -> None: ...
    def unresolved(self, key: LineKey) -> list[str]: ...
    def resolve(self, key: LineKey, resolved: Mapping[str, SubjectId]) -> None: ...
    def resolved(self, key: LineKey) -> list[SubjectId]: ...
    def purge(self, before: datetime) -> int: ...


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows of one operation went."""

    people: int
    steps: int
    attempts: int
    plans: int


class Retention(Protocol):
    """The end of rows that hold people's object ids. Audit log, ledger and order lines are none of them."""

    def expired(self, before: datetime, limit: int) -> list[OperationId]:
        """Operations that ended before the moment and still have such rows, the oldest first.

        A plan that one person approved alone stays until it is reviewed.
        """

    def purge(self, operation: OperationId) -> Purged:
        """Remove its people, steps, attempts and plans; itself it stays. Raises ConflictError before its end."""

    def forget(self, tenant: TenantId, subject: SubjectId) -> int:
        """Remove one person's rows; returns how many. Raises ConflictError while an operation with them goes on."""


class Outbox(Protocol):
    def add(self, intents: Iterable[Intent]) -> None: ...
    def relay(self, now: datetime, older_than: timedelta, burst: int, window: timedelta) -> int:
        """Turn intents into notices, one per organisation, topic and day; stop at `burst` new ones in `window`."""

    def notices(self, organisation: OrganisationId | None = None, limit: int = 200) -> list[Notice]: ...


class WorkListReader(Protocol):
    def items(self, now: datetime) -> list[WorkItem]: ...


class UnitOfWork(Protocol):
    """One transaction. Leaving the block without `commit` rolls back."""

    @property
    def organisations(self) -> OrganisationStore: ...
    @property
    def tenants(self) -> TenantStore: ...
    @property
    def orders(self) -> OrderStore: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def records(self) -> RecordStore: ...
    @property
    def operations(self) -> OperationStore: ...
    @property
    def plans(self) -> PlanStore: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def seats(self) -> SeatBook: ...
    @property
    def leases(self) -> LeaseStore: ...
    @property
    def stops(self) -> StopStore: ...
    @property
    def actors(self) -> ActorStore: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def seals(self) -> SealStore: ...
    @property
    def references(self) -> References: ...
    @property
    def retention(self) -> Retention: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def worklist(self) -> WorkListReader: ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def commit(self) -> None: ...


OpenUnitOfWork = Callable[[], AbstractContextManager[UnitOfWork]]


# ── the shop ─────────────────────────────────────────────────────────────────────────────────────────────


class OrderSource(Protocol):
    """The shop's view `licence_order_lines`, read only. Raises UnavailableError when the shop is away."""

    name: str

    def changed_since(self, moment: datetime | None) -> Iterable[ShopLine]: ...
    def all_digests(self) -> dict[LineKey, str]: ...
    def lines(self, keys: Collection[LineKey]) -> list[ShopLine]: ...


class OrderDesk(Protocol):
    """The default order database behind the same view, for those without a shop."""

    name: str  # the source of its lines

    def submit(self, lines: Sequence[ShopLine]) -> int:
        """Insert what is new and update what says something else, all or none; returns how many of both.

        `digest` is not stored. Raises ConflictError when somebody else wrote one of the keys in between.
        """
