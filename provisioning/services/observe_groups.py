"""The groups a plan has to do with: which one licences go through, and of what kind those are that bring others."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter

import msgspec

from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import RetryableError
from provisioning.domain.groups import LicensingGroup, ObservedGroup, nickname_for
from provisioning.domain.ids import GroupId, SubjectId
from provisioning.domain.lifecycle import StepState, SubjectState
from provisioning.domain.limits import Limits
from provisioning.domain.observation import Census
from provisioning.domain.operation import GROUP_STEPS, Operation, Step, StepKind, StepRecord, Wish
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.planning.groups import GroupScene, groups_that_bring, licensed, trouble_with
from provisioning.planning.judging import products
from provisioning.ports import LicenceGateway, UnitOfWork

_IN_DOUBT = frozenset({StepState.IN_FLIGHT, StepState.UNKNOWN, StepState.APPLIED})


class GroupBasis(msgspec.Struct, frozen=True, kw_only=True):
    """What the database knows: the register of the tenant, and what this operation asked of groups before."""

    register: tuple[LicensingGroup, ...] = ()
    fresh: tuple[Step, ...] = ()  # what we wrote to groups a moment ago: a replica may not know it
    is_in_doubt: bool = False  # a write of this operation to the group is not read back
    reprocessed: frozenset[SubjectId] = frozenset()
    awaited: frozenset[SubjectId] = frozenset()
    under_way: frozenset[SubjectId] = frozenset()  # groups that another operation wrote to, and has not read back
    empty_handed: tuple[
        StepRecord, ...
    ] = ()  # joins of a moment ago that brought nothing: they are members all the same

    @property
    def ids(self) -> frozenset[GroupId]:
        return frozenset(row.group_id for row in self.register if row.group_id)


class ObservedGroups(msgspec.Struct, frozen=True, kw_only=True):
    """`trouble`: why no plan may follow. `row` is the register's own, or the one to add if the group is ours."""

    scene: GroupScene
    row: LicensingGroup | None = None
    trouble: Reason | None = None
    is_busy: bool = False  # another operation makes the target, or licenses it: what it will be shows later


def group_basis(uow: UnitOfWork, operation: Operation, now: datetime, limits: Limits, *, is_asked: bool) -> GroupBasis:
    """Read in the caller's transaction. Where licences go to people directly, only our groups are of interest."""
    since = now - limits.lag_horizon  # what we wrote later than this a replica may not know yet
    register = tuple(uow.groups.list_in(operation.tenant_id))
    if not is_asked:
        return GroupBasis(register=register)
    people = uow.journal.subjects(operation.operation_id)
    asked = uow.journal.steps_of_kind(operation.operation_id, StepKind.REPROCESS)
    in_doubt = uow.journal.steps_in(operation.operation_id, _IN_DOUBT)
    sent = uow.journal.groups_sent_since(operation.tenant_id, now - limits.verify_deadline)
    failed = uow.journal.steps_in(operation.operation_id, {StepState.FAILED})
    return GroupBasis(
        register=register,
        fresh=tuple(record.step for record in uow.journal.groups_written_since(operation.tenant_id, since)),
        is_in_doubt=any(record.step.kind in GROUP_STEPS for record in in_doubt),
        reprocessed=frozenset(record.step.subject_id for record in asked if record.last_attempt),
        awaited=frozenset(one.subject_id for one in people if one.state is SubjectState.PENDING),
        under_way=frozenset(
            record.step.subject_id
            for record in sent
            if record.state in _IN_DOUBT and record.operation_id != operation.operation_id
        ),
        empty_handed=tuple(one for one in failed if one.applied_at and one.applied_at >= since),
    )


def goes_through_group(policy: Policy, wish: Wish, mappings: Mappings) -> bool:
    """Group licensing needs Entra ID P1, so a product that brings none is given directly."""
    return policy.assignment_mode is AssignmentMode.GROUP and wish.sku_id in mappings.group_licensing


def observe_groups(
    gateway: LicenceGateway,
    operation: Operation,
    policy: Policy,
    basis: GroupBasis,
    census: Census,
    mappings: Mappings,
    *,
    also: frozenset[GroupId] = frozenset(),
) -> ObservedGroups:
    """`also`: groups of interest that bring nobody anything now.

    Raises GraphError when a group that matters cannot be read.
    """
    wish = operation.wish
    others = groups_that_bring(census.people, products(wish)) | also
    if not goes_through_group(policy, wish, mappings):
        return ObservedGroups(scene=_scene(basis, _kinds(gateway, operation, others)))
    is_ours = policy.group_id is None or policy.group_id in basis.ids
    row = _row(operation, basis, mappings) if is_ours else None
    known = policy.group_id or (row.group_id if row else None)
    target = _as_we_left_it(_target(gateway, operation, known, row), basis.fresh)
    if row and policy.group_id is None and _serves_another(target, operation, basis):
        row, known = _new_row(operation, basis, mappings), None
        target = _as_we_left_it(_target(gateway, operation, known, row), basis.fresh)
    seen = _kinds(gateway, operation, others - {target.group_id} if target else others)
    scene = msgspec.structs.replace(
        _scene(basis, seen), target=target, is_ours=is_ours, nickname=row.nickname if row else ""
    )
    names = {known, row.nickname if row else None}
    if names & basis.under_way:
        return ObservedGroups(scene=scene, row=row, is_busy=True)
    trouble = trouble_with(target, row, wish.sku_id, wish.replaces)
    if trouble and {step.subject_id for step in basis.fresh} & names:
        raise RetryableError("The group does not show yet what we wrote a moment ago.", Reason.TRANSIENT)
    return ObservedGroups(scene=scene, row=row, trouble=trouble)


