"""One approval that reaches further than one plan: what goes beyond it is asked for by itself.

Who let a wave be prepared has let Exchange come on for the same people too, once their mailbox has moved: the plan of
the preparation says so to its approver. Who approved a campaign has approved the plans of its operations.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.campaign import CampaignApproval
from provisioning.domain.catalogue import Mappings
from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, CampaignId, PlanId
from provisioning.domain.limits import Limits
from provisioning.domain.migration import MigrationPart, Phase
from provisioning.domain.operation import Operation, StepKind
from provisioning.planning.losses import kinds_of
from provisioning.planning.mapping_digest import campaign_digest
from provisioning.planning.plan import Envelope, Losses, Plan
from provisioning.ports import PlanRecord, UnitOfWork
from provisioning.services.authors import authors_of

# the approval that a campaign stands on now, None while it has none or stands still
CampaignApprovals = Callable[[UnitOfWork, CampaignId], CampaignApproval | None]


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
    _approve(uow, operation, plan.plan_id, plan.envelope.digest, given.approved_by, given.plan_id, now)
    return True


def validity_of(operation: Operation, limits: Limits) -> timedelta:
    """How long a plan waits for its approval. A campaign's wait for their waves, as a migration's do."""
    part = operation.wish.remap
    is_campaign = part is not None and part.campaign_id is not None
    return limits.migration_approval_validity if is_campaign else limits.approval_validity


def approve_in_campaign(
    uow: UnitOfWork, operation: Operation, given: CampaignApproval, mappings: Mappings, now: datetime
) -> bool:
    """Whether the campaign's approval covers the plan of this operation; if so it is put on record, in its name.

    Never when the approver had a hand in it, nor beyond the products, add-ons, mappings and kinds of loss they saw.
    The caller moves the operation on; raises ConflictError when the plan was decided about in between.
    """
    record = uow.plans.current(operation.operation_id)
    is_in_time = given.approved_at <= now < given.valid_until
    is_standing = is_in_time and given.mapping == campaign_digest(given.pairs, mappings)
    if record is None or not is_standing or not _is_of_campaign(operation, given):
        return False
    losses = msgspec.json.decode(record.envelope, type=Envelope).losses
    if not kinds_of(losses) <= given.losses or given.approved_by in _authors(uow, operation):
        return False
    _approve(uow, operation, record.plan_id, record.digest, given.approved_by, given.campaign_id, now)
    return True


def _is_of_campaign(operation: Operation, given: CampaignApproval) -> bool:
    part = operation.wish.remap
    return (
        part is not None
        and part.campaign_id == given.campaign_id
        and any(
            (pair.from_sku, pair.to_sku) == (part.from_sku, operation.wish.sku_id)
            and pair.along.items() <= part.along.items()  # what else goes along, the same mappings say
            for pair in given.pairs
        )
    )


def _approve(
    uow: UnitOfWork, operation: Operation, plan: PlanId, digest: str, by: Actor, within: str, now: datetime
) -> None:
    uow.plans.approve(plan, by, digest, now)
    uow.audit.record(
        [
            Event(
                at=now,
                actor=by,
                kind="plan.approved",
                organisation=operation.wish.holder_id,
                tenant=operation.tenant_id,
                operation=operation.operation_id,
                after=digest,
                details={"within": within},
            )
        ]
    )


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
