"""Which service plans stay off: at a first licence, and when one product takes the place of another (R28)."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from provisioning.domain.catalogue import PLATFORM, Audience, ServicePlan, Sku
from provisioning.domain.ids import ServicePlanId, SkuId
from provisioning.domain.observation import HeldLicence
from provisioning.domain.tenancy import Policy, SkuPolicy


class Carried(msgspec.Struct, frozen=True):
    """The plans that are off in the new licence, and the disabled ones that have no counterpart there."""

    disabled: frozenset[ServicePlanId]
    not_carried: tuple[str, ...] = ()


def disabled_at_first(
    sku: Sku, audience: Audience, policy: Policy, tenant_plans: frozenset[ServicePlanId]
) -> frozenset[ServicePlanId]:
    """What the school switched off, what it was advised to, and for pupils whatever nobody decided about yet."""
    wishes = policy.skus.get(sku.sku_id, SkuPolicy())
    advised = policy.advised.get(audience, frozenset())
    off = set(wishes.disabled_plans)
    off.update(plan.plan_id for plan in sku.plans if plan.family in advised)
    if audience is Audience.STUDENT and wishes.known_plans:
        off.update(tenant_plans - wishes.known_plans)
    return frozenset(off & (tenant_plans or sku.plan_ids))


def carry_over(
    leaving: Sequence[HeldLicence],
    target: Sku,
    catalogue: Mapping[SkuId, Sku],
    tenant_plans: frozenset[ServicePlanId],
    at_least: frozenset[ServicePlanId],
) -> Carried:
    """Disabled plans of the leaving licences, carried by plan id, else by family; `at_least` is off anyway.

    By family: the plans of the target that the leaving product did not have are the successors of the disabled
    one. If there is none, nothing can come back, and the plan is listed as not carried.
    """
    offered = tenant_plans or target.plan_ids
    disabled, lost = set(at_least), []
    for licence in leaving:
        source = catalogue.get(licence.sku_id)
        for plan_id in sorted(licence.disabled_plans):
            successors = _successors(plan_id, source, target) & offered
            disabled.update(successors)
            if not successors:
                lost.append(_name(plan_id, source))
    return Carried(frozenset(disabled), tuple(lost))


def _successors(plan_id: ServicePlanId, source: Sku | None, target: Sku) -> frozenset[ServicePlanId]:
    if plan_id in target.plan_ids or source is None:
        return frozenset({plan_id})
    family = next((plan.family for plan in source.plans if plan.plan_id == plan_id), None)
    return frozenset(
        plan.plan_id for plan in target.plans if plan.family == family and plan.plan_id not in source.plan_ids
    )


def _name(plan_id: ServicePlanId, source: Sku | None) -> str:
    plans: Sequence[ServicePlan] = source.plans if source else ()
    return next((plan.name for plan in plans if plan.plan_id == plan_id), plan_id)


def enabled_plans(licences: Collection[HeldLicence], catalogue: Mapping[SkuId, Sku]) -> frozenset[ServicePlanId]:
    """The union over active licences of their plans that are not disabled; unknown SKUs add nothing."""
    return frozenset(
        plan.plan_id
        for licence in licences
        if licence.is_active and licence.sku_id in catalogue
        for plan in catalogue[licence.sku_id].plans
        if plan.plan_id not in licence.disabled_plans
    )


def families(plans: frozenset[ServicePlanId], family_of: Mapping[ServicePlanId, str]) -> frozenset[str]:
    """The services that these plans bring; a platform plan is none."""
    return frozenset(family_of[plan] for plan in plans if plan in family_of) - {PLATFORM}