def _scene(basis: GroupBasis, others: dict[GroupId, ObservedGroup]) -> GroupScene:
    return GroupScene(
        others=others,
        ours=basis.ids,
        is_in_doubt=basis.is_in_doubt,
        reprocessed=basis.reprocessed,
        awaited=basis.awaited,
    )


def _kinds(gateway: LicenceGateway, operation: Operation, groups: frozenset[GroupId]) -> dict[GroupId, ObservedGroup]:
    """Those that can be read: of any other nobody knows whether we may touch it, so we do not."""
    seen = gateway.observe_groups(operation.tenant_id, sorted(groups), with_members=False) if groups else {}
    return {group_id: group for group_id, group in seen.items() if group}


def _row(operation: Operation, basis: GroupBasis, mappings: Mappings) -> LicensingGroup:
    """The register's row for the product; else for one it replaces, whose group it takes over; else a new one."""
    wish = operation.wish
    of_holder = {row.sku_id: row for row in basis.register if row.holder_id == wish.holder_id}
    if wish.sku_id in of_holder:
        return of_holder[wish.sku_id]
    taken_over = next((of_holder[sku] for sku in sorted(wish.replaces) if sku in of_holder), None)
    if taken_over is None:
        return _new_row(operation, basis, mappings)
    return msgspec.structs.replace(taken_over, sku_id=wish.sku_id, is_licensed=False)


def _new_row(operation: Operation, basis: GroupBasis, mappings: Mappings) -> LicensingGroup:
    """For a group that is still to be made, under a name that no other group of ours has."""
    wish = operation.wish
    part_number = mappings.skus[wish.sku_id].part_number
    return LicensingGroup(
        tenant_id=operation.tenant_id,
        sku_id=wish.sku_id,
        holder_id=wish.holder_id,
        nickname=nickname_for(part_number, wish.holder_id, {row.nickname for row in basis.register if row.group_id}),
    )


def _serves_another(target: ObservedGroup | None, operation: Operation, basis: GroupBasis) -> bool:
    """Whether the group went to another product by an order of ours, and brings that one now, which is to stay."""
    if target is None or any(target.licence(sku) for sku in products(operation.wish)):
        return False
    shared = [row.sku_id for row in basis.register if row.group_id == target.group_id]
    return any(target.licence(sku) for sku in shared)


def with_our_members(groups: ObservedGroups, receipts: Iterable[StepRecord]) -> ObservedGroups:
    """With those whom we put into the target, or took out of it, so lately that a replica may not know."""
    target = groups.scene.target
    if target is None:
        return groups
    members = set(target.members)
    ours = [(one.applied_at, one.step) for one in receipts if one.step.change.group_id == target.group_id]
    for _, step in sorted(((at, step) for at, step in ours if at), key=itemgetter(0)):
        if step.kind is StepKind.ADD_MEMBERS:
            members.add(step.subject_id)
        elif step.kind is StepKind.REMOVE_MEMBER:
            members.discard(step.subject_id)
    target = msgspec.structs.replace(target, members=frozenset(members))
    return msgspec.structs.replace(groups, scene=msgspec.structs.replace(groups.scene, target=target))


def _as_we_left_it(group: ObservedGroup | None, fresh: Sequence[Step]) -> ObservedGroup | None:
    """Our own receipts outrank a replica that lags."""
    for step in fresh:
        if group is not None and step.kind is StepKind.LICENSE_GROUP and step.change.group_id == group.group_id:
            group = licensed(group, step.change)
    return group


def _target(
    gateway: LicenceGateway, operation: Operation, group_id: GroupId | None, row: LicensingGroup | None
) -> ObservedGroup | None:
    """By its id, or, while nobody knows that, by the name under which it was asked for."""
    if group_id is None:
        return gateway.find_group(operation.tenant_id, row.nickname) if row else None
    seen = gateway.observe_groups(operation.tenant_id, [group_id])
    if group_id not in seen:
        raise RetryableError(f"Group {group_id} could not be read.", Reason.NO_ANSWER)
    return seen[group_id]
