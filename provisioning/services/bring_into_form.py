"""People who have a product, but not as the policy says they should: directly, or through a group."""

from datetime import datetime

from provisioning.domain.lifecycle import OperationState, StepState
from provisioning.domain.operation import Operation, OperationKind, StepKind
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.ports import UnitOfWork
from provisioning.services.successor import begin_change, is_under_way

_ENDED = frozenset({OperationState.COMPLETED, OperationState.PARTIALLY_COMPLETED})
_FIRST = frozenset({OperationKind.DELIVER, OperationKind.REMAP})
_ALL = 100_000
_OTHER_FORM = {
    AssignmentMode.GROUP: (StepKind.SWAP,),
    AssignmentMode.DIRECT: (StepKind.ADD_MEMBERS, StepKind.LICENSE_GROUP),
}


def bring_into_form(uow: UnitOfWork, before: Policy, policy: Policy, now: datetime) -> list[Operation]:
    """The changes that follow when a school has its licences given in another way; in the policy's own transaction.

    One per product and holder that were delivered there. None when nothing differs, or the school assigns by itself.
    """
    ways = {before.assignment_mode, policy.assignment_mode}
    is_other_way = (before.assignment_mode, before.group_id) != (policy.assignment_mode, policy.group_id)
    if AssignmentMode.NONE in ways or not is_other_way:
        return []
    ended = uow.operations.list_by(states=_ENDED, tenant=policy.tenant_id, limit=_ALL)
    given = (one for one in ended if one.wish.part is None)
    delivered = sorted(given, key=lambda one: (one.wish.remap is None, one.created_at))  # a delivery knows more people
    latest = {(one.wish.sku_id, one.wish.holder_id): one for one in delivered}
    details = {"policy": policy.digest}
    return [begin_change(uow, one, now, details) for one in latest.values() if not is_under_way(uow, one)]


def move_later(uow: UnitOfWork, ended: Operation, policy: Policy, now: datetime) -> Operation | None:
    """After a delivery or a remap: whoever did not get it as the policy says is brought there now that they can be.

    Through a group: who had to be swapped directly. Directly: who came in by a group before the policy changed.
    """
    if ended.kind not in _FIRST:
        return None
    others = (
        record
        for kind in _OTHER_FORM.get(policy.assignment_mode, ())
        for record in uow.journal.steps_of_kind(ended.operation_id, kind)
    )
    is_other = any(record.state is StepState.VERIFIED for record in others)
    return begin_change(uow, ended, now, {"serves": ended.operation_id}) if is_other else None
