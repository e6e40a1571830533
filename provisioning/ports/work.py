"""Stores of the work: operations, plans, journal, seats, leases."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from provisioning.domain.groups import LicensingGroup
from provisioning.domain.ids import (
    Actor,
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
from provisioning.domain.lifecycle import OperationState, StepState, SubjectState
from provisioning.domain.operation import (
    Attempt,
    Lane,
    Operation,
    Receipt,
    Step,
    StepKind,
    StepRecord,
    SubjectRecord,
)
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.planning.forecast import Work
from provisioning.planning.plan import Plan, SubjectPlan
from provisioning.planning.seats import SeatsSeen


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

    def due_by_lane(self, now: datetime) -> dict[Lane, tuple[int, datetime]]:
        """How many operations of each lane wait for their turn, and since when the oldest does; absent: none."""

    def held_by_reason(self) -> dict[Reason, int]:
        """Operations that wait for a person."""

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
    def people(self, plan: PlanId) -> "list[PlannedPerson]":
        """Everybody of the plan as it found them, the groups that it writes to too."""

    def steps(self, plan: PlanId) -> list[Step]:
        """As they were planned, whatever became of them since."""

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
    seats: SeatsSeen | None = None  # of the plan's product, when it was drawn

    @property
    def may_apply(self) -> bool:
        return self.void_reason is None and (not self.guard_breaches or self.approved_at is not None)


class PlannedPerson(SubjectPlan, frozen=True, kw_only=True, gc=False):
    """A stored row of a plan: where the person stands by now, and as whom the audit log knows them."""

    pseudonym: Pseudonym


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
        """At most one pending step per person, due, by position.

        Its earlier steps are verified; a usage location need only be applied.
        """

    def next_due(self, operation: OperationId) -> datetime | None:
        """When the earliest pending or unknown step may be looked at; None when there is none."""

    def begin(self, attempts: Sequence[Attempt], lease: Lease, at: datetime) -> None:
        """Pending → in_flight, and one attempt row each: new, or the step's own with its next number.

        Raises StaleLeaseError when the fence is old.
        """

    def steps_in(
        self, operation: OperationId, states: Collection[StepState], limit: int | None = None
    ) -> list[StepRecord]: ...
    def steps_of_kind(self, operation: OperationId, kind: StepKind) -> list[StepRecord]: ...
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

    def put_off_removals(self, operation: OperationId, subjects: Collection[SubjectId], until: datetime) -> None:
        """What is still to be taken from these people is not taken before `until`: it rests on a second look."""

    def pending_writes(self) -> list[Work]:
        """What each operation in applying or verifying still has to send; people who join a group travel together."""

    def step_counts(self, operation: OperationId) -> dict[StepState, int]: ...
    def subject_counts(self, operation: OperationId) -> dict[SubjectState, int]: ...
    def subjects(self, operation: OperationId) -> list[SubjectRecord]:
        """The people. Neither list nor counts name the groups that were written to."""

    def applied_since(
        self, tenant: TenantId, since: datetime, subjects: Collection[SubjectId] | None = None
    ) -> list[StepRecord]:
        """Our own receipts (applied or verified steps) that may outrank the replica, oldest first.

        Of everybody in the tenant, or of these people.
        """

    def groups_written_since(self, tenant: TenantId, since: datetime) -> list[StepRecord]:
        """Our own receipts for groups (made, licensed), which may outrank the replica too."""

    def groups_sent_since(self, tenant: TenantId, since: datetime) -> list[StepRecord]:
        """What was written to groups (made, licensed) by any operation, or may have been: in flight and unknown too."""

    def verified_at(self, operation: OperationId) -> dict[SubjectId, datetime]:
        """When the last step of each person was read back; whoever had none is not in it."""

    def verified_since(self, since: datetime) -> int:
        """How many people's last step was verified, in all tenants."""

    def kinds_since(self, tenant: TenantId, since: datetime) -> dict[StepKind, int]:
        """Writes of all operations in the tenant, through every door: for the guards."""


class SeatBook(Protocol):
    def reserved(self, tenant: TenantId, sku: SkuId, apart_from: OperationId | None = None) -> set[SubjectId]: ...
    def release(self, operation: OperationId) -> None: ...
    def waiting(self, tenant: TenantId, sku: SkuId) -> list[SubjectId]:
        """The waiting list, first come first."""

    def waiting_lists(self, tenant: TenantId | None = None) -> "list[WaitingList]": ...
    def served(self, tenant: TenantId, sku: SkuId, subjects: Collection[SubjectId], at: datetime) -> None: ...
    def stop_waiting(self, operation: OperationId, at: datetime) -> None:
        """Whom this operation was the latest to list is off the list."""

    def note_unexplained(self, tenant: TenantId, sku: SkuId, number: int, at: datetime) -> None:
        """Remember how many seats no order explained at this moment, when that differs from the last time."""

    def unexplained_before(self, tenant: TenantId, sku: SkuId, moment: datetime) -> int | None:
        """The latest such number from before the moment; None when nobody had looked by then."""


class WaitingList(msgspec.Struct, frozen=True, kw_only=True):
    """People who wait for seats of one SKU in one tenant, with the latest operation that listed them."""

    tenant_id: TenantId
    sku_id: SkuId
    operation_id: OperationId
    people: int
    since: datetime


class GroupRegister(Protocol):
    """The groups that we made in tenants, for which product and whose seats."""

    def find(self, tenant: TenantId, sku: SkuId, holder: OrganisationId) -> LicensingGroup | None: ...
    def list_in(self, tenant: TenantId) -> list[LicensingGroup]: ...
    def save(self, group: LicensingGroup) -> None:
        """Insert, or update by tenant, product and holder."""


class LeaseStore(Protocol):
    def take(self, name: str, holder: str, wall: datetime, duration: timedelta) -> Lease | None:
        """The lease, or None while somebody else's is alive. Taking raises the fence."""

    def renew(self, lease: Lease, wall: datetime, duration: timedelta) -> Lease:
        """Raises StaleLeaseError when it is no longer ours."""

    def alive(self, prefix: str) -> list[Lease]:
        """Leases whose name begins so and that are in force by the database's clock, by name."""

    def release(self, lease: Lease) -> None: ...
    def check(self, lease: Lease) -> None:
        """Raises StaleLeaseError when a higher fence exists (locks the row until commit)."""
