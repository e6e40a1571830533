"""How a wave is taken back in the target: what it gave goes, also out of the group that it was moved into since."""

from collections.abc import Sequence

from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.arriving import Case, TargetJudge
from provisioning.planning.judging import inherited
from provisioning.planning.losses import after_changes
from provisioning.planning.mailbox import Origin, unserved_in_source
from provisioning.planning.verdict import Act, Verdict

_RIGHT = SubjectState.ALREADY_RIGHT


class Undoing(TargetJudge):
    """The product goes from whom we gave it to, as long as nobody touched it and the source serves them."""

    def _decided(self, case: Case) -> Verdict:
        person = case.person
        direct, joined = person.direct(self.target.sku_id), self._joined.get(person.subject_id)
        if through := self._through_another_group(case):
            return Verdict.refused(Reason.NOT_AS_WE_LEFT, self._groups.told_of(through))
        if direct is None and joined is None:
            return Verdict(_RIGHT, Reason.LICENCE_NOT_HELD, licences=person.licences)
        left = self._left.get(person.subject_id)
        if left is None and case.had_it_before:
            return Verdict(_RIGHT, Reason.ALREADY_HELD, licences=person.licences)
        if left is None:
            return Verdict.refused(Reason.NOT_AS_WE_LEFT, "the migration gave them nothing")
        if direct is not None and direct.disabled_plans != left.disabled_plans:
            return Verdict.refused(Reason.NOT_AS_WE_LEFT)
        return self._otherwise_in_group(person) or self._taken_back(person, case.origin or Origin())

    def _through_another_group(self, case: Case) -> HeldLicence | None:
        """The licence that takes the place of ours, through a group into which the wave moved nobody.

        With it nobody is as before the migration. Beside what we gave only that of a group of ours is one: another
        operation is just moving them into it.
        """
        if case.had_it_before:
            return None
        person, joined = case.person, self._joined.get(case.person.subject_id)
        has_ours = joined is not None or person.direct(self.target.sku_id) is not None
        others = [
            one
            for one in inherited(person, self.target.sku_id)
            if one.is_active and (joined is None or one.group_id != joined.group_id)
        ]
        return next((one for one in others if not has_ours or self._groups.may_leave(one.group_id)), None)

    def _otherwise_in_group(self, person: Person) -> Verdict | None:
        """Not as we left them in it: the group is no more ours alone to fill, or it brings something else by now."""
        joined = self._joined.get(person.subject_id)
        if joined is None:
            return None
        shown = [one for one in person.licences if one.group_id == joined.group_id]
        is_same = all((one.sku_id, one.disabled_plans) == (joined.sku_id, joined.disabled_plans) for one in shown)
        if is_same and self._groups.may_leave(joined.group_id):
            return None
        return Verdict.refused(Reason.NOT_AS_WE_LEFT, self._groups.told_of(joined))

    def _taken_back(self, person: Person, origin: Origin) -> Verdict:
        acts = self._acts(person)
        changes = [act.change for act in acts]
        unserved = unserved_in_source(person.licences, changes, origin, self._mappings.skus, self._plans)
        if unserved:
            return Verdict.refused(Reason.NOT_AS_WE_LEFT, f"the source does not serve {', '.join(sorted(unserved))}")
        for place, change in enumerate(changes):
            obstacle = self._compatibility.obstacle(after_changes(person.licences, changes[:place]), change)
            if obstacle:
                return Verdict.refused(*obstacle)
        return Verdict(SubjectState.PENDING, None, tuple(acts), licences=person.licences)

    def _acts(self, person: Person) -> Sequence[Act]:
        """What is direct first: half done, they have it through the group still."""
        sku, joined = self.target.sku_id, self._joined.get(person.subject_id)
        acts: list[Act] = []
        if person.direct(sku) is not None:
            acts.append(Act(StepKind.REMOVE, Change(remove_skus=(sku,)), "rolled back: the migration gave it"))
        if joined is not None:
            change = Change(group_id=joined.group_id, remove_skus=(sku,))
            acts.append(
                Act(StepKind.REMOVE_MEMBER, change, "rolled back: the migration had moved them into this group")
            )
        return acts
