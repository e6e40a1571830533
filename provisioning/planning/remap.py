"""What a remap does with one person: whoever has the old product gets the new one in its place, and nobody else does.

One call gives the new product and takes the old one. Add-ons that rest on the old product go along in that call, or
stay where the new one carries them too; whom neither helps keeps everything as it is, and is told which add-on it was.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date

from provisioning.domain.catalogue import Mappings, PlanRelation, PlanRule, Sku
from provisioning.domain.ids import OrganisationId, ServicePlanId, SkuId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Addition, Change, Wish
from provisioning.domain.reasons import Reason
from provisioning.planning.carry import PlanIds, carry_over, enabled_plans, families, off_by_policy, undecided
from provisioning.planning.group_judging import GroupJudge
from provisioning.planning.groups import GroupScene
from provisioning.planning.judging import Judge, products
from provisioning.planning.losses import after_change
from provisioning.planning.remapping import add_ons_beside, remap_for, remaps_on
from provisioning.planning.verdict import Verdict


class RemapJudge(Judge):
    """Licences given to people directly."""

    def _already_right(self, person: Person) -> Verdict | None:
        """Who has both products still has one too many."""
        return self._has_larger(person) if self._old(person) else super()._already_right(person)

    def _given_directly(self, person: Person) -> Verdict:
        """Who has lost the old product since an earlier plan is left to whoever took it."""
        if not self._old(person):
            return Verdict(SubjectState.CHANGED_MEANWHILE, Reason.CHANGED_MEANWHILE)
        return super()._given_directly(person)

    def _old(self, person: Person) -> list[HeldLicence]:
        return [x for x in person.licences if x.sku_id in self._wish.replaces and x.is_active]

    def _leaving(self, person: Person) -> list[HeldLicence]:
        """The old product, and the add-ons that become others in the same call. What a group brings stays."""
        old = self._old(person)
        return (
            [*old, *(x for x in person.licences if x.is_direct and x.is_active and self._becomes(x.sku_id))]
            if old
            else []
        )

    def _becomes(self, addon: SkuId) -> SkuId | None:
        """What an add-on becomes; None: it stays, or is none of this remap's."""
        along = self._wish.remap.along if self._wish.remap else {}
        return None if along.get(addon, addon) == addon else along[addon]

    def _change(self, person: Person, leaving: Sequence[HeldLicence]) -> tuple[Change, tuple[str, ...]]:
        counterparts = sorted({new for x in leaving if (new := self._becomes(x.sku_id))})
        gone = tuple(sorted({x.sku_id for x in leaving}))
        first, *others = [
            self._given(person, leaving, self._mappings.skus[sku]) for sku in (self.target.sku_id, *counterparts)
        ]
        change = Change(
            add_sku=first[0].sku_id,
            disabled_plans=first[0].disabled_plans,
            remove_skus=gone,
            also_add=tuple(added for added, _ in others),
        )
        nowhere = frozenset.intersection(*(not_carried for _, not_carried in (first, *others)))
        return change, tuple(sorted(nowhere))

    def _given(self, person: Person, leaving: Sequence[HeldLicence], sku: Sku) -> tuple[Addition, frozenset[str]]:
        """The new licence, and the names of disabled plans that it has no counterpart of."""
        carried = carry_over(person.licences, leaving, sku, self._mappings.skus, self._plans)
        has_already = person.direct(sku.sku_id)
        if has_already:  # it stays as it is, but for what the old one had on
            off = has_already.disabled_plans - enabled_plans(leaving, self._mappings.skus)
        else:
            off = carried.disabled | self._off_in(sku, leaving)
        return Addition(sku.sku_id, off), frozenset(carried.not_carried)

    def _off_in(self, sku: Sku, leaving: Sequence[HeldLicence]) -> PlanIds:
        """By the school's policy; what it has not decided about takes no service that the person had."""
        had = families(enabled_plans(leaving, self._mappings.skus), self._plans.family_of)
        open_plans = undecided(sku, self._wish.audience, self._policy)
        return off_by_policy(sku, self._policy) | {x for x in open_plans if self._plans.family_of.get(x) not in had}

    def _refused(self, person: Person, obstacle: tuple[Reason, str], change: Change) -> Verdict:
        """Whom an add-on holds back is told which one, and from where they have it."""
        reason, told = obstacle
        return Verdict.refused(reason, *(self._addons_in_the_way(person, change) or (told,)))

    def _addons_in_the_way(self, person: Person, change: Change) -> tuple[str, ...]:
        after = after_change(person.licences, change)
        stranded = self._compatibility.stranded(person.licences, after)
        kept = [x for x in after if x in person.licences and x.sku_id in self._mappings.skus]
        skus = self._mappings.skus
        named = (
            f"add-on {skus[x.sku_id].part_number}, held {self._groups.told_of(x)}"
            for x in kept
            if stranded & skus[x.sku_id].plan_ids
        )
        return tuple(sorted(named))


