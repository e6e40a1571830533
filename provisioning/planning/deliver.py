"""The plan of a delivery: for each selected person one assignment, one swap, or why nothing is needed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from provisioning.domain.catalogue import Mappings, Sku
from provisioning.domain.ids import GroupId, OperationId, OrganisationId, PlanId, ServicePlanId, SubjectId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Census, HeldLicence, Person, SeatCount
from provisioning.domain.operation import BeforeImage, Change, Step, StepKind, Wish
from provisioning.domain.permissions import missing_for
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy
from provisioning.planning.carry import carry_over, disabled_at_first
from provisioning.planning.conflicts import Compatibility
from provisioning.planning.guards import Usage, breaches
from provisioning.planning.losses import LossCount
from provisioning.planning.plan import Grounds, Plan, SubjectPlan
from provisioning.planning.seats import in_order, situation
from provisioning.planning.selection import Selection


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

    @property
    def tenant_plans(self) -> frozenset[ServicePlanId]:
        return self.seats.plan_ids if self.seats else frozenset()


class _Verdict(msgspec.Struct, frozen=True):
    """What a person needs, before seats are counted."""

    state: SubjectState
    reason: Reason | None = None
    change: Change = Change()
    notes: tuple[str, ...] = ()
    first_location: str | None = None  # to be set before the licence


def plan_deliver(scene: DeliverScene) -> Plan:
    """One step per person (two when the usage location is set first); scarce seats by a stable order."""
    judge = _Judge(scene)
    candidates = _named_only(scene)
    verdicts = {person.subject_id: judge.verdict(person) for person, _ in candidates}
    served = _served(scene, candidates, verdicts)
    subjects, steps, losses = _drawn(scene, candidates, verdicts, served)
    subjects += _undecided(scene) + _missing_names(scene)
    return Plan(
        plan_id=scene.plan_id,
        operation_id=scene.operation_id,
        tenant_id=scene.tenant_id,
        drawn_at=scene.now,
        observed_at=scene.census.observed_at,
        is_complete=scene.selection.is_complete,
        subjects=tuple(subjects),
        steps=tuple(steps),
        grounds=scene.grounds,
        losses=losses.total,
        guard_breaches=breaches(steps, losses.total, scene.usage, scene.limits),
    )


Candidates = Sequence[tuple[Person, OrganisationId]]


def _named_only(scene: DeliverScene) -> Candidates:
    named = frozenset(scene.wish.named)
    return tuple(
        (person, organisation)
        for person, organisation in scene.selection.chosen
        if person.subject_id not in scene.in_doubt and (not named or person.subject_id in named)
    )


def _missing_names(scene: DeliverScene) -> list[SubjectPlan]:
    present = {person.subject_id for person, _ in scene.selection.chosen} | scene.selection.undecidable.keys()
    return [
        SubjectPlan(subject_id=name, organisation_id=None, state=SubjectState.REFUSED, reason=Reason.NOT_FOUND)
        for name in scene.wish.named
        if name not in present
    ]


def _undecided(scene: DeliverScene) -> list[SubjectPlan]:
    return [
        SubjectPlan(subject_id=subject, organisation_id=organisation, state=SubjectState.REFUSED, reason=reason)
        for subject, (organisation, reason) in sorted(scene.selection.undecidable.items())
    ]


def _served(
    scene: DeliverScene, candidates: Candidates, verdicts: Mapping[SubjectId, _Verdict]
) -> frozenset[SubjectId]:
    """Who gets a seat: as many as there are, in the stable order."""
    needing = [one for one in candidates if verdicts[one[0].subject_id].state is SubjectState.PENDING]
    own_holders = sum(person.holds(scene.wish.sku_id) for person, _ in candidates) + len(scene.in_doubt)
    reserved = scene.reserved | scene.in_doubt
    seats = situation(scene.seats, scene.census, reserved, scene.entitlement).to_give(own_holders)
    if len(needing) <= seats:
        return frozenset(person.subject_id for person, _ in needing)
    ordered = in_order(needing, scene.waiting, scene.policy.seat_priority)
    return frozenset(person.subject_id for person, _ in ordered[:seats])


def _drawn(
    scene: DeliverScene,
    candidates: Candidates,
    verdicts: Mapping[SubjectId, _Verdict],
    served: frozenset[SubjectId],
) -> tuple[list[SubjectPlan], list[Step], LossCount]:
    subjects: list[SubjectPlan] = []
    steps: list[Step] = []
    losses = LossCount(scene.mappings, scene.wish.replaces, scene.policy)
    for person, organisation in in_order(candidates, scene.waiting, scene.policy.seat_priority):
        verdict = verdicts[person.subject_id]
        if verdict.state is SubjectState.PENDING and person.subject_id not in served:
            verdict = _Verdict(SubjectState.WAITING, Reason.SEATS_INSUFFICIENT)
        subjects.append(_subject(person, organisation, verdict))
        if verdict.state is SubjectState.PENDING:
            losses.add(person, verdict.change, verdict.notes)
            steps.extend(_steps(person, verdict, len(steps)))
    return subjects, steps, losses


def _subject(person: Person, organisation: OrganisationId, verdict: _Verdict) -> SubjectPlan:
    return SubjectPlan(
        subject_id=person.subject_id,
        organisation_id=organisation,
        state=verdict.state,
        reason=verdict.reason,
        before=before_image(person),
        notes=verdict.notes,
    )


def before_image(person: Person) -> BeforeImage:
    return BeforeImage(licences=person.licences, usage_location=person.usage_location, is_enabled=person.is_enabled)


def _steps(person: Person, verdict: _Verdict, position: int) -> Iterable[Step]:
    sequence = 0
    if verdict.first_location:
        yield Step(
            position=position,
            subject_id=person.subject_id,
            kind=StepKind.SET_USAGE_LOCATION,
            change=Change(usage_location=verdict.first_location),
            reason="the usage location is empty and the school's policy names one",
        )
        sequence, position = 1, position + 1
    kind = StepKind.SWAP if verdict.change.remove_skus else StepKind.ASSIGN
    yield Step(
        position=position,
        subject_id=person.subject_id,
        kind=kind,
        change=verdict.change,
        sequence=sequence,
        reason="takes the place of the old product" if kind is StepKind.SWAP else "ordered for this person",
    )


class _Judge:
    """Decides what one person needs. Equal situations are judged once: a school has few of them."""

    def __init__(self, scene: DeliverScene) -> None:
        self._scene = scene
        self._compatibility = Compatibility(scene.mappings)
        self._first = disabled_at_first(scene.target, scene.wish.audience, scene.policy, scene.tenant_plans)
        self._known: dict[tuple[tuple[HeldLicence, ...], bool], _Verdict] = {}

    def verdict(self, person: Person) -> _Verdict:
        situation_key = (person.licences, person.usage_location is None)
        if situation_key not in self._known:
            self._known[situation_key] = self._judge(person)
        return self._known[situation_key]

    def _judge(self, person: Person) -> _Verdict:
        return self._already_right(person) or self._impossible(person) or self._wanted(person)

    def _already_right(self, person: Person) -> _Verdict | None:
        target = self._scene.target
        if person.direct(target.sku_id):
            return _Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD)
        if person.holds(target.sku_id):
            return _Verdict(SubjectState.ALREADY_RIGHT, Reason.HELD_VIA_GROUP)
        larger = self._compatibility.larger_product(person, target, self._scene.wish.replaces)
        return _Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, notes=(larger,)) if larger else None

    def _impossible(self, person: Person) -> _Verdict | None:
        group = self._group_that_gives_the_old(person)
        if group:
            return _refused(Reason.INHERITED_FROM_GROUP, f"group {group}")
        if person.usage_location is None:
            if not self._scene.policy.usage_location:
                return _refused(Reason.USAGE_LOCATION)
            missing = missing_for([StepKind.SET_USAGE_LOCATION], self._scene.permissions)
            if missing:
                return _refused(Reason.USAGE_LOCATION, f"needs permission {', '.join(sorted(missing))}")
        return None

    def _group_that_gives_the_old(self, person: Person) -> GroupId | None:
        replaces = self._scene.wish.replaces
        return next((x.group_id for x in person.licences if x.sku_id in replaces and x.group_id and x.is_active), None)

    def _wanted(self, person: Person) -> _Verdict:
        scene = self._scene
        leaving = [x for x in person.licences if x.sku_id in scene.wish.replaces and x.is_direct and x.is_active]
        carried = carry_over(leaving, scene.target, scene.mappings.skus, scene.tenant_plans, self._at_least(leaving))
        change = Change(
            add_sku=scene.wish.sku_id,
            disabled_plans=carried.disabled,
            remove_skus=tuple(sorted({x.sku_id for x in leaving})),
        )
        obstacle = self._compatibility.obstacle(person, change)
        if obstacle:
            return _refused(*obstacle)
        location = scene.policy.usage_location if person.usage_location is None else None
        return _Verdict(SubjectState.PENDING, None, change, carried.not_carried, location)

    def _at_least(self, leaving: Sequence[HeldLicence]) -> frozenset[ServicePlanId]:
        """Advice is for first licences; what the school itself switched off holds in a swap too."""
        if not leaving:
            return self._first
        wishes = self._scene.policy.skus.get(self._scene.wish.sku_id)
        return wishes.disabled_plans & self._scene.target.plan_ids if wishes else frozenset()


def _refused(reason: Reason, *notes: str) -> _Verdict:
    return _Verdict(SubjectState.REFUSED, reason, notes=notes)
