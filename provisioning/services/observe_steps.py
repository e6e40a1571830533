"""What Graph shows of the people and groups that open steps are about: single people cheaply, many by a census."""

from collections.abc import Iterable, Sequence

import msgspec

from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.domain.lifecycle import StepState
from provisioning.domain.observation import Person
from provisioning.domain.operation import GROUP_STEPS, Step, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.planning.groups import licensed
from provisioning.ports import LicenceGateway

_FEW = 100  # up to five batches of single people are cheaper than listing a tenant


class Seen(msgspec.Struct, frozen=True):
    """By subject; None: Graph knows it no more. Who is absent could not be read this time, and is looked at later."""

    people: dict[SubjectId, Person | None]
    groups: dict[SubjectId, ObservedGroup | None]
    members: dict[GroupId, frozenset[SubjectId]] = {}
    through: dict[GroupId, ObservedGroup | None] = {}  # what steps go through; None: Graph does not know it

    @property
    def gone(self) -> frozenset[GroupId]:
        return frozenset(group_id for group_id, group in self.through.items() if group is None)

    def with_groups(self, steps: Iterable[Step], *, is_new: bool) -> "Seen":
        """With licences that we wrote or are about to write laid over; while one `is_new`, none is known to be gone."""
        through = {group_id: group for group_id, group in self.through.items() if group or not is_new}
        for step in steps:
            group = through.get(step.change.group_id) if step.change.group_id else None
            if group and step.kind is StepKind.LICENSE_GROUP:
                through[group.group_id] = licensed(group, step.change)
        return msgspec.structs.replace(self, through=through)

    def is_empty_handed(self, record: StepRecord) -> bool:
        """Whether somebody joined a group that does not bring what they joined it for."""
        change = record.step.change
        group = self.through.get(change.group_id) if change.group_id else None
        is_join = record.step.kind in (StepKind.ADD_MEMBERS, StepKind.REPROCESS) and record.state is StepState.APPLIED
        return is_join and group is not None and change.add_sku is not None and group.licence(change.add_sku) is None

    def shows_done(self, record: StepRecord) -> bool:
        """Whether the group itself tells that an unanswered join or leave was done, long before any licence does."""
        members = self._members(record)
        return members is not None and (record.step.subject_id in members) == (record.step.kind is StepKind.ADD_MEMBERS)

    def shows_member(self, record: StepRecord) -> bool:
        """Whether the group has somebody yet whose leave was not answered."""
        members = self._members(record)
        is_leave = record.step.kind is StepKind.REMOVE_MEMBER
        return is_leave and members is not None and record.step.subject_id in members

    def _members(self, record: StepRecord) -> frozenset[SubjectId] | None:
        """Of the group, where these tell what became of the step."""
        group_id = record.step.change.group_id
        return self.members.get(group_id) if group_id and _is_unanswered(record) else None


def observe_steps(gateway: LicenceGateway, tenant: TenantId, records: Sequence[StepRecord]) -> Seen:
    """Raises GraphError when the tenant cannot be read."""
    subjects = list(dict.fromkeys(one.step.subject_id for one in records if one.step.kind not in GROUP_STEPS))
    groups = _groups(gateway, tenant, records)
    return Seen(
        people=_people(gateway, tenant, subjects),
        groups=_named(gateway, tenant, records) | _licensed(groups, records),
        members={group_id: group.members for group_id, group in groups.items() if group and group.is_complete},
        through=groups,
    )


def _is_unanswered(record: StepRecord) -> bool:
    """A call whose answer was lost; of one that was answered "a member already", the answer tells more."""
    is_about_members = record.step.kind in (StepKind.ADD_MEMBERS, StepKind.REMOVE_MEMBER)
    return is_about_members and record.state is StepState.UNKNOWN and record.reason is not Reason.MEMBER_ALREADY


def _groups(
    gateway: LicenceGateway, tenant: TenantId, records: Sequence[StepRecord]
) -> dict[GroupId, ObservedGroup | None]:
    """Those that steps go through; with their members where these tell what became of an unanswered call."""
    ids = {one.step.change.group_id for one in records if one.step.change.group_id}
    asked = {one.step.change.group_id for one in records if one.step.change.group_id and _is_unanswered(one)}
    seen: dict[GroupId, ObservedGroup | None] = {}
    for wanted, with_members in ((asked, True), (ids - asked, False)):
        if wanted:
            seen |= gateway.observe_groups(tenant, sorted(wanted), with_members=with_members)
    return seen


def _people(gateway: LicenceGateway, tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
    if len(subjects) <= _FEW:
        return gateway.observe_people(tenant, subjects) if subjects else {}
    census = gateway.observe_census(tenant)
    wanted = frozenset(subjects)
    seen: dict[SubjectId, Person | None] = {p.subject_id: p for p in census.people if p.subject_id in wanted}
    missing = [subject for subject in subjects if subject not in seen]
    if missing and census.is_complete:
        seen |= gateway.observe_people(tenant, missing)
    return seen


def _named(
    gateway: LicenceGateway, tenant: TenantId, records: Sequence[StepRecord]
) -> dict[SubjectId, ObservedGroup | None]:
    """New groups, by the name that each was asked for under."""
    return {
        record.step.subject_id: gateway.find_group(tenant, record.step.subject_id)
        for record in records
        if record.step.kind is StepKind.CREATE_GROUP
    }


def _licensed(
    groups: dict[GroupId, ObservedGroup | None], records: Sequence[StepRecord]
) -> dict[SubjectId, ObservedGroup | None]:
    """Groups whose own licences were written, as subjects of their steps."""
    ids = (GroupId(one.step.subject_id) for one in records if one.step.kind is StepKind.LICENSE_GROUP)
    return {SubjectId(group_id): groups[group_id] for group_id in ids if group_id in groups}