class GroupRemapJudge(RemapJudge, GroupJudge):
    """Licences given through a group: who has the old product by it changes with it, others by a call of their own."""

    def _wanted(self, person: Person) -> Verdict:
        """Outside the group, and yet with the old product: swapped as they are, and not put into the group by this."""
        return super()._wanted(person) if self._is_member(person) else self._given_directly(person)


def is_spoken_of(person: Person, wish: Wish, groups: GroupScene) -> bool:
    """Whether a plan for this wish says anything of them: of a remap, whoever has either product.

    What a group of ours tries to bring them counts, and so do people whom an earlier plan of the operation reached.
    """
    if wish.remap is None or person.subject_id in groups.awaited:
        return True
    through = groups.target.group_id if groups.target else None
    concerned = products(wish)
    return any(
        x.sku_id in concerned and (x.is_active or (through is not None and x.group_id == through))
        for x in person.licences
    )


def told_of_remap(wish: Wish, people: int, mappings: Mappings) -> tuple[str, ...]:
    """The sentence by which every remap is asked for, whatever its size."""
    if wish.remap is None or not people:
        return ()
    old, new = (mappings.skus[sku].part_number for sku in (wish.remap.from_sku, wish.sku_id))
    return (f"every remap is approved: {old} becomes {new} for {people} people",)


# ── add-ons, by the tables ───────────────────────────────────────────────────────────────────────────────


def counterparts(
    mappings: Mappings, old: SkuId, new: SkuId, day: date, whose: Sequence[OrganisationId]
) -> dict[SkuId, SkuId]:
    """What the remap tables make of add-ons that day, for whoever holds the right (and their board).

    Rows beside the old product say it of any add-on; a row of its own only where the add-on rests on the old product
    and not on the new one.
    """
    rules = [rule for rule in mappings.plan_rules if rule.relation is PlanRelation.REQUIRES_ANY]
    before, after = (mappings.skus[sku].plan_ids for sku in (old, new))
    found = {}
    for addon in sorted({row.from_sku for row in remaps_on(mappings, day)} & mappings.skus.keys() - {old, new}):
        if _loses_ground(mappings.skus[addon], before, after, rules) and (
            own := remap_for(mappings, addon, whose, day)
        ):
            found[addon] = own.to_sku
    return found | add_ons_beside(mappings, old, whose, day)


def _loses_ground(addon: Sku, before: PlanIds, after: PlanIds, rules: Collection[PlanRule]) -> bool:
    """Whether the add-on works beside the old product and would no more beside the new one."""
    unmet = frozenset(_unmet(addon.plan_ids | before, addon.plan_ids, rules))
    return any(plan not in unmet for plan in _unmet(addon.plan_ids | after, addon.plan_ids, rules))


def _unmet(plans: PlanIds, of: PlanIds, rules: Collection[PlanRule]) -> Iterator[ServicePlanId]:
    return (rule.plan for rule in rules if rule.plan in of and rule.others.isdisjoint(plans))
