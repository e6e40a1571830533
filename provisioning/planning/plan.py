"""The plan as a value: what would be done, to whom, why, and what approving it would bind."""

from collections import Counter
from datetime import datetime
from hashlib import sha256

import msgspec

from provisioning.domain.groups import GroupImage
from provisioning.domain.ids import OperationId, OrganisationId, PlanId, SubjectId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.operation import BeforeImage, Step, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.seats import SeatsSeen


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """Digests of everything a plan stands on; one that changes makes the approval void."""

    mapping: str
    policy: str
    bindings: str
    authority: str


class Losses(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people would lose, counted: the guards look here, and so does the approver."""

    removals_without_replacement: int = 0
    families: dict[str, int] = {}  # service family → people who lose it
    switched_on: dict[str, int] = {}  # plan name → people for whom it comes on against policy
    not_carried: dict[str, int] = {}  # disabled plan that has no counterpart → people
    unreplaced_swaps: int = 0  # swaps from a SKU that the article does not name under `replaces`


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an approval binds (design: approval). Its digest is what the approver names."""

    operation_id: OperationId
    tenant_id: TenantId
    grounds: Grounds
    counts: dict[str, int]  # step kind → number
    losses: Losses
    sources: dict[str, int] = {}  # where the products concerned come from now → people
    group: tuple[GroupImage, ...] = ()  # how the group looks that licences go through: before, and once it is ready

    @property
    def digest(self) -> str:
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


class SubjectPlan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One person of the plan: the state they start in, why, and what cannot be carried over.

    A group that is written to has its row too, and is no person: nobody counts it among them.
    """

    subject_id: SubjectId
    organisation_id: OrganisationId | None
    state: SubjectState
    reason: Reason | None = None
    before: BeforeImage = BeforeImage()
    notes: tuple[str, ...] = ()
    is_group: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Complete, applicable and approved are three facts; this value knows the first two.

    `guard_breaches` are sentences: empty means it may apply by itself.
    """

    plan_id: PlanId
    operation_id: OperationId
    tenant_id: TenantId
    drawn_at: datetime
    observed_at: datetime
    is_complete: bool
    subjects: tuple[SubjectPlan, ...]
    steps: tuple[Step, ...]
    grounds: Grounds
    losses: Losses
    guard_breaches: tuple[str, ...] = ()
    sources: dict[str, int] = {}
    group: tuple[GroupImage, ...] = ()
    seats: SeatsSeen | None = None

    @property
    def counts(self) -> dict[str, int]:
        return dict(sorted(Counter(step.kind.value for step in self.steps).items()))

    @property
    def writes(self) -> int:
        return sum(step.kind is not StepKind.NO_OP for step in self.steps)

    @property
    def envelope(self) -> Envelope:
        return Envelope(
            operation_id=self.operation_id,
            tenant_id=self.tenant_id,
            grounds=self.grounds,
            counts=self.counts,
            losses=self.losses,
            sources=self.sources,
            group=self.group,
        )

    @property
    def awaits_group(self) -> bool:
        """Whether somebody gets what they need by a group alone, which takes its time."""
        served = {step.subject_id for step in self.steps}
        return any(
            one.state is SubjectState.PENDING and not one.is_group and one.subject_id not in served
            for one in self.subjects
        )

    @property
    def needs_approval(self) -> bool:
        return bool(self.guard_breaches)
