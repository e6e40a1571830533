"""The plan of a delivery: for each selected person one assignment, one swap, or why nothing is needed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec

from provisioning.domain.catalogue import Mappings, Sku
from provisioning.domain.ids import GroupId, OperationId, OrganisationId, PlanId, SubjectId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Census, HeldLicence, Person, SeatCount
from provisioning.domain.operation import Change, Step, StepKind, Wish
from provisioning.domain.permissions import missing_for
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy
from provisioning.planning.carry import (
    KnownPlans,
    PlanIds,
    as_offered,
    carry_over,
    enabled_plans,
    families,
    off_by_advice,
    off_by_policy,
    undecided,
)
from provisioning.planning.conflicts import Compatibility
from provisioning.planning.guards import Usage, breaches
from provisioning.planning.losses import LossCount
from provisioning.planning.plan import Grounds, Losses, Plan, SubjectPlan
from provisioning.planning.seats import in_order, situation
from provisioning.planning.selection import Selection
from provisioning.planning.verdict import Verdict


class DeliverScene(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a delivery is planned from; nothing else is known."""

    plan_id: PlanId
    operation_id: OperationId
    tenant_id: TenantId
    now: datetime
    wish: Wish
    policy: Policy
    mappings: Mappings
    grounds: Grounds
    census: Census
    selection: Selection
    seats: SeatCount | None
    reserved: frozenset[SubjectId]
    in_doubt: frozenset[SubjectId] = frozenset()  # an earlier write of ours is not read back yet: left as they are
    entitlement: int
    waiting: tuple[SubjectId, ...]
    permissions: frozenset[str]
    usage: Usage
    limits: Limits

    @property
    def target(self) -> Sku:
        return self.mappings.skus[self.wish.sku_id]


_WAITS = Verdict(SubjectState.WAITING, Reason.SEATS_INSUFFICIENT)
_Judged = tuple[Person, OrganisationId, Verdict]


def plan_deliver(scene: DeliverScene) -> Plan:
    """One step per person (two when the usage location is set first); scarce seats by a stable order."""
    scene = _as_offered(scene)
    judge = _Judge(scene)
    judged = [(person, organisation, judge.verdict(person)) for person, organisation in _candidates(scene)]
    allotted = list(_allotted(scene, judged))
    steps = list(_steps(allotted))
    losses = _losses(scene, allotted)
    return Plan(
        plan_id=scene.plan_id,
        operation_id=scene.operation_id,
        tenant_id=scene.tenant_id,
        drawn_at=scene.now,
        observed_at=scene.census.observed_at,
        is_complete=scene.selection.is_complete,
        subjects=(*_subjects(allotted), *_undecided(scene), *_missing_names(scene)),
        steps=tuple(steps),
        grounds=scene.grounds,
        losses=losses,
        guard_breaches=breaches(steps, losses, scene.usage, scene.limits),
    )


def _as_offered(scene: DeliverScene) -> DeliverScene:
    """With the target as this tenant has it."""
    if scene.seats is None:
        return scene
    target = as_offered(scene.target, scene.seats.plan_ids, KnownPlans.named_in(scene.mappings.skus))
    skus = {**scene.mappings.skus, target.sku_id: target}
    return msgspec.structs.replace(scene, mappings=msgspec.structs.replace(scene.mappings, skus=skus))


def _candidates(scene: DeliverScene) -> Sequence[tuple[Person, OrganisationId]]:
    """Whom the order speaks of, in the order of their turn."""
    left_out = _left_out(scene)
    chosen = [one for one in scene.selection.chosen if one[0].subject_id not in left_out]
    return in_order(chosen, scene.waiting, scene.policy.seat_priority)


def _left_out(scene: DeliverScene) -> AbstractSet[SubjectId]:
    """Selected people who are not named, where names count, and those whom somebody serves already."""
    served = _served_elsewhere(scene)
    return _selected(scene).difference(scene.wish.named) | served if scene.wish.named else served


def _served_elsewhere(scene: DeliverScene) -> frozenset[SubjectId]:
    """Left to the operation that reserved their seat, or to an earlier plan of this one that wrote to them."""
    if not scene.reserved:
        return scene.in_doubt
    seen = {
        person.subject_id
        for person, _ in scene.selection.chosen
        if person.subject_id in scene.reserved and person.holds(scene.wish.sku_id)
    }
    return scene.in_doubt | (scene.reserved - seen)


def _selected(scene: DeliverScene) -> set[SubjectId]:
    return {person.subject_id for person, _ in scene.selection.chosen}.union(scene.selection.undecidable)


def _undecided(scene: DeliverScene) -> list[SubjectPlan]:
    left_out = _left_out(scene)
    return [
        _refusal(subject, reason, organisation)
        for subject, (organisation, reason) in sorted(scene.selection.undecidable.items())
        if subject not in left_out
    ]


def _missing_names(scene: DeliverScene) -> list[SubjectPlan]:
    """Named people whom nobody selected: unknown to the tenant, or somebody else's. Half a look says neither."""
    if not scene.wish.named or not scene.selection.is_complete:
        return []
    accounted_for = _selected(scene) | scene.in_doubt | scene.reserved
    missing = [name for name in dict.fromkeys(scene.wish.named) if name not in accounted_for]
    present = {person.subject_id for person in scene.census.people}
    return [_refusal(name, Reason.SCOPE_VIOLATION if name in present else Reason.NOT_FOUND) for name in missing]


