"""People who have a product, but not as the policy says they should: directly, or through a group."""

from datetime import datetime

from provisioning.domain.lifecycle import OperationState, StepState
from provisioning.domain.operation import Operation, OperationKind, StepKind
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.ports import UnitOfWork
from provisioning.services.successor import begin_change, is_under_way

_ENDED = frozenset({OperationState.COMPLETED, OperationState.PARTIALLY_COMPLETED})
_ALL = 100_000


def bring_into_form(uow: UnitOfWork, before: Policy, policy: Policy, now: datetime) -> list[Operation]:
    """The changes that follow when a school has its licences given in another way; in the policy's own transaction.

    One per product and holder that were delivered there. None when nothing differs, or the school assigns by itself.
    """
    ways = {before.assignment_mode, policy.assignment_mode}
    is_other_way = (before.assignment_mode, before.group_id) != (policy.assignment_mode, policy.group_id)
    if AssignmentMode.NONE in ways or not is_other_way:
        return []
    ended = uow.operations.list_by(states=_ENDED, tenant=policy.tenant_id, limit=_ALL)
    delivered = sorted((one for one in ended if one.wish.part is None), key=lambda one: one.created_at)
    latest = {(one.wish.sku_id, one.wish.holder_id): one for one in delivered}
    details = {"policy": policy.digest}
    return [begin_change(uow, one, now, details) for one in latest.values() if not is_under_way(uow, one)]


def move_later(uow: UnitOfWork, ended: Operation, policy: Policy, now: datetime) -> Operation | None:
    """After a delivery through a group: whoever had to be swapped directly is moved to the group now that they can."""
    if policy.assignment_mode is not AssignmentMode.GROUP or ended.kind is not OperationKind.DELIVER:
        return None
    swaps = uow.journal.steps_of_kind(ended.operation_id, StepKind.SWAP)
    has_direct = any(record.state is StepState.VERIFIED for record in swaps)
    return begin_change(uow, ended, now, {"serves": ended.operation_id}) if has_direct else None
