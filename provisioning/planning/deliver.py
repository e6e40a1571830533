"""The plan of a delivery or a remap: for each person one assignment, one swap, or why nothing is needed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from provisioning.domain.catalogue import Sku
from provisioning.domain.groups import GroupImage
from provisioning.domain.ids import OrganisationId, SkuId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import Person
from provisioning.domain.operation import Change, Step, StepKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode
from provisioning.planning.deliver_scene import (
    DeliverScene,
    as_offered_there,
    candidates,
    left_out,
    selected,
    served_elsewhere,
    undecidable,
)
from provisioning.planning.group_judging import GroupJudge
from provisioning.planning.groups import creation, group_subject, images, licensing, rests_on_group, sources
from provisioning.planning.guards import breaches
from provisioning.planning.judging import Aim, Judge, products
from provisioning.planning.losses import LossCount
from provisioning.planning.plan import Losses, Plan, SubjectPlan
from provisioning.planning.remap import GroupRemapJudge, RemapJudge, told_of_remap
from provisioning.planning.seats import situation
from provisioning.planning.verdict import Verdict

_WAITS = Verdict(SubjectState.WAITING, Reason.SEATS_INSUFFICIENT)
_Judged = tuple[Person, OrganisationId, Verdict]


def plan_deliver(scene: DeliverScene) -> Plan:
    """The steps that each person needs, in turn; scarce seats by a stable order; a group is made ready first."""
    scene = as_offered_there(scene)
    judge = _judge_of(scene)
    judged = [(person, organisation, _verdict(scene, judge, person)) for person, organisation in candidates(scene)]
    allotted = _together(scene, judge, judged, list(_allotted(scene, judged)))
    readying = _readying(scene, judge, allotted)
    steps = [*readying, *_steps(scene, allotted, len(readying))]
    losses = _losses(scene, allotted)
    return Plan(
        plan_id=scene.plan_id,
        operation_id=scene.operation_id,
        tenant_id=scene.tenant_id,
        drawn_at=scene.now,
        observed_at=scene.census.observed_at,
        is_complete=scene.selection.is_complete,
        subjects=(*map(group_subject, readying), *_subjects(allotted), *_undecided(scene), *_missing_names(scene)),
        steps=tuple(steps),
        grounds=scene.grounds,
        losses=losses,
        guard_breaches=(*_remapped(scene, allotted), *breaches(steps, losses, scene.usage, scene.limits)),
        sources=sources((person for person, _, _ in allotted), _named_skus(scene), scene.groups),
        group=_images(scene, readying, steps),
    )


def _judge_of(scene: DeliverScene) -> Judge:
    aim = Aim(
        wish=scene.wish,
        policy=scene.policy,
        mappings=scene.mappings,
        permissions=scene.permissions,
        groups=scene.groups,
        may_move=scene.may_move,
    )
    if scene.policy.assignment_mode is AssignmentMode.GROUP and scene.wish.sku_id in scene.mappings.group_licensing:
        spoken = selected(scene) - left_out(scene) - scene.selection.on_their_way
        return (GroupRemapJudge if scene.wish.remap else GroupJudge)(aim, spoken | scene.reserved)
    # a product without Entra ID P1 gives no right to group licensing
    return (RemapJudge if scene.wish.remap else Judge)(aim)


def _remapped(scene: DeliverScene, allotted: Sequence[_Judged]) -> tuple[str, ...]:
    people = sum(_gives_up(verdict, scene.wish.replaces) for _, _, verdict in allotted)
    return told_of_remap(scene.wish, people, scene.mappings)


def _gives_up(verdict: Verdict, old: AbstractSet[SkuId]) -> bool:
    """Whether one of these is taken from them; who only gets another form of the product keeps it."""
    return verdict.state is SubjectState.PENDING and any(not old.isdisjoint(x.remove_skus) for x in verdict.changes)


def _verdict(scene: DeliverScene, judge: Judge, person: Person) -> Verdict:
    """Of whom another operation is writing to, nobody knows what they have: they are looked at again once it does."""
    verdict = judge.verdict(person)
    if person.subject_id not in scene.elsewhere:
        return verdict
    return Verdict(SubjectState.PENDING, licences=person.licences, through_group=verdict.through_group)


def _named_skus(scene: DeliverScene) -> dict[SkuId, Sku]:
    return {sku_id: scene.mappings.skus[sku_id] for sku_id in products(scene.wish) if sku_id in scene.mappings.skus}


# ── the group ────────────────────────────────────────────────────────────────────────────────────────────


def _together(scene: DeliverScene, judge: Judge, judged: Sequence[_Judged], allotted: list[_Judged]) -> list[_Judged]:
    """One write gives all members of a group the product: it is done for all of them, or not at all.

    Nobody joins it then either: the group would have to bring the product first, to all of them.
    """
    through = {person.subject_id for person, _, verdict in judged if verdict.through_group}
    told = _in_the_way(judge, through, allotted)
    if told is None:
        return allotted
    return [
        (one[0], one[1], _kept_out(scene, one[2], told) if one[0].subject_id in through or _joins(one[2]) else one[2])
        for one in allotted
    ]


def _in_the_way(judge: Judge, through: AbstractSet[SubjectId], allotted: Sequence[_Judged]) -> Verdict | None:
    """Why the one write is not done: a member without a seat, or one who would lose the old product and get nothing."""
    if any(verdict is _WAITS and person.subject_id in through for person, _, verdict in allotted):
        return _WAITS
    change = judge.preparation if isinstance(judge, GroupJudge) else None
    if change is None:
        return None
    losing = sum(verdict.state is SubjectState.REFUSED and _loses(person, change) for person, _, verdict in allotted)
    told = f"group {change.group_id}: {losing} of its members cannot get it"
    return Verdict.refused(Reason.SCOPE_VIOLATION, told) if losing else None


def _loses(person: Person, change: Change) -> bool:
    """Whether the group's write takes something from them."""
    return any(x.group_id == change.group_id and x.sku_id in change.remove_skus for x in person.licences)


