"""What is left on people in a tenant whose agreement was moved away: a licence without seats, taken with approval.

While the tenant has no more seats than others bought there, what our people still hold gives them nothing, or takes
it from those others. Seats that are back are a contradiction, and nothing is taken on a contradiction (L5).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import OperationId, OrganisationId, PlanId, SkuId, SubjectId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.observation import HeldLicence, Person, SeatCount
from provisioning.domain.operation import Change, Step, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy
from provisioning.planning.conflicts import Compatibility
from provisioning.planning.guards import Usage, breaches
from provisioning.planning.losses import LossCount
from provisioning.planning.plan import Grounds, Plan, SubjectPlan
from provisioning.planning.selection import Selection
from provisioning.planning.verdict import Act, Verdict

_Judged = tuple[Person, OrganisationId, Verdict]


class LeftoverScene(msgspec.Struct, frozen=True, kw_only=True):
    plan_id: PlanId
    operation_id: OperationId
    tenant_id: TenantId
    now: datetime
    observed_at: datetime
    sku_id: SkuId
    selection: Selection
    in_doubt: frozenset[SubjectId]
    policy: Policy
    mappings: Mappings
    grounds: Grounds
    usage: Usage
    limits: Limits


def is_left_behind(count: SeatCount | None, bought: int, own: int) -> bool:
    """Whether no seat of the product here is ours. `bought`: by everybody in this tenant; `own`: by the holder."""
    return own <= 0 and (0 if count is None else count.enabled) <= max(0, bought)


def plan_leftovers(scene: LeftoverScene) -> Plan:
    """One removal for everybody who holds it by name. It never goes by itself."""
    judge = _Judge(scene.sku_id, Compatibility(scene.mappings))
    going = [one for one in scene.selection.chosen if one[0].subject_id not in scene.in_doubt]
    judged = [(person, organisation, judge.of(person)) for person, organisation in going]
    steps = tuple(_steps(scene, judged))
    losses = LossCount(scene.mappings, frozenset(), scene.policy)
    for _, _, verdict in judged:
        if verdict.state is SubjectState.PENDING:
            losses.add(verdict.licences, *verdict.changes)
    name = scene.mappings.skus[scene.sku_id].name if scene.sku_id in scene.mappings.skus else scene.sku_id
    return Plan(
        plan_id=scene.plan_id,
        operation_id=scene.operation_id,
        tenant_id=scene.tenant_id,
        drawn_at=scene.now,
        observed_at=scene.observed_at,
        is_complete=scene.selection.is_complete,
        subjects=(*(verdict.subject(person, of) for person, of, verdict in judged), *_undecided(scene)),
        steps=steps,
        grounds=scene.grounds,
        losses=losses.total,
        guard_breaches=(
            f"{name} is taken from {len(steps)} people here: its agreement was moved to another tenant",
            *breaches(steps, losses.total, scene.usage, scene.limits),
        ),
    )


class _Judge:
    def __init__(self, sku_id: SkuId, compatibility: Compatibility) -> None:
        self._sku_id = sku_id
        self._compatibility = compatibility
        self._known: dict[tuple[HeldLicence, ...], Verdict] = {}

    def of(self, person: Person) -> Verdict:
        """Equal cases are judged once."""
        if person.licences not in self._known:
            self._known[person.licences] = self._judged(person)
        return self._known[person.licences]

    def _judged(self, person: Person) -> Verdict:
        own = [one for one in person.licences if one.sku_id == self._sku_id and one.is_direct]
        if not own:
            is_inherited = any(one.sku_id == self._sku_id for one in person.licences)
            return (
                Verdict.refused(Reason.INHERITED_FROM_GROUP)
                if is_inherited
                else Verdict(SubjectState.ALREADY_RIGHT, Reason.LICENCE_NOT_HELD, licences=person.licences)
            )
        staying = [one for one in person.licences if one not in own]
        if self._compatibility.stranded(person.licences, staying):
            return Verdict.refused(Reason.DEPENDENCY)
        change = Change(remove_skus=(self._sku_id,))
        act = Act(StepKind.REMOVE, change, "its agreement was moved to another tenant, and its seats with it")
        return Verdict(SubjectState.PENDING, None, (act,), licences=person.licences)


def _undecided(scene: LeftoverScene) -> Iterator[SubjectPlan]:
    for subject, (organisation, reason) in sorted(scene.selection.undecidable.items()):
        if subject not in scene.in_doubt:
            yield SubjectPlan(
                subject_id=subject, organisation_id=organisation, state=SubjectState.REFUSED, reason=reason
            )


def _steps(scene: LeftoverScene, judged: Sequence[_Judged]) -> Iterator[Step]:
    second_look = scene.observed_at + scene.limits.removal_gap
    position = 0
    for person, _, verdict in judged:
        for step in verdict.steps(person, position, second_look):
            yield step
            position += 1
