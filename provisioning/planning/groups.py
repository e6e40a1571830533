"""The groups that a plan has to do with: the one that licences go through, and those that bring others."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from provisioning.domain.catalogue import Sku
from provisioning.domain.groups import GroupImage, GroupLicence, LicensingGroup, ObservedGroup
from provisioning.domain.ids import GroupId, SkuId, SubjectId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import HeldLicence, Person
from provisioning.domain.operation import Change, Step, StepKind
from provisioning.domain.reasons import Reason
from provisioning.planning.plan import SubjectPlan


class GroupScene(msgspec.Struct, frozen=True, kw_only=True):
    """`target` is the group of the policy or of ours, None while it does not exist; `others` are known besides it."""

    nickname: str = ""
    target: ObservedGroup | None = None
    is_ours: bool = True  # else the school's own: others fill it
    others: Mapping[GroupId, ObservedGroup] = {}
    ours: frozenset[GroupId] = frozenset()  # every group in the tenant that we made
    is_in_doubt: bool = False  # what an earlier plan of this operation asked of the target is not read back yet
    reprocessed: frozenset[SubjectId] = frozenset()  # asked for once in this operation already
    awaited: frozenset[SubjectId] = frozenset()  # under way in this operation: what the group gives them is our work

    def find(self, group_id: GroupId | None) -> ObservedGroup | None:
        if self.target and self.target.group_id == group_id:
            return self.target
        return self.others.get(group_id) if group_id else None

    def may_leave(self, group_id: GroupId | None) -> bool:
        """Whether we may take a person out of it: ours, and nobody else fills it."""
        group = self.find(group_id)
        return group is not None and group.group_id in self.ours and group.takes_members

    def kind_of(self, group_id: GroupId) -> str:
        """What a reader wants to know of a group that brings a licence."""
        group = self.find(group_id)
        if group is None:
            return "unknown"
        traits = {"ours": group_id in self.ours, "dynamic": group.is_dynamic, "synced": group.is_synced}
        return ", ".join(name for name, is_so in traits.items() if is_so) or "static"

    def told_of(self, licence: HeldLicence) -> str:
        """Where an inherited licence comes from, for a note."""
        return f"group {licence.group_id} ({self.kind_of(licence.group_id)})" if licence.group_id else "directly"


def trouble_with(
    target: ObservedGroup | None, registered: LicensingGroup | None, wanted: SkuId, replaced: Collection[SkuId]
) -> Reason | None:
    """Why licences cannot go through this group, or None. `registered` is the register's row when it is ours."""
    if target is None:
        return Reason.GROUP_GONE if registered is None or registered.group_id else None
    if not target.is_complete:
        return Reason.SELECTION_INCOMPLETE
    if registered is None:
        return None if target.is_security else Reason.GROUP_UNUSABLE
    is_as_made = target.is_security and target.takes_members
    is_back = any(target.licence(sku) for sku in replaced)  # our own orders took it there, and take it back now
    is_lost = registered.is_licensed and target.licence(wanted) is None and not is_back
    has_others = any(licence.sku_id not in {wanted, *replaced} for licence in target.licences)
    return None if is_as_made and not is_lost and not has_others else Reason.GROUP_CHANGED


def preparation(target: ObservedGroup, wanted: GroupLicence, replaced: AbstractSet[SkuId]) -> Change | None:
    """The one write that makes the group bring the product, the old ones going in the same call; None: it does."""
    if target.licence(wanted.sku_id):
        return None
    return Change(
        group_id=target.group_id,
        add_sku=wanted.sku_id,
        disabled_plans=wanted.disabled_plans,
        remove_skus=tuple(sorted(licence.sku_id for licence in target.licences if licence.sku_id in replaced)),
        people=len(target.members),
    )


def creation(nickname: str) -> Step:
    """The step that makes a group of ours."""
    reason = "licences go through a group of this tenant, and there is none yet"
    change = Change(group_name=nickname, people=0)
    return Step(position=0, subject_id=SubjectId(nickname), kind=StepKind.CREATE_GROUP, change=change, reason=reason)


def licensing(change: Change) -> Step:
    """The step that gives the group its licence."""
    reason = "its members have the product by this one write"
    group = SubjectId(str(change.group_id))
    return Step(position=0, subject_id=group, kind=StepKind.LICENSE_GROUP, change=change, reason=reason)


def group_subject(step: Step) -> SubjectPlan:
    """The group's own row in the plan."""
    return SubjectPlan(subject_id=step.subject_id, organisation_id=None, state=SubjectState.PENDING, is_group=True)


def images(target: ObservedGroup, change: Change | None) -> tuple[GroupImage, ...]:
    """How the group may look while the plan is carried out: as seen, and as `change` leaves it."""
    return (target.image,) if change is None else (target.image, licensed(target, change).image)


def licensed(group: ObservedGroup, change: Change) -> ObservedGroup:
    """The group once its licences are written."""
    added = [GroupLicence(one.sku_id, one.disabled_plans) for one in change.added]
    gone = {*change.remove_skus, *(one.sku_id for one in added)}
    staying = [licence for licence in group.licences if licence.sku_id not in gone]
    return msgspec.structs.replace(group, licences=(*staying, *added))


def rests_on_group(step: Step) -> bool:
    """Whether it writes to a group, or takes a direct licence because a group brings the same."""
    return step.change.group_id is not None or step.kind is StepKind.REMOVE


def groups_that_bring(people: Iterable[Person], skus: AbstractSet[SkuId]) -> frozenset[GroupId]:
    """The groups through which these people hold one of the SKUs, in whatever state."""
    situations = {person.licences for person in people}
    return frozenset(x.group_id for licences in situations for x in licences if x.group_id and x.sku_id in skus)


def sources(people: Iterable[Person], skus: Mapping[SkuId, Sku], groups: GroupScene) -> dict[str, int]:
    """Where people have the products from: directly, or through which group of what kind."""
    counted: Counter[str] = Counter()
    for licences, number in Counter(person.licences for person in people).items():
        for licence in licences:
            if licence.sku_id in skus and licence.is_active:
                counted[_source(licence, skus[licence.sku_id], groups)] += number
    return dict(sorted(counted.items()))


def _source(licence: HeldLicence, sku: Sku, groups: GroupScene) -> str:
    through = "through " if licence.group_id else ""
    return f"{sku.part_number} {through}{groups.told_of(licence)}"
