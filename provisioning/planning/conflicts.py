"""What Graph would refuse because service plans exclude or need each other, known before it is sent."""

from collections.abc import Collection

from provisioning.domain.catalogue import Mappings, PlanRelation, Sku
from provisioning.domain.ids import ServicePlanId, SkuId
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change
from provisioning.domain.reasons import Reason
from provisioning.planning.carry import enabled_plans


class Compatibility:
    """Answers from the mapped rules; a rule that is not mapped is left to Graph."""

    def __init__(self, mappings: Mappings) -> None:
        self._catalogue = mappings.skus
        self._excludes: dict[ServicePlanId, frozenset[ServicePlanId]] = {}
        self._requires: list[tuple[ServicePlanId, frozenset[ServicePlanId]]] = []
        for rule in mappings.plan_rules:
            if rule.relation is PlanRelation.REQUIRES_ANY:
                self._requires.append((rule.plan, rule.others))
            else:
                self._exclude(rule.plan, rule.others)
        self._families = {
            sku.sku_id: frozenset(p.family for p in sku.plans if p.family) for sku in mappings.skus.values()
        }

    def _exclude(self, plan: ServicePlanId, others: Collection[ServicePlanId]) -> None:
        self._excludes[plan] = self._excludes.get(plan, frozenset()) | frozenset(others)
        for other in others:
            self._excludes[other] = self._excludes.get(other, frozenset()) | {plan}

    def larger_product(self, person: Person, target: Sku, replaced: Collection[SkuId]) -> str | None:
        """The part number of a held product of the same audience that brings every service of the target.

        Nothing is larger than a product whose services nobody knows.
        """
        wanted = self._families[target.sku_id]
        for licence in person.licences:
            held = self._catalogue.get(licence.sku_id)
            if held is None or licence.sku_id in replaced or not licence.is_active or held.audience != target.audience:
                continue
            if wanted and self._families[held.sku_id] >= wanted:
                return held.part_number
        return None

    def obstacle(self, licences: Collection[HeldLicence], change: Change) -> tuple[Reason, str] | None:
        """The conflict or dependency that the change would run into, with the plan ids, or None."""
        before = enabled_plans(licences, self._catalogue)
        staying = [x for x in licences if not (x.group_id == change.group_id and x.sku_id in change.remove_skus)]
        kept = enabled_plans(staying, self._catalogue)
        added = enabled_plans(_added(change), self._catalogue)
        for plan in sorted(added):
            clash = self._excludes.get(plan, frozenset()) & kept
            if clash:
                return Reason.MUTUALLY_EXCLUSIVE, f"{plan} and {min(clash)}"
        return self._missing_prerequisite(before, kept | added)

    def stranded(self, licences: Collection[HeldLicence], staying: Collection[HeldLicence]) -> frozenset[ServicePlanId]:
        """Plans that stay on and lose the last of what they need when only `staying` is left of `licences`."""
        before, after = enabled_plans(licences, self._catalogue), enabled_plans(staying, self._catalogue)
        return frozenset(
            plan for plan, others in self._requires if plan in after and others & before and not others & after
        )

    def _missing_prerequisite(
        self, before: frozenset[ServicePlanId], after: frozenset[ServicePlanId]
    ) -> tuple[Reason, str] | None:
        """Only what this change breaks or brings: a person who lacked it before keeps lacking it in peace."""
        for plan, others in self._requires:
            was_fine = plan not in before or bool(others & before)
            if plan in after and was_fine and not others & after:
                return Reason.DEPENDENCY, f"{plan} needs one of {', '.join(sorted(others))}"
        return None


def _added(change: Change) -> list[HeldLicence]:
    return [HeldLicence(one.sku_id, one.disabled_plans) for one in change.added]
