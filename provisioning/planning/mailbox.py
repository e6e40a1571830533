"""Which plans of a product wait for the mailbox, and how a person's product will look once it has moved."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from provisioning.domain.catalogue import PlanRelation, PlanRule, ServicePlan, Sku
from provisioning.domain.ids import ServicePlanId, SkuId
from provisioning.domain.migration import EXCHANGE
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import Change
from provisioning.planning.carry import (
    Carried,
    KnownPlans,
    PlanIds,
    carry_over,
    disabled_plans,
    enabled_plans,
    families,
)
from provisioning.planning.losses import after_changes


def exchange_plans(product: Sku) -> PlanIds:
    """What makes a mailbox. The foundation that every suite brings does not, and is of another family."""
    return frozenset(plan.plan_id for plan in product.plans if plan.family == EXCHANGE)


def undescribed(product: Sku) -> PlanIds:
    """Plans that no list of ours knows: Microsoft adds them before anybody has said what they are."""
    return frozenset(plan.plan_id for plan in product.plans if not plan.family)


def has_mailbox(licences: Collection[HeldLicence], catalogue: Mapping[SkuId, Sku]) -> bool:
    """Whether these licences bring Exchange. They say nothing about what is in the mailbox."""
    on = enabled_plans(licences, catalogue)
    held = (catalogue[one.sku_id] for one in licences if one.sku_id in catalogue)
    return any(exchange_plans(product) & on for product in held)


def withheld(
    product: Sku, off: PlanIds, elsewhere: PlanIds, rules: Collection[PlanRule], *, with_undescribed: bool = True
) -> PlanIds:
    """The plans that are off until the mailbox has moved, and what cannot be on without them.

    They are those of Exchange and, while a mailbox is to come, those of which nobody knows that they make none. Graph
    refuses a licence with a plan on whose every prerequisite is off (DependencyViolation): A5's threat intelligence
    needs Exchange. `off` stays off for good, `elsewhere` is on through other licences.
    """
    doubtful = undescribed(product) if with_undescribed else frozenset()
    back = (exchange_plans(product) | doubtful) - off
    while more := _stranded(product.plan_ids - off - back, elsewhere, back, rules):
        back |= more
    return back


def _stranded(on: PlanIds, elsewhere: PlanIds, back: PlanIds, rules: Collection[PlanRule]) -> PlanIds:
    """Plans that are on and need one of those held back, and nothing else will do."""
    return frozenset(
        rule.plan
        for rule in rules
        if rule.relation is PlanRelation.REQUIRES_ANY
        and rule.plan in on
        and rule.others & back
        and not rule.others & (on | elsewhere)
    )


class Origin(msgspec.Struct, frozen=True):
    """What a person of the source holds there, and which product they leave; None: gone from the source."""

    licences: tuple[HeldLicence, ...] = ()
    source_sku: SkuId | None = None

    @property
    def leaving(self) -> tuple[HeldLicence, ...]:
        return tuple(one for one in self.licences if one.sku_id == self.source_sku and one.is_active)


def unserved_in_source(
    licences: Collection[HeldLicence],
    changes: Iterable[Change],
    origin: Origin,
    catalogue: Mapping[SkuId, Sku],
    known: KnownPlans,
) -> frozenset[str]:
    """Services that would go in the target and are not on in the source (L3); what it never contained it need not."""

    def services(held: Collection[HeldLicence]) -> frozenset[str]:
        return families(enabled_plans(held, catalogue), known.family_of)

    lost = services(licences) - services(after_changes(licences, changes))
    if not origin.leaving:
        return lost
    whole = [HeldLicence(one.sku_id) for one in origin.leaving]
    return (lost & services(whole)) - services(origin.licences)


def carried_across(
    origin: Origin,
    product: Sku,
    catalogue: Mapping[SkuId, Sku],
    known: KnownPlans,
    plan_mapping: Mapping[str, str],
) -> Carried:
    """What is off in the source and stays off in the target (R28); the migration's own pairs of plans come on top."""
    carried = carry_over(origin.licences, origin.leaving, product, catalogue, known)
    on = enabled_plans(origin.leaving, catalogue)
    off = disabled_plans(origin.leaving) - on
    skus = [catalogue[one.sku_id] for one in origin.leaving if one.sku_id in catalogue]
    plans = [plan for sku in skus for plan in sku.plans]
    stays_on, stays_off, renamed = set[ServicePlanId](), set[ServicePlanId](), set[str]()
    for old, new in plan_mapping.items():
        here, there = _called(old, plans), _called(new, product.plans)
        stays_on |= there if here & on else frozenset()
        stays_off |= there if here & off else frozenset()
        renamed |= {known.name(plan) for plan in here} if there else set()
    disabled = frozenset(plan for plan in carried.disabled | stays_off if plan not in stays_on)
    return Carried(disabled, tuple(name for name in carried.not_carried if name not in renamed))


def _called(word: str, plans: Iterable[ServicePlan]) -> PlanIds:
    """Plans of this name or id; case means nothing."""
    folded = word.strip().casefold()
    return frozenset(plan.plan_id for plan in plans if folded in {plan.plan_id.casefold(), plan.name.casefold()})
