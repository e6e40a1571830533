"""What one person needs when licences go through a group.

New to the product: into the group. Given by that group already under the old product: one write to the group as a
whole. A direct licence that clashes: swapped directly, and moved to the group later. Whoever keeps plans off that the
group has on, or lacks Entra ID P1, stays with a licence of their own.
"""

from collections.abc import Collection

from provisioning.domain.groups import GroupLicence, ObservedGroup, reason_of
from provisioning.domain.ids import GroupId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.permissions import missing_for
from provisioning.domain.reasons import Reason
from provisioning.planning.carry import carry_over
from provisioning.planning.groups import preparation
from provisioning.planning.judging import Aim, Judge, inherited
from provisioning.planning.verdict import Act, Verdict, drop_direct, into_group

_US = "us"


class GroupJudge(Judge):
    """`selected` are all whom the order speaks of: a group is written to as a whole only if it holds nobody else."""

    def __init__(self, aim: Aim, selected: Collection[SubjectId]) -> None:
        super().__init__(aim)
        self._group = self._groups.target
        self._licence = self._wanted_licence(self._group)
        self.preparation = self._preparation(self._group)
        self._outsiders = self._group.members.difference(selected) if self._group else frozenset()

    def _situation(self, person: Person) -> tuple[object, ...]:
        is_member = self._group is not None and person.subject_id in self._group.members
        known = person.subject_id in self._groups.reprocessed, person.subject_id in self._groups.awaited
        return *super()._situation(person), is_member, *known

    # ── the group itself ─────────────────────────────────────────────────────────────────────────────────

    def _wanted_licence(self, group: ObservedGroup | None) -> GroupLicence:
        """As it is on the group, or as it will be: what the school switched off in the old product stays off."""
        present = group.licence(self.target.sku_id) if group else None
        if present:
            return present
        old = [HeldLicence(x.sku_id, x.disabled_plans) for x in group.licences] if group else []
        leaving = [licence for licence in old if licence.sku_id in self._wish.replaces]
        carried = carry_over(leaving, leaving, self.target, self._mappings.skus, self._plans)
        return GroupLicence(self.target.sku_id, carried.disabled | self._at_least(leaving))

    def _preparation(self, group: ObservedGroup | None) -> Change | None:
        return preparation(group, self._licence, self._wish.replaces) if group else None

    # ── who has it already ───────────────────────────────────────────────────────────────────────────────

    def _already_right(self, person: Person) -> Verdict | None:
        if person.direct(self.target.sku_id):
            return self._moved_in(person) or Verdict(SubjectState.ALREADY_RIGHT, Reason.ALREADY_HELD)
        if person.holds(self.target.sku_id):
            return self._served_through_group(person) or Verdict(SubjectState.ALREADY_RIGHT, Reason.HELD_VIA_GROUP)
        return self._stuck(person) or super()._already_right(person)

    def _served_through_group(self, person: Person) -> Verdict | None:
        """Read back as true: what was still to come when the last plan was drawn."""
        is_ours = any(x.group_id == self._group_id and x.is_active for x in inherited(person, self.target.sku_id))
        return Verdict(SubjectState.VERIFIED) if is_ours and person.subject_id in self._groups.awaited else None

    def _moved_in(self, person: Person) -> Verdict | None:
        """A direct licence gives way to the same one from the group, once that is active."""
        direct = person.direct(self.target.sku_id)
        is_asked = self._may_move and self._policy.managed_by == _US
        if not is_asked or direct is None or not self._fits(person, direct.disabled_plans):
            return None
        if self._group is None:  # it is made first
            return Verdict(SubjectState.PENDING, licences=person.licences)
        has_both = any(x.is_active and x.group_id == self._group_id for x in inherited(person, self.target.sku_id))
        if self._is_member(person) and not has_both:
            return self._awaiting_both(person)
        # what somebody is no member for any more goes on showing for minutes: the direct one must not go for it
        joins: tuple[Act, ...] = () if self._is_member(person) else (self._joining(),)
        acts = (*joins, drop_direct(self.target.sku_id))
        return Verdict(SubjectState.PENDING, None, acts, licences=person.licences)

    def _awaiting_both(self, person: Person) -> Verdict | None:
        """In the group, but nothing came of it yet; whom it failed keeps what they have."""
        if any(x.group_id == self._group_id for x in inherited(person, self.target.sku_id)):
            return None
        return Verdict(SubjectState.PENDING, licences=person.licences, through_group=self.preparation)

    def _stuck(self, person: Person) -> Verdict | None:
        """The group tried and failed: seats may have come, anything else is told as the person's own."""
        failed = next((x for x in inherited(person, self.target.sku_id) if x.group_id == self._group_id), None)
        if failed is None:
            return None
        reason = reason_of(failed.error)
        if reason is Reason.MUTUALLY_EXCLUSIVE and self._clashing(person):
            return None  # swapped directly, like whoever is new to the group
        has_right = not missing_for([StepKind.REPROCESS], self._permissions)
        if not has_right or person.subject_id in self._groups.reprocessed:
            waits = reason is Reason.COUNT_VIOLATION
            told = self._groups.told_of(failed)
            return Verdict(SubjectState.WAITING, Reason.SEATS_INSUFFICIENT) if waits else Verdict.refused(reason, told)
        again = Act(StepKind.REPROCESS, self._membership, "the group's licence did not reach this person")
        return Verdict(SubjectState.PENDING, None, (again,), licences=person.licences)

    # ── who needs it ─────────────────────────────────────────────────────────────────────────────────────

    def _wanted(self, person: Person) -> Verdict:
        if not self._groups.is_ours and not self._is_member(person):
            return Verdict.refused(Reason.NOT_IN_SCHOOL_GROUP, f"group {self._group_id}")
        if self._is_member(person) and not self._clashing(person):
            return self._through_group(person)
        leaving = self._leaving(person)
        if leaving:
            return self._given_directly(person)  # moved to the group later, when nothing clashes any more
        change, not_carried = self._change(person, leaving)
        if self._fits(person, change.disabled_plans) and not self._obstacle(person):
            acts = (self._joining(),) if self._group else ()  # without a group: it is made first
            return Verdict(SubjectState.PENDING, None, acts, not_carried, person.licences)
        return self._given_directly(person)

    def _clashing(self, person: Person) -> bool:
        """Whether they have the old product, and not by the group: in it, that stands in the way of the new one."""
        old = self._leaving(person)
        return bool(old) and all(x.group_id != self._group_id for x in old)

    def _through_group(self, person: Person) -> Verdict:
        """A member gets it by the group alone: by its one write, or as soon as Microsoft has come to them."""
        obstacle = self._obstacle(person)
        if obstacle:
            return self._refused(person, obstacle, self.preparation or self._membership)
        if self.preparation and self._outsiders:
            people = f"{len(self._outsiders)} of its members are not of this order"
            return Verdict.refused(Reason.SCOPE_VIOLATION, f"group {self._group_id}: {people}")
        return Verdict(SubjectState.PENDING, licences=person.licences, through_group=self.preparation)

    def _obstacle(self, person: Person) -> tuple[Reason, str] | None:
        lasting = [licence for licence in person.licences if not self._is_leaving(licence)]
        return self._compatibility.obstacle(lasting, self.preparation or self._membership)

    def _is_leaving(self, licence: HeldLicence) -> bool:
        """What the group brought and brings no more; Microsoft has not come to this person yet."""
        group = self._group
        return group is not None and licence.group_id == group.group_id and group.licence(licence.sku_id) is None

    def _joining(self) -> Act:
        return into_group(self._membership)

    @property
    def _membership(self) -> Change:
        """What being in the group brings."""
        return Change(
            group_id=self._group_id, add_sku=self._licence.sku_id, disabled_plans=self._licence.disabled_plans
        )

    def _fits(self, person: Person, off: Collection[str]) -> bool:
        """Whether the group would leave on and off what must be on and off for the person, who has P1 then."""
        is_open = self._groups.is_ours and (self._group is None or self._group.takes_members)
        is_open = is_open and not (self.preparation and self._outsiders)  # never licensed while they are in it
        has_p1 = self._brings_p1([HeldLicence(self.target.sku_id), *(x for x in person.licences if x.is_active)])
        return is_open and has_p1 and frozenset(off) == self._licence.disabled_plans

    def _is_member(self, person: Person) -> bool:
        return self._group is not None and person.subject_id in self._group.members

    @property
    def _group_id(self) -> GroupId | None:
        return self._group.group_id if self._group else None
