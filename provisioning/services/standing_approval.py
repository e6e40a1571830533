"""Who let a wave be prepared has let Exchange come on for the same people too, once their mailbox has moved.

The plan of the preparation says so to its approver. What goes further than that is asked for by itself.
"""

from datetime import datetime

import msgspec

from provisioning.domain.events import Event
from provisioning.domain.ids import Actor
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.operation import Operation, StepKind
from provisioning.planning.plan import Envelope, Losses, Plan
from provisioning.ports import PlanRecord, UnitOfWork
from provisioning.services.authors import authors_of


def approve_within(uow: UnitOfWork, operation: Operation, plan: Plan, now: datetime) -> bool:
    """Whether the approval of the wave's preparation covers this plan; if so it is put on record, in its name."""
    part = operation.wish.part
    if part is None or part.phase is not Phase.ENABLE or not _only_switches_on(plan):
        return False
    had_a_hand = _authors(uow, operation)
    standing = (one for one in _preparations(uow, operation, part) if _covers(one, plan, now))
    given = next((one for one in standing if one.approved_by not in had_a_hand), None)
    if given is None or given.approved_by is None:
        return False
    digest = plan.envelope.digest
    uow.plans.approve(plan.plan_id, given.approved_by, digest, now)
    uow.audit.record(
        [
            Event(
                at=now,
                actor=given.approved_by,
                kind="plan.approved",
                organisation=operation.wish.holder_id,
                tenant=operation.tenant_id,
                operation=operation.operation_id,
                after=digest,
                details={"within": given.plan_id},
            )
        ]
    )
    return True


def _only_switches_on(plan: Plan) -> bool:
    return set(plan.counts) <= {StepKind.SET_PLANS} and plan.losses == Losses()


def _preparations(uow: UnitOfWork, operation: Operation, part: MigrationPart) -> list[PlanRecord]:
    """The plans by which this wave got this product."""
    preparing = msgspec.structs.replace(part, phase=Phase.PREPARE)
    records = (
        uow.plans.current(one.operation_id)
        for one in uow.migrations.operations_of(part.migration_id)
        if one.wish.part == preparing and one.wish.sku_id == operation.wish.sku_id
    )
    return [record for record in records if record is not None]


def _authors(uow: UnitOfWork, operation: Operation) -> set[Actor]:
    """Whoever gave the evidence that mailboxes have moved, or asked for this, cannot be who lets Exchange come on."""
    record = uow.plans.current(operation.operation_id)
    return set() if record is None else {author for author, _ in authors_of(uow, operation, record)}


def _covers(given: PlanRecord, plan: Plan, now: datetime) -> bool:
    """While it is valid, and as long as everything it rested on is as it was; not of who broke the glass."""
    is_standing = given.approved_at is not None and given.valid_until > now and given.break_glass_reason is None
    return is_standing and msgspec.json.decode(given.envelope, type=Envelope).grounds == plan.grounds