def _refusal(subject: SubjectId, reason: Reason, organisation: OrganisationId | None = None) -> SubjectPlan:
    return SubjectPlan(subject_id=subject, organisation_id=organisation, state=SubjectState.REFUSED, reason=reason)


def _allotted(scene: DeliverScene, judged: Iterable[_Judged]) -> Iterator[_Judged]:
    """With as many served as there are seats; the others wait."""
    seats = _seats_to_give(scene)
    for one in judged:
        person, organisation, verdict = one
        is_asking = verdict.state is SubjectState.PENDING
        yield (person, organisation, _WAITS) if is_asking and seats <= 0 else one
        seats -= is_asking


def _seats_to_give(scene: DeliverScene) -> int:
    """Every holder of ours takes from the entitlement, named now or not, and so does who is being served."""
    seats = situation(scene.seats, scene.census, scene.reserved | scene.in_doubt, scene.entitlement)
    selected = _selected(scene)
    own = (selected & seats.holders) | (selected & _served_elsewhere(scene)) | scene.in_doubt
    return seats.to_give(len(own))


def _losses(scene: DeliverScene, allotted: Iterable[_Judged]) -> Losses:
    losses = LossCount(scene.mappings, scene.wish.replaces, scene.policy)
    served = Counter(verdict for _, _, verdict in allotted if verdict.state is SubjectState.PENDING)
    for verdict, people in served.items():
        losses.add(verdict.licences, verdict.change, verdict.notes, people)
    return losses.total


def _subjects(allotted: Iterable[_Judged]) -> Iterator[SubjectPlan]:
    for person, organisation, verdict in allotted:
        yield verdict.subject(person, organisation)


def _steps(allotted: Iterable[_Judged]) -> Iterator[Step]:
    position = 0
    for person, _, verdict in allotted:
        for step in verdict.steps(person, position):
            yield step
            position += 1


class _Judge:
    """Decides what one person needs. Equal situations are judged once: a school has few of them."""

    def __init__(self, scene: DeliverScene) -> None:
        self._scene = scene
        self._compatibility = Compatibility(scene.mappings)
        self._plans = KnownPlans.named_in(scene.mappings.skus)
        self._off = off_by_policy(scene.target, scene.policy)
        self._undecided = undecided(scene.target, scene.wish.audience, scene.policy)
        self._advised = off_by_advice(scene.target, scene.wish.audience, scene.policy)
        self._known: dict[tuple[tuple[HeldLicence, ...], bool], Verdict] = {}

    def verdict(self, person: Person) -> Verdict:
        situation_key = (person.licences, person.usage_location is None)
        if situation_key not in self._known:
            self._known[situation_key] = self._judge(person)
        return self._known[situation_key]

    def _judge(self, person: Person) -> Verdict:
        return self._already_right(person) or self._impossible(person) or self._wanted(person)

    def _already_right(self, person: Person) -> Verdict | None:
        target = self._scene.target
        if person.direct(target.sku_id):
            return Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD)
        if person.holds(target.sku_id):
            return Verdict(SubjectState.ALREADY_RIGHT, Reason.HELD_VIA_GROUP)
        larger = self._compatibility.larger_product(person, target, self._scene.wish.replaces)
        return Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, notes=(larger,)) if larger else None

    def _impossible(self, person: Person) -> Verdict | None:
        group = self._group_that_gives_the_old(person)
        if group:
            return Verdict.refused(Reason.INHERITED_FROM_GROUP, f"group {group}")
        if person.usage_location is None:
            if not self._scene.policy.usage_location:
                return Verdict.refused(Reason.USAGE_LOCATION)
            missing = missing_for([StepKind.SET_USAGE_LOCATION], self._scene.permissions)
            if missing:
                return Verdict.refused(Reason.USAGE_LOCATION, f"needs permission {', '.join(sorted(missing))}")
        return None

    def _group_that_gives_the_old(self, person: Person) -> GroupId | None:
        replaces = self._scene.wish.replaces
        return next((x.group_id for x in person.licences if x.sku_id in replaces and x.group_id and x.is_active), None)

    def _wanted(self, person: Person) -> Verdict:
        scene = self._scene
        leaving = [x for x in person.licences if x.sku_id in scene.wish.replaces and x.is_direct and x.is_active]
        carried = carry_over(person.licences, leaving, scene.target, scene.mappings.skus, self._plans)
        change = Change(
            add_sku=scene.wish.sku_id,
            disabled_plans=carried.disabled | self._at_least(leaving),
            remove_skus=tuple(sorted({x.sku_id for x in leaving})),
        )
        obstacle = self._compatibility.obstacle(person, change)
        if obstacle:
            return Verdict.refused(*obstacle)
        location = scene.policy.usage_location if person.usage_location is None else None
        return Verdict(SubjectState.PENDING, None, change, carried.not_carried, location, person.licences)

    def _at_least(self, leaving: Sequence[HeldLicence]) -> PlanIds:
        """Advice is for first licences; what nobody decided about takes no service that the person had."""
        if not leaving:
            return self._off | self._undecided | self._advised
        had = families(enabled_plans(leaving, self._scene.mappings.skus), self._plans.family_of)
        return self._off | {plan for plan in self._undecided if self._plans.family_of.get(plan) not in had}
