"""Which service plans stay off: at a first licence, and when one product takes the place of another (R28)."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from provisioning.domain.catalogue import PLATFORM, Audience, ServicePlan, Sku
from provisioning.domain.ids import ServicePlanId, SkuId
from provisioning.domain.observation import HeldLicence
from provisioning.domain.tenancy import Policy, SkuPolicy

PlanIds = frozenset[ServicePlanId]


class Carried(msgspec.Struct, frozen=True):
    """The plans that are off in the new licence, and the disabled ones that have no counterpart there."""

    disabled: PlanIds
    not_carried: tuple[str, ...] = ()


class KnownPlans(msgspec.Struct, frozen=True):
    """Every plan that some product of the catalogue names, with its service."""

    by_id: Mapping[ServicePlanId, ServicePlan]
    family_of: Mapping[ServicePlanId, str]

    @classmethod
    def named_in(cls, catalogue: Mapping[SkuId, Sku]) -> "KnownPlans":
        by_id = {plan.plan_id: plan for sku in catalogue.values() for plan in sku.plans if plan.family}
        return cls(by_id, {plan_id: plan.family for plan_id, plan in by_id.items()})

    def name(self, plan_id: ServicePlanId) -> str:
        return self.by_id[plan_id].name if plan_id in self.by_id else plan_id


def as_offered(sku: Sku, plan_ids: PlanIds, known: KnownPlans) -> Sku:
    """The product as this tenant has it: plans come and go before any list of ours says so."""
    if not plan_ids:
        return sku
    plans = (known.by_id.get(plan_id, ServicePlan(plan_id, plan_id, "")) for plan_id in sorted(plan_ids))
    return msgspec.structs.replace(sku, plans=tuple(plans))


def off_by_policy(sku: Sku, policy: Policy) -> PlanIds:
    """What the school switched off itself."""
    return policy.skus.get(sku.sku_id, SkuPolicy()).disabled_plans & sku.plan_ids


def undecided(sku: Sku, audience: Audience, policy: Policy) -> PlanIds:
    """For pupils whatever the school, having decided about plans, has not decided about yet."""
    decided = policy.skus.get(sku.sku_id, SkuPolicy()).known_plans
    return sku.plan_ids - decided if audience is Audience.STUDENT and decided else frozenset()


def off_by_advice(sku: Sku, audience: Audience, policy: Policy) -> PlanIds:
    advised = policy.advised.get(audience, frozenset())
    return frozenset(plan.plan_id for plan in sku.plans if plan.family in advised)


def carry_over(
    held: Collection[HeldLicence],
    leaving: Collection[HeldLicence],
    target: Sku,
    catalogue: Mapping[SkuId, Sku],
    known: KnownPlans,
) -> Carried:
    """What was off for the person and stays off in the target; what `leaving` had on stays on.

    A disabled plan stays off by its id. A service that was off altogether stays off by its family, whatever plans
    the target brings it with. `held` are all licences of the person, `leaving` those that the target replaces.
    """
    on = enabled_plans(leaving, catalogue)
    off = disabled_plans(held) - on
    dark = families(off, known.family_of) - families(on, known.family_of)
    carried = {plan.plan_id for plan in target.plans if plan.plan_id in off or plan.family in dark}
    for family in families(off - target.plan_ids, known.family_of) - dark:
        carried |= _newcomers(family, target, leaving, catalogue, carried)
    lost = disabled_plans(leaving) - on - target.plan_ids
    alone = {plan for plan in lost if known.family_of.get(plan) not in families(carried, known.family_of)}
    return Carried(frozenset(carried), tuple(sorted(map(known.name, alone))))


def _newcomers(
    family: str,
    target: Sku,
    leaving: Collection[HeldLicence],
    catalogue: Mapping[SkuId, Sku],
    carried: Collection[ServicePlanId],
) -> PlanIds:
    """Successors of a disabled part of a service; none when nothing else would keep the service on (L3)."""
    had = {
        plan_id for licence in leaving if licence.sku_id in catalogue for plan_id in catalogue[licence.sku_id].plan_ids
    }
    staying = {plan.plan_id for plan in target.plans if plan.family == family}.difference(carried)
    return frozenset(staying - had) if staying & had else frozenset()


def disabled_plans(licences: Iterable[HeldLicence]) -> PlanIds:
    return frozenset(plan for licence in licences for plan in licence.disabled_plans)


def enabled_plans(licences: Collection[HeldLicence], catalogue: Mapping[SkuId, Sku]) -> PlanIds:
    """The union over active licences of their plans that are not disabled; unknown SKUs add nothing."""
    return frozenset(
        plan.plan_id
        for licence in licences
        if licence.is_active and licence.sku_id in catalogue
        for plan in catalogue[licence.sku_id].plans
        if plan.plan_id not in licence.disabled_plans
    )


def families(plans: Iterable[ServicePlanId], family_of: Mapping[ServicePlanId, str]) -> frozenset[str]:
    """The services that these plans bring; a platform plan is none."""
    return frozenset(family_of[plan] for plan in plans if plan in family_of) - {PLATFORM}
