"""What one person needs when licences are given to people directly."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from provisioning.domain.catalogue import Mappings, Sku
from provisioning.domain.ids import SkuId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepKind, Wish
from provisioning.domain.permissions import missing_for
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import Policy
from provisioning.planning.carry import (
    KnownPlans,
    PlanIds,
    carry_over,
    enabled_plans,
    families,
    off_by_advice,
    off_by_policy,
    undecided,
)
from provisioning.planning.conflicts import Compatibility
from provisioning.planning.groups import GroupScene
from provisioning.planning.losses import after_changes
from provisioning.planning.verdict import Act, Verdict, first_location, licence_act, out_of_group


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What people should have, and how it may be given to them.

    `may_move`: whether people who have the product already, but not as the policy wants it, are brought there.
    """

    wish: Wish
    policy: Policy
    mappings: Mappings
    permissions: frozenset[str]
    groups: GroupScene
    may_move: bool


class Judge:
    """Decides what one person needs. Equal situations are judged once: a school has few of them."""

    def __init__(self, aim: Aim) -> None:
        self._wish, self._policy, self._mappings = aim.wish, aim.policy, aim.mappings
        self._permissions, self._groups, self._may_move = aim.permissions, aim.groups, aim.may_move
        self._compatibility = Compatibility(self._mappings)
        self._plans = KnownPlans.named_in(self._mappings.skus)
        self._off = off_by_policy(self.target, self._policy)
        self._undecided = undecided(self.target, self._wish.audience, self._policy)
        self._advised = off_by_advice(self.target, self._wish.audience, self._policy)
        self._known: dict[tuple[object, ...], Verdict] = {}

    @property
    def target(self) -> Sku:
        return self._mappings.skus[self._wish.sku_id]

    def verdict(self, person: Person) -> Verdict:
        key = self._situation(person)
        if key not in self._known:
            self._known[key] = self._judge(person)
        return self._known[key]

    def _situation(self, person: Person) -> tuple[object, ...]:
        """Everything about the person that a verdict may depend on."""
        return person.licences, person.usage_location is None

    def _judge(self, person: Person) -> Verdict:
        return self._already_right(person) or self._wanted(person)

    # ── who has it already ───────────────────────────────────────────────────────────────────────────────

    def _already_right(self, person: Person) -> Verdict | None:
        target = self.target
        if person.direct(target.sku_id):
            return Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD)
        if person.holds(target.sku_id):
            return self._moved_out(person) or Verdict(SubjectState.ALREADY_RIGHT, Reason.HELD_VIA_GROUP)
        return self._has_larger(person)

    def _has_larger(self, person: Person) -> Verdict | None:
        larger = self._compatibility.larger_product(person, self.target, products(self._wish))
        return Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD, notes=(larger,)) if larger else None

    def _moved_out(self, person: Person) -> Verdict | None:
        """From a group of ours to a licence of their own."""
        inherited = [x for x in person.licences if x.sku_id == self._wish.sku_id and x.is_active]
        can_move = self._may_move and all(self._groups.may_leave(x.group_id) for x in inherited)
        if not can_move or not inherited:
            return None
        acts = (act for licence in inherited for act in out_of_group(licence))
        return self._impossible(person) or self._under_way(person, tuple(acts))

    # ── who needs it ─────────────────────────────────────────────────────────────────────────────────────

    def _wanted(self, person: Person) -> Verdict:
        return self._given_directly(person)

    def _given_directly(self, person: Person) -> Verdict:
        leaving = self._leaving(person)
        return self._impossible(person) or self._held_by_group(leaving) or self._changed(person, leaving)

    def _leaving(self, person: Person) -> list[HeldLicence]:
        """What goes when the product comes."""
        return [x for x in person.licences if x.sku_id in self._wish.replaces and x.is_active]

    def _impossible(self, person: Person) -> Verdict | None:
        """Without a usage location nothing is given directly."""
        if person.usage_location is not None:
            return None
        if not self._policy.usage_location:
            return Verdict.refused(Reason.USAGE_LOCATION)
        missing = missing_for([StepKind.SET_USAGE_LOCATION], self._permissions)
        return (
            Verdict.refused(Reason.USAGE_LOCATION, f"needs permission {', '.join(sorted(missing))}")
            if missing
            else None
        )

    def _held_by_group(self, leaving: Iterable[HeldLicence]) -> Verdict | None:
        """What a group of others gives, no write to the person takes away."""
        for licence in leaving:
            if licence.group_id and not self._groups.may_leave(licence.group_id):
                return Verdict.refused(Reason.INHERITED_FROM_GROUP, self._groups.told_of(licence))
        return None

    def _changed(self, person: Person, leaving: Sequence[HeldLicence]) -> Verdict:
        moved = [licence for licence in leaving if licence.group_id]
        stranded = self._stranded_by(person, leaving)
        foreign = next((x for x in stranded if not self._groups.may_leave(x.group_id)), None)
        if foreign:
            return Verdict.refused(Reason.ENTRA_P1_LOST, self._groups.told_of(foreign))
        moves = tuple(act for licence in (*moved, *stranded) for act in out_of_group(licence))
        change, not_carried = self._change(person, leaving)
        there = tuple(after_changes(person.licences, (act.change for act in moves)))
        obstacle = self._compatibility.obstacle(there, change)
        if obstacle:
            return self._refused(person, obstacle, change)
        return self._under_way(person, (*moves, licence_act(change)), not_carried)

    def _refused(self, _person: Person, obstacle: tuple[Reason, str], _change: Change) -> Verdict:
        return Verdict.refused(*obstacle)

    def _under_way(self, person: Person, acts: tuple[Act, ...], notes: tuple[str, ...] = ()) -> Verdict:
        location = self._policy.usage_location if person.usage_location is None else None
        first = (first_location(location),) if location else ()
        return Verdict(SubjectState.PENDING, None, (*first, *acts), notes, person.licences)

    def _change(self, person: Person, leaving: Sequence[HeldLicence]) -> tuple[Change, tuple[str, ...]]:
        """The direct write, and the disabled plans that have no counterpart in the new product."""
        carried = carry_over(person.licences, leaving, self.target, self._mappings.skus, self._plans)
        change = Change(
            add_sku=self._wish.sku_id,
            disabled_plans=carried.disabled | self._at_least(leaving),
            remove_skus=tuple(sorted({x.sku_id for x in leaving})),
        )
        return change, carried.not_carried

    def _at_least(self, leaving: Sequence[HeldLicence]) -> PlanIds:
        """Advice is for first licences; what nobody decided about takes no service that the person had."""
        if not leaving:
            return self._off | self._undecided | self._advised
        had = families(enabled_plans(leaving, self._mappings.skus), self._plans.family_of)
        return self._off | {plan for plan in self._undecided if self._plans.family_of.get(plan) not in had}

    # ── Entra ID P1: without it nobody may have a licence through a group ────────────────────────────────

    def _stranded_by(self, person: Person, leaving: Sequence[HeldLicence]) -> list[HeldLicence]:
        """Licences that others' groups would go on giving to a person who loses P1 by the change."""
        staying = [x for x in person.licences if x not in leaving and x.is_active]
        loses_p1 = self._brings_p1(leaving) and not self._brings_p1([*staying, HeldLicence(self._wish.sku_id)])
        return [licence for licence in staying if licence.group_id] if loses_p1 else []

    def _brings_p1(self, licences: Iterable[HeldLicence]) -> bool:
        return any(licence.sku_id in self._mappings.group_licensing for licence in licences)


def products(wish: Wish) -> frozenset[SkuId]:
    """What a plan for this wish looks at: the product itself and those it replaces."""
    return wish.replaces | {wish.sku_id}


def inherited(person: Person, sku_id: SkuId) -> Iterator[HeldLicence]:
    """The person's licences of the SKU that come from groups, in whatever state."""
    return (licence for licence in person.licences if licence.sku_id == sku_id and licence.group_id)
