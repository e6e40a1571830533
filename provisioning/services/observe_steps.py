"""What Graph shows of the people and groups that open steps are about: single people cheaply, many by a census."""

from collections.abc import Sequence

import msgspec

from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.domain.lifecycle import StepState
from provisioning.domain.observation import Person
from provisioning.domain.operation import GROUP_STEPS, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.ports import LicenceGateway

_FEW = 100  # up to five batches of single people are cheaper than listing a tenant


class Seen(msgspec.Struct, frozen=True):
    """By subject; None: Graph knows it no more. Who is absent could not be read this time, and is looked at later."""

    people: dict[SubjectId, Person | None]
    groups: dict[SubjectId, ObservedGroup | None]
    members: dict[GroupId, frozenset[SubjectId]] = {}

    def shows_done(self, record: StepRecord) -> bool:
        """Whether the group itself tells that an unanswered join or leave was done, long before any licence does."""
        members = self.members.get(record.step.change.group_id) if record.step.change.group_id else None
        if members is None or not _is_unanswered(record):
            return False
        return (record.step.subject_id in members) == (record.step.kind is StepKind.ADD_MEMBERS)


def observe_steps(gateway: LicenceGateway, tenant: TenantId, records: Sequence[StepRecord]) -> Seen:
    """Raises GraphError when the tenant cannot be read."""
    about_groups = [record for record in records if record.step.kind in GROUP_STEPS]
    subjects = list(dict.fromkeys(one.step.subject_id for one in records if one.step.kind not in GROUP_STEPS))
    return Seen(
        people=_people(gateway, tenant, subjects),
        groups=_groups(gateway, tenant, about_groups),
        members=_members(gateway, tenant, records),
    )


def _is_unanswered(record: StepRecord) -> bool:
    """A call whose answer was lost; of one that was answered "a member already", the answer tells more."""
    is_about_members = record.step.kind in (StepKind.ADD_MEMBERS, StepKind.REMOVE_MEMBER)
    return is_about_members and record.state is StepState.UNKNOWN and record.reason is not Reason.MEMBER_ALREADY


def _members(
    gateway: LicenceGateway, tenant: TenantId, records: Sequence[StepRecord]
) -> dict[GroupId, frozenset[SubjectId]]:
    ids = {one.step.change.group_id for one in records if one.step.change.group_id and _is_unanswered(one)}
    if not ids:
        return {}
    observed = gateway.observe_groups(tenant, sorted(ids), with_members=True)
    return {group_id: group.members for group_id, group in observed.items() if group and group.is_complete}


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


def _groups(
    gateway: LicenceGateway, tenant: TenantId, records: Sequence[StepRecord]
) -> dict[SubjectId, ObservedGroup | None]:
    """A new group by the name it was asked for under, any other by its id."""
    found: dict[SubjectId, ObservedGroup | None] = {
        record.step.subject_id: gateway.find_group(tenant, record.step.subject_id)
        for record in records
        if record.step.kind is StepKind.CREATE_GROUP
    }
    ids = [GroupId(one.step.subject_id) for one in records if one.step.kind is StepKind.LICENSE_GROUP]
    if ids:
        observed = gateway.observe_groups(tenant, ids, with_members=False)
        found |= {SubjectId(group_id): group for group_id, group in observed.items()}
    return found
