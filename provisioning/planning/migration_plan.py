"""What the plans of a migration have in common: whom they speak of, who gets a scarce seat, what the approver reads."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.groups import GroupImage
from provisioning.domain.ids import OperationId, OrganisationId, PlanId, SubjectId, TenantId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.migration import TARGET_PHASES, MigrationDefinition, MigrationPart, Phase, Traveller
from provisioning.domain.observation import Census, Person, SeatCount
from provisioning.domain.operation import Step, Wish
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy
from provisioning.planning.carry import KnownPlans, as_offered
from provisioning.planning.groups import GroupScene, images, sources
from provisioning.planning.guards import Usage, breaches
from provisioning.planning.judging import products
from provisioning.planning.losses import LossCount
from provisioning.planning.plan import Grounds, Losses, Plan, SubjectPlan
from provisioning.planning.seats import in_order, situation
from provisioning.planning.verdict import Verdict

Judged = tuple[Person, OrganisationId, Verdict]
_WAITS = Verdict(SubjectState.WAITING, Reason.SEATS_INSUFFICIENT)


class MigrationScene(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a plan of a migration is drawn from. `travellers` are those of its operation, and only they.

    `census` is of the tenant that is written to, with our own fresh receipts laid over it; `other` is of the other
    one. Both may be of these people alone. `own`: people of the holder in this tenant, who take from its
    entitlement; None: everybody there does.
    """

    plan_id: PlanId
    operation_id: OperationId
    tenant_id: TenantId
    now: datetime
    wish: Wish
    definition: MigrationDefinition
    travellers: tuple[Traveller, ...]
    policy: Policy
    mappings: Mappings
    grounds: Grounds
    census: Census
    other: Census
    seats: SeatCount | None
    entitlement: int
    reserved: frozenset[SubjectId] = frozenset()
    in_doubt: frozenset[SubjectId] = frozenset()  # an earlier write of ours is not read back yet: left as they are
    own: frozenset[SubjectId] | None = None
    waiting: tuple[SubjectId, ...] = ()
    permissions: frozenset[str]
    usage: Usage
    limits: Limits
    groups: GroupScene = GroupScene()

    @property
    def part(self) -> MigrationPart:
        """Raises InputError when the operation is no piece of a migration."""
        if self.wish.part is None:
            raise InputError(f"Operation {self.operation_id} is no part of a migration.")
        return self.wish.part

    @property
    def phase(self) -> Phase:
        return self.part.phase

    @property
    def is_complete(self) -> bool:
        return self.census.is_complete and self.other.is_complete

    @property
    def observed_at(self) -> datetime:
        """The older of the two observations: both are what the plan stands on."""
        return min(self.census.observed_at, self.other.observed_at)

    @property
    def product(self) -> str:
        """The part number of the product that is given or taken."""
        sku = self.mappings.skus.get(self.wish.sku_id)
        return sku.part_number if sku else self.wish.sku_id

    @property
    def wave(self) -> str:
        return f"wave {self.part.wave} of the migration"

    def id_here(self, traveller: Traveller) -> SubjectId | None:
        return traveller.target_id if self.phase in TARGET_PHASES else traveller.source_id

    def id_there(self, traveller: Traveller) -> SubjectId | None:
        return traveller.source_id if self.phase in TARGET_PHASES else traveller.target_id


def with_plans_offered(mappings: Mappings, seats: SeatCount | None) -> Mappings:
    """With the product as the tenant has it: plans come and go before any list of ours says so."""
    sku = mappings.skus.get(seats.sku_id) if seats else None
    if seats is None or sku is None:
        return mappings
    offered = as_offered(sku, seats.plan_ids, KnownPlans.named_in(mappings.skus))
    return msgspec.structs.replace(mappings, skus={**mappings.skus, offered.sku_id: offered})