def _kept_out(scene: DeliverScene, verdict: Verdict, told: Verdict) -> Verdict:
    """Who has the product already, and would only have moved into the group, keeps it as it is."""
    is_right = verdict.state is SubjectState.PENDING and not verdict.asks_for_seat(scene.wish.sku_id)
    return Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD) if is_right else told


def _readying(scene: DeliverScene, judge: Judge, allotted: Sequence[_Judged]) -> list[Step]:
    """The step that makes the group, or makes it bring the product; none when nobody would be served by it."""
    if not isinstance(judge, GroupJudge) or scene.groups.is_in_doubt:
        return []
    if scene.groups.target is None:
        is_needed = any(verdict.state is SubjectState.PENDING and not verdict.acts for _, _, verdict in allotted)
        return [creation(scene.groups.nickname)] if is_needed and scene.groups.is_ours else []
    needs = any(verdict.through_group or _joins(verdict) for _, _, verdict in allotted)
    return [licensing(judge.preparation)] if needs and judge.preparation else []


def _joins(verdict: Verdict) -> bool:
    return any(act.kind is StepKind.ADD_MEMBERS for act in verdict.acts)


def _images(scene: DeliverScene, readying: Sequence[Step], steps: Sequence[Step]) -> tuple[GroupImage, ...]:
    """How the target may look while steps of this plan go through it."""
    target = scene.groups.target
    goes_through = target is not None and any(rests_on_group(step) for step in steps)
    return images(target, readying[0].change if readying else None) if target and goes_through else ()


# ── the people ───────────────────────────────────────────────────────────────────────────────────────────


def _undecided(scene: DeliverScene) -> list[SubjectPlan]:
    return [
        _refusal(subject, reason, organisation)
        for subject, (organisation, reason) in sorted(undecidable(scene).items())
    ]


def _missing_names(scene: DeliverScene) -> list[SubjectPlan]:
    """Named people whom nobody selected: unknown to the tenant, or somebody else's. Half a look says neither."""
    if not scene.wish.named or not scene.selection.is_complete:
        return []
    accounted_for = selected(scene) | scene.in_doubt | scene.reserved
    missing = [name for name in dict.fromkeys(scene.wish.named) if name not in accounted_for]
    present = {person.subject_id for person in scene.census.people}
    return [_refusal(name, Reason.SCOPE_VIOLATION if name in present else Reason.NOT_FOUND) for name in missing]


def _refusal(subject: SubjectId, reason: Reason, organisation: OrganisationId | None = None) -> SubjectPlan:
    return SubjectPlan(subject_id=subject, organisation_id=organisation, state=SubjectState.REFUSED, reason=reason)


def _allotted(scene: DeliverScene, judged: Iterable[_Judged]) -> Iterator[_Judged]:
    """With as many served as there are seats; the others wait."""
    left = Counter({sku: stock.to_give for sku, stock in scene.along.items()})
    left[scene.wish.sku_id] = _seats_to_give(scene)
    for person, organisation, verdict in judged:
        asked = verdict.seats_asked(scene.wish.sku_id)
        is_short = any(left[sku] <= 0 for sku in asked)
        yield person, organisation, _WAITS if is_short else verdict
        left.subtract(() if is_short else asked)


def _seats_to_give(scene: DeliverScene) -> int:
    """Every holder of ours takes from the entitlement, named now or not, and so does who is being served."""
    seats = situation(scene.seats, scene.census, scene.reserved | scene.in_doubt, scene.entitlement)
    ours = selected(scene)
    own = (ours & seats.holders) | (ours & served_elsewhere(scene)) | scene.in_doubt
    return seats.to_give(len(own | _strangers_in_our_group(scene)))


def _strangers_in_our_group(scene: DeliverScene) -> AbstractSet[SubjectId]:
    """Whoever else put them there, and whom the order does not speak of: they live on this holder's seats."""
    target = scene.groups.target
    addressed = {person.subject_id for person, _ in scene.selection.chosen} - left_out(scene)
    return target.members - addressed if target and scene.groups.is_ours else frozenset()


def _losses(scene: DeliverScene, allotted: Iterable[_Judged]) -> Losses:
    along = scene.wish.remap.along if scene.wish.remap else {}
    losses = LossCount(scene.mappings, {*scene.wish.replaces, *along}, scene.policy)
    served = Counter(verdict for _, _, verdict in allotted if verdict.state is SubjectState.PENDING)
    for verdict, people in served.items():
        losses.add(verdict.licences, *verdict.changes, not_carried=verdict.notes, people=people)
    return losses.total


def _subjects(allotted: Iterable[_Judged]) -> Iterator[SubjectPlan]:
    for person, organisation, verdict in allotted:
        yield verdict.subject(person, organisation)


def _steps(scene: DeliverScene, allotted: Iterable[_Judged], position: int) -> Iterator[Step]:
    second_look = scene.census.observed_at + scene.limits.removal_gap
    for person, _, verdict in allotted:
        for step in verdict.steps(person, position, second_look):
            yield step
            position += 1
