"""A school that assigned by itself wants it done from now on: what was only placed there is given to its people."""

from collections.abc import Iterator
from datetime import date, datetime

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.ids import SYSTEM, LineKey, OperationId, TenantId
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.planning.entitlements import in_force
from provisioning.ports import UnitOfWork
from provisioning.services.successor import begin_successor

_ENDED = frozenset({OperationState.COMPLETED, OperationState.PARTIALLY_COMPLETED})
_NOT_BEGUN = frozenset({OperationState.NEW, OperationState.AWAITING_DATE})
_ALL = 100_000


def serve_school(uow: UnitOfWork, before: Policy, policy: Policy, now: datetime) -> list[Operation]:
    """The operations that follow those that only placed seats; in the transaction that puts the policy in force.

    One per line whose seats are in force on the policy's first day, from that day on, within the same entitlement and
    guards. None when the school did not assign by itself before, or when one follows already.
    """
    if before.assignment_mode is not AssignmentMode.NONE or policy.assignment_mode is AssignmentMode.NONE:
        return []
    first_day = max(policy.valid_from, dutch_day(now))
    latest = list(_latest(uow, policy.tenant_id))
    brought_forward = [_brought_forward(uow, one, first_day, now) for one in latest if _waits_beyond(one, first_day)]
    begun = [
        begin_successor(uow, _from(ended, first_day), SYSTEM, now, {"policy": policy.digest})
        for ended in latest
        if ended.state in _ENDED and _was_left_to_school(uow, ended) and _is_in_force(uow, ended, first_day)
    ]
    return [*brought_forward, *begun]


def serve_school_later(uow: UnitOfWork, ended: Operation, now: datetime) -> Operation | None:
    """What follows a delivery that has just ended with its seats placed, when the school already decided on more.

    Its policy is in force from a later day: approving it could not know of this delivery.
    """
    today, tenant = dutch_day(now), ended.tenant_id
    days = sorted(p.valid_from for p in uow.tenants.list_policies(tenant) if p.approved_by and p.valid_from > today)
    serving = (day for day in days if uow.tenants.policy_on(tenant, day).assignment_mode is not AssignmentMode.NONE)
    first_day = next(serving, None)
    if first_day is None or not _is_in_force(uow, ended, first_day):
        return None
    policy = uow.tenants.policy_on(tenant, first_day)
    return begin_successor(uow, _from(ended, first_day), SYSTEM, now, {"policy": policy.digest})


def _latest(uow: UnitOfWork, tenant: TenantId) -> Iterator[Operation]:
    """The last delivery of each line there: whoever has a follower already is not followed again."""
    latest: dict[LineKey | OperationId, Operation] = {}
    deliveries = (x for x in uow.operations.list_by(tenant=tenant, limit=_ALL) if x.kind is OperationKind.DELIVER)
    for operation in sorted(deliveries, key=lambda one: (one.created_at, one.operation_id)):
        latest[operation.wish.line or operation.operation_id] = operation
    yield from latest.values()


def _waits_beyond(operation: Operation, first_day: date) -> bool:
    """A follower that waits for the day of a policy which this one has replaced."""
    starts_on = operation.wish.starts_on
    is_follower = operation.wish.seats_wanted == 0 and operation.state in _NOT_BEGUN
    return is_follower and starts_on is not None and starts_on > first_day


def _brought_forward(uow: UnitOfWork, operation: Operation, first_day: date, now: datetime) -> Operation:
    wish = msgspec.structs.replace(operation.wish, starts_on=first_day)
    return uow.operations.save(msgspec.structs.replace(operation, wish=wish, due_at=now))


def _was_left_to_school(uow: UnitOfWork, ended: Operation) -> bool:
    """Nobody was spoken of, or somebody was left to the school when its policy changed in the middle."""
    people = uow.journal.subjects(ended.operation_id)
    return not people or any(person.reason is Reason.SCHOOL_ASSIGNS for person in people)


def _is_in_force(uow: UnitOfWork, ended: Operation, on: date) -> bool:
    bought = [entry for entry in uow.ledger.list_by(ended.wish.holder_id) if entry.cause_ref == str(ended.wish.line)]
    return any(entry.tenant_id == ended.tenant_id for entry in in_force(bought, on))


def _from(ended: Operation, first_day: date) -> Operation:
    wish = ended.wish
    starts_on = max(first_day, wish.starts_on) if wish.starts_on else first_day
    return msgspec.structs.replace(ended, wish=msgspec.structs.replace(wish, starts_on=starts_on))
