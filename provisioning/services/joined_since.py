"""Who of a wave was moved into a group of ours after it had arrived; a roll back takes them out of it again."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from operator import attrgetter

from provisioning.domain.errors import RetryableError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS, StepState
from provisioning.domain.migration import Phase
from provisioning.domain.observation import HeldLicence
from provisioning.domain.operation import Operation, StepKind, StepRecord
from provisioning.domain.reasons import Reason
from provisioning.planning.our_writes import accepted
from provisioning.ports import LicenceGateway, UnitOfWork

Joined = Mapping[SubjectId, StepRecord]  # the last of our writes about the person's membership, which was to join

_MEMBERSHIP = frozenset({StepKind.ADD_MEMBERS, StepKind.REMOVE_MEMBER})


def followers_of_wave(uow: UnitOfWork, operation: Operation) -> list[Operation]:
    """What moves, or moved, people of this part's wave into a group with the same product."""
    part = operation.wish.part
    if part is None:
        return []
    found = uow.migrations.followers_of(uow.migrations.get(part.migration_id))
    return [
        one
        for one in found
        if one.wish.follows is not None
        and one.wish.follows.wave == part.wave
        and one.wish.sku_id == operation.wish.sku_id
    ]


def is_being_moved(uow: UnitOfWork, operation: Operation) -> bool:
    """Whether somebody of a roll back is on their way into a group yet: what comes of that is waited for."""
    people = frozenset(operation.wish.named)
    open_ones = (one for one in followers_of_wave(uow, operation) if one.state not in OPERATION_ENDS)
    return any(not people.isdisjoint(one.wish.named) for one in open_ones)


def joined_since(uow: UnitOfWork, operation: Operation) -> Joined:
    """Asked for only where something is taken back in the target; what was left by a roll back is joined no more."""
    part = operation.wish.part
    if part is None or part.phase is not Phase.UNDO_TARGET:
        return {}
    undoing = (one for one in uow.migrations.operations_of(part.migration_id) if one.wish.part == part)
    wrote = [
        record
        for one in (*followers_of_wave(uow, operation), *undoing)
        for record in accepted(uow.journal.steps_in(one.operation_id, frozenset(StepState)))
        if record.step.kind in _MEMBERSHIP
    ]
    last = {record.step.subject_id: record for record in sorted(wrote, key=attrgetter("applied_at"))}
    return {person: record for person, record in last.items() if record.step.kind is StepKind.ADD_MEMBERS}


def is_unsettled(joined: Joined, since: datetime) -> bool:
    """Whether somebody was put into a group after `since` and nobody read back what came of it.

    A replica from before that looks as if they had left again, so nothing could be said of a leave without an answer.
    """
    return any(one.state is not StepState.VERIFIED and _is_young(one, since) for one in joined.values())


def groups_of(joined: Joined) -> frozenset[GroupId]:
    return frozenset(one.step.change.group_id for one in joined.values() if one.step.change.group_id)


def still_in(
    gateway: LicenceGateway, tenant: TenantId, joined: Joined, now: datetime, horizon: timedelta
) -> Mapping[SubjectId, HeldLicence]:
    """The product through the group as we left it, of those whom the group shows, or may not show yet.

    Raises GraphError when the members of a group cannot all be read.
    """
    groups = groups_of(joined)
    seen = gateway.observe_groups(tenant, sorted(groups)) if groups else {}
    members = {(group, one) for group in groups for one in _members(group, seen)}
    young = {person for person, record in joined.items() if _is_young(record, now - horizon)}
    left = {person: _as_we_left(record) for person, record in joined.items()}
    return {
        person: licence
        for person, licence in left.items()
        if licence is not None and (person in young or (licence.group_id, person) in members)
    }


def _as_we_left(record: StepRecord) -> HeldLicence | None:
    change = record.step.change
    return HeldLicence(change.add_sku, change.disabled_plans, change.group_id) if change.add_sku else None


def _is_young(record: StepRecord, since: datetime) -> bool:
    return record.applied_at is not None and record.applied_at >= since


def _members(group: GroupId, seen: Mapping[GroupId, ObservedGroup | None]) -> Iterable[SubjectId]:
    """Nobody is in a group that is gone."""
    found = seen.get(group)
    if group not in seen or (found is not None and not found.is_complete):
        raise RetryableError(f"The members of group {group} could not all be read.", Reason.NO_ANSWER)
    return found.members if found else frozenset()
