"""Everybody of a plan before and after it: the licences, the services, and who keeps what was switched off."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from provisioning.domain.catalogue import PLATFORM, Sku
from provisioning.domain.ids import OrganisationId, ServicePlanId, SkuId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import GROUP_STEPS, Change, Step
from provisioning.planning.carry import KnownPlans, disabled_plans, enabled_plans, families
from provisioning.planning.losses import after_changes
from provisioning.planning.plan import SubjectPlan

Licences = tuple[HeldLicence, ...]
# who was not to be served when the plan was drawn: whatever their rows say of plans, nothing of it happens
_NOT_SERVED = frozenset({SubjectState.WAITING, SubjectState.REFUSED, SubjectState.ALREADY_RIGHT})


class Lot(msgspec.Struct, frozen=True):
    """People of one organisation with the same licences before and the same after."""

    organisation_id: OrganisationId | None
    before: Licences
    after: Licences
    not_carried: tuple[str, ...]
    people: int


class ProductCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many people hold a product before and after: `before` − `losing` + `gaining` = `after`."""

    sku_id: SkuId
    name: str
    before: int
    losing: int
    gaining: int
    after: int


class ServiceChange(msgspec.Struct, frozen=True, kw_only=True):
    """What people get and lose, counted in people. Services by family, plans by Microsoft's names.

    `kept_off`: people for whom everything stays off that was off. `not_carried`: disabled plans without a counterpart.
    `switched_on`: plans that were off for a person and come on. The same two by service, for who knows no plans.
    """

    lost: dict[str, int] = {}
    gained: dict[str, int] = {}
    plans_lost: dict[str, int] = {}
    plans_gained: dict[str, int] = {}
    kept_off: int = 0
    not_carried: dict[str, int] = {}
    switched_on: dict[str, int] = {}
    services_not_carried: dict[str, int] = {}
    services_switched_on: dict[str, int] = {}


def lots_of(people: Iterable[SubjectPlan], steps: Sequence[Step]) -> list[Lot]:
    """The people in lots, by their changes; of groups only what their one write does to their members."""
    own = _own_changes(steps)
    through = [step.change for step in steps if step.kind in GROUP_STEPS]
    lots: Counter[tuple[OrganisationId | None, Licences, tuple[Change, ...], tuple[str, ...]]] = Counter()
    for person in people:
        if not person.is_group:
            changes = _changes_of(person, own.get(person.subject_id, ()), through)
            lots[person.organisation_id, person.before.licences, changes, person.notes if changes else ()] += 1
    return [
        Lot(organisation, before, tuple(after_changes(before, changes)), notes, number)
        for (organisation, before, changes, notes), number in lots.items()
    ]


def _own_changes(steps: Iterable[Step]) -> Mapping[SubjectId, tuple[Change, ...]]:
    own: dict[SubjectId, list[Change]] = defaultdict(list)
    for step in sorted(steps, key=lambda one: one.position):
        if step.kind not in GROUP_STEPS:
            own[step.subject_id].append(step.change)
    return {subject: tuple(changes) for subject, changes in own.items()}


def _changes_of(person: SubjectPlan, own: tuple[Change, ...], through: Sequence[Change]) -> tuple[Change, ...]:
    """What the group's one write does to a member, then what the person's own steps do."""
    if person.state in _NOT_SERVED and not own:
        return ()
    holds_by = {licence.group_id for licence in person.before.licences}
    of_group = (change for change in through if change.group_id in holds_by or not own)
    return (*of_group, *own)


def count_products(lots: Iterable[Lot], skus: Iterable[SkuId], names: Mapping[SkuId, str]) -> tuple[ProductCount, ...]:
    """In the order of the products; one that nobody has before or after is left out."""
    every = list(lots)
    counts = (_count(every, sku, names.get(sku, sku)) for sku in dict.fromkeys(skus))
    return tuple(one for one in counts if one.before or one.after)


def _count(lots: Iterable[Lot], sku: SkuId, name: str) -> ProductCount:
    before = losing = gaining = after = 0
    for lot in lots:
        had, has = _holds(lot.before, sku), _holds(lot.after, sku)
        before += lot.people * had
        losing += lot.people * (had and not has)
        gaining += lot.people * (has and not had)
        after += lot.people * has
    return ProductCount(sku_id=sku, name=name, before=before, losing=losing, gaining=gaining, after=after)


def _holds(licences: Iterable[HeldLicence], sku: SkuId) -> bool:
    return any(licence.sku_id == sku and licence.is_active for licence in licences)


def changed_products(lots: Iterable[Lot]) -> frozenset[SkuId]:
    """Products that somebody has before and not after, or the other way round."""
    return frozenset().union(*(_skus(lot.before) ^ _skus(lot.after) for lot in lots))


def _skus(licences: Iterable[HeldLicence]) -> frozenset[SkuId]:
    return frozenset(licence.sku_id for licence in licences if licence.is_active)


class _Tally:
    """Counts of people by name."""

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()
        self.gained: Counter[str] = Counter()
        self.plans_lost: Counter[str] = Counter()
        self.plans_gained: Counter[str] = Counter()
        self.not_carried: Counter[str] = Counter()
        self.switched_on: Counter[str] = Counter()
        self.services_not_carried: Counter[str] = Counter()
        self.services_switched_on: Counter[str] = Counter()
        self.kept_off = 0

    def frozen(self) -> ServiceChange:
        counts = {name: dict(sorted(some.items())) for name, some in vars(self).items() if isinstance(some, Counter)}
        return ServiceChange(**counts, kept_off=self.kept_off)


def count_services(lots: Iterable[Lot], catalogue: Mapping[SkuId, Sku], known: KnownPlans) -> ServiceChange:
    """What everybody together gains and loses."""
    tally = _Tally()
    for lot in lots:
        if lot.before != lot.after:
            _add(tally, lot, catalogue, known)
    return tally.frozen()


def _add(tally: _Tally, lot: Lot, catalogue: Mapping[SkuId, Sku], known: KnownPlans) -> None:
    before, after = enabled_plans(lot.before, catalogue), enabled_plans(lot.after, catalogue)
    had, has = families(before, known.family_of), families(after, known.family_of)
    was_off = disabled_plans(lot.before) - before
    _plus(tally.lost, had - has, lot.people)
    _plus(tally.gained, has - had, lot.people)
    _plus(tally.plans_lost, _named(before - after, known), lot.people)
    _plus(tally.plans_gained, _named(after - before, known), lot.people)
    _plus(tally.not_carried, lot.not_carried, lot.people)
    _plus(tally.switched_on, _named(after & was_off, known), lot.people)
    _plus(tally.services_not_carried, services_of(lot.not_carried, known), lot.people)
    _plus(tally.services_switched_on, services_of(_named(after & was_off, known), known), lot.people)
    tally.kept_off += lot.people * bool(was_off and not lot.not_carried and not after & was_off)


def _plus(counts: Counter[str], names: Iterable[str], people: int) -> None:
    counts.update(dict.fromkeys(names, people))


def _named(plans: Collection[ServicePlanId], known: KnownPlans) -> frozenset[str]:
    return frozenset(map(known.name, plans))


def services_of(names: Collection[str], known: KnownPlans) -> frozenset[str]:
    """The services that plans of these names belong to; what is no service, or is not known, is `platform`."""
    families_of = {plan.name: plan.family for plan in known.by_id.values() if plan.name in names}
    return frozenset(families_of.get(name, PLATFORM) for name in names)
