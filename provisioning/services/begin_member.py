"""A tenant's turn in a campaign becomes an operation: its first, or the one that goes on where the first ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from provisioning.domain.calendar import dutch_day
from provisioning.domain.campaign import Campaign, CampaignMember
from provisioning.domain.catalogue import Mappings
from provisioning.domain.events import Event
from provisioning.domain.ids import ArticleCode, OperationId, OrganisationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Lane, Operation, OperationKind, Wish
from provisioning.domain.remap import RemapPart
from provisioning.planning.mapping_digest import current_row_digest
from provisioning.ports import UnitOfWork
from provisioning.services.boards import is_under
from provisioning.services.successor import begin_successor
from provisioning.services.transitions import move

# the first operation of a member, in the caller's transaction; the same one when it was begun before
BeginFirst = Callable[[UnitOfWork, Mappings, Campaign, CampaignMember, datetime], Operation]


def organisations_of(uow: UnitOfWork, member: CampaignMember, now: datetime) -> tuple[OrganisationId, ...]:
    """The holder and whoever stands under it, as far as they use this tenant; in the order of their codes."""
    today = dutch_day(now)
    bound = {binding.organisation_id for binding in uow.tenants.bindings_in(member.tenant_id, today)}
    return tuple(sorted(one for one in bound if is_under(uow, one, member.holder_id, today)))


def operation_of(
    uow: UnitOfWork, mappings: Mappings, campaign: Campaign, member: CampaignMember, now: datetime
) -> Operation:
    """The operation as it would begin now; nothing is kept. Its id is the same whoever begins it."""
    pair = next(one for one in campaign.definition.pairs if one.from_sku == member.from_sku)
    key = (member.campaign_id, member.tenant_id, member.holder_id, member.from_sku, member.to_sku)
    return Operation(
        operation_id=OperationId(str(uuid5(NAMESPACE_URL, "campaign:" + "/".join(key)))),
        kind=OperationKind.REMAP,
        tenant_id=member.tenant_id,
        lane=Lane.BULK,
        state=OperationState.NEW,
        wish=Wish(
            sku_id=member.to_sku,
            audience=mappings.skus[member.to_sku].audience,
            article_code=ArticleCode(""),
            replaces=frozenset({member.from_sku}),
            holder_id=member.holder_id,
            organisations=organisations_of(uow, member, now),
            seats_wanted=0,
            mapping_digest=current_row_digest(ArticleCode(""), member.to_sku, mappings) or "",
            remap=RemapPart(
                from_sku=member.from_sku, along=pair.along, campaign_id=member.campaign_id, wave=member.wave
            ),
        ),
        requested_by=campaign.requested_by,
        created_at=now,
        entered_at=now,
        due_at=now,
    )


def begin_first(
    uow: UnitOfWork, mappings: Mappings, campaign: Campaign, member: CampaignMember, now: datetime
) -> Operation:
    """Add it and put it on record."""
    operation = operation_of(uow, mappings, campaign, member, now)
    known = uow.operations.find(operation.operation_id)
    if known is not None:
        return known
    uow.operations.add(operation)
    uow.audit.record(
        [
            Event(
                at=now,
                actor=campaign.requested_by,
                kind="operation.created",
                organisation=member.holder_id,
                tenant=member.tenant_id,
                operation=operation.operation_id,
                after=operation.state,
                details={"campaign": campaign.campaign_id, "from": member.from_sku, "to": member.to_sku},
            )
        ]
    )
    return operation


@dataclass(frozen=True, kw_only=True)
class BeginMember:
    mappings: Mappings
    first: BeginFirst = begin_first

    def __call__(self, uow: UnitOfWork, campaign: Campaign, member: CampaignMember, now: datetime) -> Operation:
        """In the caller's transaction, who also dispatches it.

        One that failed goes on; one that ended with people left is followed by another; one under way is taken as it
        is. Raises InputError, with nothing changed, for what can never become a plan.
        """
        if member.operation_id is None:
            return self.first(uow, self.mappings, campaign, member, now)
        before = uow.operations.get(member.operation_id)
        if before.state is OperationState.FAILED:
            return move(uow, before, OperationState.NEW, now)
        if before.state in OPERATION_ENDS:
            return begin_successor(uow, before, campaign.requested_by, now)
        return before
