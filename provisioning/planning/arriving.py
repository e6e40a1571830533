"""What one person of a migration needs in the target, phase by phase.

Exchange stays off until somebody has proved that the mailbox is there (domain, section 8): as soon as one of its plans
is on, Microsoft makes an empty mailbox, and the real one cannot come any more.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping

import msgspec

from provisioning.domain.ids import SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.carry import PlanIds, enabled_plans
from provisioning.planning.judging import Aim, Judge, inherited
from provisioning.planning.losses import after_change
from provisioning.planning.mailbox import Origin, carried_across, exchange_plans, withheld
from provisioning.planning.verdict import Act, Verdict

_RIGHT = SubjectState.ALREADY_RIGHT


class Case(msgspec.Struct, frozen=True):
    """One person as seen in the target. `origin` None: they are gone from the source."""

    person: Person
    origin: Origin | None
    has_evidence: bool = False  # that the mailbox has moved
    had_mailbox: bool | None = None  # in the source when they were matched; None: nobody noted it
    had_it_before: bool = False  # a product of the migration, when they were matched


class Goal(msgspec.Struct, frozen=True):
    """How the product should be with a person: `off` for good, `back` until the mailbox has moved."""

    off: PlanIds
    back: PlanIds
    not_carried: tuple[str, ...]


class TargetJudge(Judge, ABC):
    """`left`, `joined` and `reserved` as in the scene."""

    def __init__(
        self,
        aim: Aim,
        plan_mapping: Mapping[str, str],
        left: Mapping[SubjectId, HeldLicence],
        joined: Mapping[SubjectId, HeldLicence],
        reserved: Collection[SubjectId],
    ) -> None:
        super().__init__(aim)
        self._plan_mapping = plan_mapping
        self._left = left
        self._joined = joined
        self._reserved = reserved
        self._exchange = exchange_plans(self.target)
        self._across: dict[Origin | None, tuple[PlanIds, tuple[str, ...]]] = {}

    def of(self, case: Case) -> Verdict:
        """What is done with this person, or why nothing is. Equal cases are judged once: a wave has few of them."""
        person = case.person
        subject = person.subject_id
        own = (subject in self._reserved, self._left.get(subject), self._joined.get(subject))
        key = (*self._situation(person), case.origin, case.has_evidence, case.had_mailbox, case.had_it_before, *own)
        if key not in self._known:
            self._known[key] = self._decided(case)
        return self._known[key]

    @abstractmethod
    def _decided(self, case: Case) -> Verdict:
        """By nothing of the person but what the key above holds."""

    def _goal(self, case: Case) -> Goal:
        """What was noted of the mailbox outranks how the source looks: Exchange may be off there since it moved."""
        person, origin = case.person, case.origin
        if origin not in self._across:
            self._across[origin] = self._off_for_good(origin)
        off, not_carried = self._across[origin]
        if case.had_mailbox is not None:
            off = off - (self._exchange - self._off) if case.had_mailbox else off | self._exchange
        others = [one for one in person.licences if not (one.sku_id == self.target.sku_id and one.is_direct)]
        elsewhere = enabled_plans(others, self._mappings.skus)
        rules, is_to_come = self._mappings.plan_rules, case.had_mailbox is not False
        return Goal(off, withheld(self.target, off, elsewhere, rules, with_undescribed=is_to_come), not_carried)

    def _off_for_good(self, origin: Origin | None) -> tuple[PlanIds, tuple[str, ...]]:
        """Of somebody who is gone from the source nobody knows that a service was off: the policy alone speaks."""
        if origin is None:
            return self._off, ()
        carried = carried_across(origin, self.target, self._mappings.skus, self._plans, self._plan_mapping)
        return carried.disabled | self._at_least(origin.leaving), carried.not_carried

    def _held_otherwise(self, person: Person) -> Verdict | None:
        """Through a group, whose plans no write to the person changes; or by a product that has it all."""
        through = [one for one in inherited(person, self.target.sku_id) if one.is_active]
        if any(self._has_mailbox(one) for one in through):
            return Verdict(_RIGHT, Reason.HELD_VIA_GROUP, licences=person.licences)
        if through:
            return Verdict.refused(Reason.INHERITED_FROM_GROUP, self._groups.told_of(through[0]))
        larger = self._compatibility.larger_product(person, self.target, self._wish.replaces)
        return Verdict(_RIGHT, Reason.ALREADY_HELD, notes=(larger,), licences=person.licences) if larger else None

    def _has_mailbox(self, licence: HeldLicence) -> bool:
        """Whether Exchange is on in it, or the product has none."""
        return not self._exchange or not self._exchange <= licence.disabled_plans


class Preparation(TargetJudge):
    """The product with Exchange off, for who does not have it."""

    def _decided(self, case: Case) -> Verdict:
        return self._has_it(case) or self._cannot(case.person, case.origin) or self._prepared(case)

    def _has_it(self, case: Case) -> Verdict | None:
        """What they hold is left as it is; whether Exchange is still to come says the reason."""
        person = case.person
        direct = person.direct(self.target.sku_id)
        if direct is None:
            return self._held_otherwise(person)
        is_to_come = bool(self._goal(case).back & direct.disabled_plans)
        reason = Reason.EXCHANGE_NOT_READY if is_to_come else Reason.ALREADY_HELD
        return Verdict(_RIGHT, reason, licences=person.licences)

    def _cannot(self, person: Person, origin: Origin | None) -> Verdict | None:
        if origin is None:
            return Verdict.refused(Reason.NOT_FOUND, "in the source")
        if not origin.leaving:
            return Verdict.refused(Reason.LICENCE_NOT_HELD, "in the source")
        if person.subject_id in self._reserved:
            return Verdict.refused(Reason.CONCURRENT_WRITE, "another operation gives them this product")
        return self._impossible(person)

    def _prepared(self, case: Case) -> Verdict:
        """Refused now if Exchange could not come on later: nobody gets stuck halfway."""
        person, goal = case.person, self._goal(case)
        change = Change(add_sku=self.target.sku_id, disabled_plans=goal.off | goal.back)
        whole = Change(add_sku=self.target.sku_id, disabled_plans=goal.off)
        obstacle = self._compatibility.obstacle(person.licences, change) or self._compatibility.obstacle(
            person.licences, whole
        )
        if obstacle:
            return Verdict.refused(*obstacle)
        act = Act(StepKind.ASSIGN, change, "prepared for the migration, without a mailbox")
        return self._under_way(person, (act,), goal.not_carried)


class Arrival(TargetJudge):
    """Exchange on, for who is as PREPARE left them and whose mailbox somebody has seen arrive."""

    def _decided(self, case: Case) -> Verdict:
        person = case.person
        direct = person.direct(self.target.sku_id)
        if direct is None:
            return self._held_otherwise(person) or Verdict.refused(Reason.NOT_AS_WE_LEFT, "the licence is gone")
        back = (self._goal(case).back | self._held_back(case)) & direct.disabled_plans
        if not back:
            return Verdict(_RIGHT, Reason.ALREADY_HELD, licences=person.licences)
        if not case.has_evidence:
            return Verdict.refused(Reason.EXCHANGE_NOT_READY)
        return self._arrived(person, direct, back)

    def _held_back(self, case: Case) -> PlanIds:
        """What PREPARE left off and nothing keeps off any more, though it would not be held back today.

        A plan that nobody knew then may have been described since. Of who left the source nobody knows what was off.
        """
        left, is_known = self._left.get(case.person.subject_id), case.origin is not None and bool(case.origin.leaving)
        return left.disabled_plans - self._goal(case).off if left and is_known else frozenset()

    def _arrived(self, person: Person, direct: HeldLicence, back: PlanIds) -> Verdict:
        """Nothing but what we held back comes on: what the school switched off meanwhile stays off (R28)."""
        change = Change(add_sku=direct.sku_id, disabled_plans=direct.disabled_plans - back)
        obstacle = self._compatibility.obstacle(person.licences, change)
        if obstacle:
            return Verdict.refused(*obstacle)
        act = Act(StepKind.SET_PLANS, change, "the mailbox has moved: Exchange comes on")
        # losses are counted from what was promised: that Exchange comes on is the plan, and against nobody's wish
        promised = tuple(after_change(person.licences, change))
        return Verdict(SubjectState.PENDING, None, (act,), licences=promised)