# ── whom the plan speaks of ──────────────────────────────────────────────────────────────────────────────


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who can be judged, in the order of their turn, and who cannot, with the reason."""

    present: tuple[tuple[Person, Traveller], ...]
    absent: tuple[SubjectPlan, ...]
    there: Mapping[SubjectId, Person]  # the same human beings in the other tenant, by the id they have here


def party(scene: MigrationScene) -> Party:
    """Each traveller once. Who is in doubt is left to the plan before this one."""
    everyone = {person.subject_id: person for person in scene.census.people}
    beyond = {person.subject_id: person for person in scene.other.people}
    named = [(one, scene.id_here(one) or one.source_id) for one in scene.travellers]
    times = Counter(subject for _, subject in named)
    going = {subject: one for one, subject in named if subject not in scene.in_doubt}
    trouble = {subject: _trouble(scene, one, everyone, times[subject]) for subject, one in going.items()}
    clear = [(everyone[subject], one) for subject, one in going.items() if trouble[subject] is None]
    return Party(
        present=tuple(_in_turn(scene, clear)),
        absent=tuple(
            SubjectPlan(
                subject_id=subject,
                organisation_id=going[subject].organisation_id,
                state=SubjectState.REFUSED,
                reason=reason,
            )
            for subject, reason in sorted(trouble.items())
            if reason is not None
        ),
        there={
            subject: beyond[other]
            for subject, one in going.items()
            if (other := scene.id_there(one)) is not None and other in beyond
        },
    )


def _trouble(
    scene: MigrationScene, traveller: Traveller, everyone: Mapping[SubjectId, Person], times: int
) -> Reason | None:
    """Why somebody cannot be judged at all. Half a look says nothing about anybody."""
    here = scene.id_here(traveller)
    if not scene.is_complete:
        return Reason.SELECTION_INCOMPLETE
    if times > 1:
        return Reason.SCOPE_UNDECIDABLE
    return Reason.NOT_FOUND if here is None or here not in everyone else None


def _in_turn(scene: MigrationScene, people: Sequence[tuple[Person, Traveller]]) -> Iterator[tuple[Person, Traveller]]:
    travellers = {person.subject_id: one for person, one in people}
    candidates = [(person, one.organisation_id) for person, one in people]
    for person, _ in in_order(candidates, scene.waiting, scene.policy.seat_priority):
        yield person, travellers[person.subject_id]


# ── seats ────────────────────────────────────────────────────────────────────────────────────────────────


def allotted(scene: MigrationScene, judged: Iterable[Judged]) -> Iterator[Judged]:
    """With as many served as there are free seats; the others wait, always the same ones."""
    seats = _seats_to_give(scene)
    for one in judged:
        person, organisation, verdict = one
        is_asking = verdict.asks_for_seat(scene.wish.sku_id)
        yield (person, organisation, _WAITS) if is_asking and seats <= 0 else one
        seats -= is_asking


def _seats_to_give(scene: MigrationScene) -> int:
    seats = situation(scene.seats, scene.census, scene.reserved | scene.in_doubt, scene.entitlement)
    travelling = {scene.id_here(one) for one in scene.travellers}
    served = seats.holders | scene.reserved
    ours = frozenset(one for one in served if scene.own is None or one in scene.own or one in travelling)
    return seats.to_give(len(ours | scene.in_doubt))


# ── the plan ─────────────────────────────────────────────────────────────────────────────────────────────


def drawn(scene: MigrationScene, judged: Sequence[Judged], absent: Iterable[SubjectPlan], *sentences: str) -> Plan:
    """The plan, which never goes by itself: its first breach says what it would do, in words for the approver."""
    steps = tuple(_steps(scene, judged))
    losses = _losses(scene, judged)
    skus = {sku: scene.mappings.skus[sku] for sku in products(scene.wish) if sku in scene.mappings.skus}
    said = breaches(steps, losses, scene.usage, scene.limits)
    return Plan(
        plan_id=scene.plan_id,
        operation_id=scene.operation_id,
        tenant_id=scene.tenant_id,
        drawn_at=scene.now,
        observed_at=scene.observed_at,
        is_complete=scene.is_complete,
        subjects=(*(verdict.subject(person, of) for person, of, verdict in judged), *absent),
        steps=steps,
        grounds=scene.grounds,
        losses=losses,
        guard_breaches=(*(sentence for sentence in sentences if sentence), *said),
        sources=sources((person for person, _, _ in judged), skus, scene.groups),
        group=_images(scene, steps),
    )


def under_way(judged: Iterable[Judged]) -> int:
    """How many people the plan would write to."""
    return sum(verdict.state is SubjectState.PENDING for _, _, verdict in judged)


def counted(people: int) -> str:
    return "1 person" if people == 1 else f"{people:,} people"


def _steps(scene: MigrationScene, judged: Iterable[Judged]) -> Iterator[Step]:
    second_look = scene.census.observed_at + scene.limits.removal_gap
    position = 0
    for person, _, verdict in judged:
        for step in verdict.steps(person, position, second_look):
            yield step
            position += 1


def _losses(scene: MigrationScene, judged: Iterable[Judged]) -> Losses:
    losses = LossCount(scene.mappings, scene.wish.replaces, scene.policy)
    served = Counter(verdict for _, _, verdict in judged if verdict.state is SubjectState.PENDING)
    for verdict, people in served.items():
        losses.add(verdict.licences, *verdict.changes, not_carried=verdict.notes, people=people)
    return losses.total


def _images(scene: MigrationScene, steps: Iterable[Step]) -> tuple[GroupImage, ...]:
    """How our group looks while steps go through it: whoever finds it different stops."""
    target = scene.groups.target
    is_used = target is not None and any(step.change.group_id == target.group_id for step in steps)
    return images(target, None) if target and is_used else ()
