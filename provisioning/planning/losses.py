"""What people would lose by a plan, counted person by person."""

from collections import Counter
from collections.abc import Collection, Iterable

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import ServicePlanId, SkuId
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import Change
from provisioning.domain.tenancy import Policy, SkuPolicy
from provisioning.planning.carry import KnownPlans, disabled_plans, enabled_plans, families
from provisioning.planning.plan import Losses


class LossCount:
    """Adds up losses; equal situations are worked out once."""

    def __init__(self, mappings: Mappings, replaces: Collection[SkuId], policy: Policy) -> None:
        self._catalogue = mappings.skus
        self._replaces = frozenset(replaces)
        self._policy = policy
        self._plans = KnownPlans.named_in(mappings.skus)
        self._seen: Counter[tuple[tuple[HeldLicence, ...], tuple[Change, ...]]] = Counter()
        self._not_carried: Counter[str] = Counter()

    def add(
        self, licences: tuple[HeldLicence, ...], *changes: Change, not_carried: Collection[str] = (), people: int = 1
    ) -> None:
        """`changes` follow one another; what counts is how the person is left in the end."""
        self._seen[licences, changes] += people
        self._not_carried.update(dict.fromkeys(not_carried, people))

    @property
    def total(self) -> Losses:
        removals = unreplaced = 0
        lost: Counter[str] = Counter()
        switched_on: Counter[str] = Counter()
        for (licences, changes), people in self._seen.items():
            after = after_changes(licences, changes)
            gone = _gone(changes, after)
            removals += 0 if any(change.add_sku for change in changes) else people * len(gone)
            unreplaced += people * bool(gone - self._replaces)
            for family in self._services(licences) - self._services(after):
                lost[family] += people
            for plan in self._switched_on(licences, after, changes):
                switched_on[self._plans.name(plan)] += people
        return Losses(
            removals_without_replacement=removals,
            families=dict(sorted(lost.items())),
            switched_on=dict(sorted(switched_on.items())),
            not_carried=dict(sorted(self._not_carried.items())),
            unreplaced_swaps=unreplaced,
        )

    def _services(self, licences: Collection[HeldLicence]) -> frozenset[str]:
        return families(enabled_plans(licences, self._catalogue), self._plans.family_of)

    def _switched_on(
        self, licences: Collection[HeldLicence], after: Collection[HeldLicence], changes: Collection[Change]
    ) -> frozenset[ServicePlanId]:
        """Plans on afterwards, off before by the person's own licences or by the school's policy.

        A service that was off altogether must not come on through another plan either.
        """
        new = enabled_plans(after, self._catalogue) - enabled_plans(licences, self._catalogue)
        off_for_person = disabled_plans(licences)
        dark = families(off_for_person, self._plans.family_of) - self._services(licences)
        wishes = (self._policy.skus.get(one.sku_id, SkuPolicy()) for change in changes for one in change.added)
        off = off_for_person.union(*(wish.disabled_plans for wish in wishes))
        return frozenset(plan for plan in new if plan in off or self._plans.family_of.get(plan) in dark)


def kinds_of(losses: Losses) -> frozenset[str]:
    """What kinds of loss there are, without their numbers; `family:exchange` for each service, plan by plan."""
    named = {"family": losses.families, "switched_on": losses.switched_on, "not_carried": losses.not_carried}
    counted = {"removals": losses.removals_without_replacement, "unreplaced_swaps": losses.unreplaced_swaps}
    by_name = {f"{kind}:{name}" for kind, people in named.items() for name in people}
    return frozenset(by_name | {kind for kind, people in counted.items() if people})


def after_changes(licences: Collection[HeldLicence], changes: Iterable[Change]) -> list[HeldLicence]:
    """The licences once all changes are done."""
    held = list(licences)
    for change in changes:
        held = after_change(held, change)
    return held


def after_change(licences: Collection[HeldLicence], change: Change) -> list[HeldLicence]:
    """The licences once the change is done: removed ones gone, added ones in place of their older selves.

    Only those of the same source: what a group brings stays when the direct one goes, and the other way round.
    """
    added = change.added
    gone = {*change.remove_skus, *(one.sku_id for one in added)}
    staying = [x for x in licences if not (x.group_id == change.group_id and x.sku_id in gone)]
    return [*staying, *(HeldLicence(one.sku_id, one.disabled_plans, change.group_id) for one in added)]


def _gone(changes: Iterable[Change], after: Collection[HeldLicence]) -> frozenset[SkuId]:
    """What is taken and not held in another way."""
    taken = frozenset(sku for change in changes for sku in change.remove_skus)
    return taken - {licence.sku_id for licence in after if licence.is_active}
