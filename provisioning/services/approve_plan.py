"""A person lets a plan be applied that does not apply by itself: exactly the one that was shown."""

from dataclasses import dataclass
from datetime import datetime

from provisioning.domain.actors import Identity
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.events import Event
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.rights import Action, require, require_other
from provisioning.domain.worklist import Intent, Topic
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork, PlanRecord, UnitOfWork
from provisioning.services.application_incident import OURSELVES
from provisioning.services.authors import authors_of
from provisioning.services.decisions import decide
from provisioning.services.lookup import get_operation
from provisioning.services.named_approvers import require_named
from provisioning.services.refusals import refusals_on_record
from provisioning.services.show_plan import awaits_approval, current_plan
from provisioning.services.transitions import move

_MIN_DIGEST = 8


@dataclass(frozen=True, kw_only=True)
class ApprovePlan:
    open_uow: OpenUnitOfWork
    clock: Clock
    dispatcher: Dispatcher

    def __call__(self, identity: Identity, named: str, digest: str, *, break_glass: str | None = None) -> Operation:
        """`digest`: at least the first 8 characters of the envelope's, as shown.

        `break_glass`: why an administrator has to approve alone; we are told, and somebody else reviews it.
        Raises NotAllowedError for whoever had a hand in it, ConflictError when the plan is another or too late.
        """
        deed = Action.APPROVE_PLAN if break_glass is None else Action.BREAK_GLASS
        with refusals_on_record(self.open_uow, self.clock, identity, deed, named, digest):
            _require_right(identity, break_glass)
            operation = decide(self.open_uow, lambda uow: self._decide(uow, identity, named, digest, break_glass))
        self.dispatcher.advance(operation.operation_id, operation.lane)
        return operation

    def _decide(
        self, uow: UnitOfWork, identity: Identity, named: str, digest: str, break_glass: str | None
    ) -> Operation:
        now = self.clock.now()
        operation = get_operation(uow, named)
        record = current_plan(uow, operation)
        _require_own_door(uow, operation)
        if not awaits_approval(operation, record, now):
            raise ConflictError(
                "This plan waits for approval no longer; look at it again with `provisioning plans show`."
            )
        _whole_digest(record, digest)
        return approve_in(uow, identity, operation, record, now, break_glass)


def approve_in(
    uow: UnitOfWork,
    identity: Identity,
    operation: Operation,
    record: PlanRecord,
    now: datetime,
    break_glass: str | None = None,
) -> Operation:
    """Approve exactly this plan, which waits for it, in the caller's transaction. Raises NotAllowedError."""
    if break_glass is None:
        _require_fresh_eyes(uow, identity, operation, record)
        require_named(uow, identity, operation)
    else:
        uow.outbox.add([_alarm(operation, now)])
    uow.plans.approve(record.plan_id, identity.actor, record.digest, now, break_glass)
    kind = "plan.approved" if break_glass is None else "plan.approved_alone"
    uow.audit.record([decision(kind, identity, operation, record, now, break_glass)])
    return move(uow, operation, OperationState.APPLYING, now, actor=identity.actor)


def _require_own_door(uow: UnitOfWork, operation: Operation) -> None:
    """A ticket's plans are approved with it: whoever decides must have seen who asked, and all of them at once.

    Once it has ended, whom it left out may be served by a plan of their own.
    """
    ticket_id = None if operation.wish.remap is None else operation.wish.remap.ticket_id
    ticket = None if ticket_id is None else uow.tickets.find(ticket_id)
    if ticket is not None and not ticket.has_ended:
        raise ConflictError(
            f"This plan is part of ticket {ticket.key}; `provisioning tickets approve` approves all of it at once."
        )


def _require_right(identity: Identity, break_glass: str | None) -> None:
    require(identity, Action.APPROVE_PLAN if break_glass is None else Action.BREAK_GLASS)
    if break_glass is not None and not break_glass.strip():
        raise InputError("Approving alone needs a reason: why can nobody else be asked?")


def _alarm(operation: Operation, now: datetime) -> Intent:
    return Intent(topic=Topic.GLASS_BROKEN, organisation_id=OURSELVES, reference=operation.operation_id, at=now)


def decision(
    kind: str, identity: Identity, operation: Operation, record: PlanRecord, now: datetime, reason: str | None = None
) -> Event:
    """The audit line of a person's decision about a plan."""
    return Event(
        at=now,
        actor=identity.actor,
        kind=kind,
        organisation=operation.wish.holder_id,
        tenant=operation.tenant_id,
        operation=operation.operation_id,
        after=record.digest,
        reason=reason,
    )


def _require_fresh_eyes(uow: UnitOfWork, identity: Identity, operation: Operation, record: PlanRecord) -> None:
    for author, deed in authors_of(uow, operation, record):
        require_other(identity, author, deed)


def _whole_digest(record: PlanRecord, named: str) -> str:
    digest = named.strip().lower()
    if len(digest) < _MIN_DIGEST:
        raise InputError(f"Name the plan by at least the first {_MIN_DIGEST} characters of its digest.")
    if not record.digest.startswith(digest):
        raise ConflictError(
            f"The plan is not the one you saw: its digest begins with {record.digest[:_MIN_DIGEST]}. Look at it again."
        )
    return record.digest
