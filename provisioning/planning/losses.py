"""What people would lose by a plan, counted person by person."""

from collections import Counter
from collections.abc import Collection

from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import ServicePlanId, SkuId
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import Change
from provisioning.domain.tenancy import Policy
from provisioning.planning.carry import KnownPlans, disabled_plans, enabled_plans, families
from provisioning.planning.plan import Losses


class LossCount:
    """Adds up losses; equal situations are worked out once."""

    def __init__(self, mappings: Mappings, replaces: Collection[SkuId], policy: Policy) -> None:
        self._catalogue = mappings.skus
        self._replaces = frozenset(replaces)
        self._policy = policy
        self._plans = KnownPlans.named_in(mappings.skus)
        self._seen: Counter[tuple[tuple[HeldLicence, ...], Change]] = Counter()
        self._not_carried: Counter[str] = Counter()

    def add(
        self, licences: tuple[HeldLicence, ...], change: Change, not_carried: Collection[str] = (), people: int = 1
    ) -> None:
        self._seen[licences, change] += people
        self._not_carried.update(dict.fromkeys(not_carried, people))

    @property
    def total(self) -> Losses:
        removals = unreplaced = 0
        lost: Counter[str] = Counter()
        switched_on: Counter[str] = Counter()
        for (licences, change), people in self._seen.items():
            removals += people * len(change.remove_skus) if change.add_sku is None else 0
            unreplaced += people * bool(set(change.remove_skus) - self._replaces)
            for family in self._families_lost(licences, change):
                lost[family] += people
            for plan in self._switched_on(licences, change):
                switched_on[self._plans.name(plan)] += people
        return Losses(
            removals_without_replacement=removals,
            families=dict(sorted(lost.items())),
            switched_on=dict(sorted(switched_on.items())),
            not_carried=dict(sorted(self._not_carried.items())),
            unreplaced_swaps=unreplaced,
        )

    def _families_lost(self, licences: tuple[HeldLicence, ...], change: Change) -> frozenset[str]:
        return self._services(licences) - self._services(after_change(licences, change))

    def _services(self, licences: Collection[HeldLicence]) -> frozenset[str]:
        return families(enabled_plans(licences, self._catalogue), self._plans.family_of)

    def _switched_on(self, licences: tuple[HeldLicence, ...], change: Change) -> frozenset[ServicePlanId]:
        """Plans on afterwards, off before by the person's own licences or by the school's policy.

        A service that was off altogether must not come on through another plan either.
        """
        new = enabled_plans(after_change(licences, change), self._catalogue) - enabled_plans(licences, self._catalogue)
        off_for_person = disabled_plans(licences)
        dark = families(off_for_person, self._plans.family_of) - self._services(licences)
        wishes = self._policy.skus.get(change.add_sku) if change.add_sku else None
        off = off_for_person | wishes.disabled_plans if wishes else off_for_person
        return frozenset(plan for plan in new if plan in off or self._plans.family_of.get(plan) in dark)


def after_change(licences: Collection[HeldLicence], change: Change) -> list[HeldLicence]:
    """The licences once the change is done: removed ones gone, the added one in place of an older self."""
    gone = {*change.remove_skus, change.add_sku}
    staying = [x for x in licences if not (x.is_direct and x.sku_id in gone)]
    return [*staying, HeldLicence(change.add_sku, change.disabled_plans)] if change.add_sku else staying
