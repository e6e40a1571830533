"""Work that draws or judges is left alone while this process has other rules than those in force."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.configuration import ConfigurationKind
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.ports import Clock, OpenUnitOfWork, PlanRecord
from provisioning.services.advance_operation import Work

LOOK_AGAIN = timedelta(seconds=5)  # while a new version is put in place, a worker that has it comes by soon


def only_in_force(
    work: Work, unapproved: Callable[[], Collection[ConfigurationKind]], open_uow: OpenUnitOfWork, clock: Clock
) -> Work:
    """The same work; an operation that has no other reason to wait says that it waits for the approval."""

    def do(operation: Operation, lease: Lease) -> bool:
        if not unapproved():
            over = operation.reason is Reason.CONFIGURATION_UNAPPROVED
            return work(msgspec.structs.replace(operation, reason=None) if over else operation, lease)
        waiting = msgspec.structs.replace(
            operation,
            due_at=clock.now() + LOOK_AGAIN,
            lost_attempts=0,
            reason=operation.reason or Reason.CONFIGURATION_UNAPPROVED,
        )
        with open_uow() as uow:
            uow.operations.save(waiting)
            uow.commit()
        return False

    return do


def needs_rules_in_force(
    plan: PlanRecord, void: Reason | None, unapproved: Mapping[ConfigurationKind, datetime]
) -> bool:
    """Whether only a process with the rules in force can say if the plan still stands, and how it is guarded.

    A plan drawn since the mappings in force are rests on these; while our own rows say the same, it goes on.
    """
    since = unapproved.get(ConfigurationKind.MAPPINGS)
    return bool(void) or ConfigurationKind.LIMITS in unapproved or (since is not None and plan.drawn_at < since)
