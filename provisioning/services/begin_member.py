"""A tenant's turn in a campaign becomes an operation: its first, or the one that goes on where the first ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from provisioning.domain.calendar import dutch_day
from provisioning.domain.campaign import Campaign, CampaignMember
from provisioning.domain.catalogue import Mappings
from provisioning.domain.ids import OrganisationId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Operation
from provisioning.ports import UnitOfWork
from provisioning.services.begin_remap import AskedRemap, begin_remap, operation_for
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


def asked_by(uow: UnitOfWork, campaign: Campaign, member: CampaignMember, now: datetime) -> AskedRemap:
    """What one member's turn asks for."""
    pair = next(one for one in campaign.definition.pairs if one.from_sku == member.from_sku)
    return AskedRemap(
        tenant_id=member.tenant_id,
        from_sku=member.from_sku,
        to_sku=member.to_sku,
        holder_id=member.holder_id,
        organisations=organisations_of(uow, member, now),
        requested_by=campaign.requested_by,
        hands=member.hands,
        along=pair.along,
        campaign_id=member.campaign_id,
        wave=member.wave,
        board_id=member.board_id,
    )


def operation_of(
    uow: UnitOfWork, mappings: Mappings, campaign: Campaign, member: CampaignMember, now: datetime
) -> Operation:
    """The operation as it would begin now; nothing is kept."""
    return operation_for(mappings, asked_by(uow, campaign, member, now), now)


def begin_first(
    uow: UnitOfWork, mappings: Mappings, campaign: Campaign, member: CampaignMember, now: datetime
) -> Operation:
    """As every remap begins."""
    return begin_remap(uow, mappings, asked_by(uow, campaign, member, now), now)


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
        before = uow.operations.get(member.operation_id).with_hands(*member.hands)
        if before.state is OperationState.FAILED:
            return move(uow, before, OperationState.NEW, now)
        if before.state in OPERATION_ENDS:
            return begin_successor(uow, before, campaign.requested_by, now)
        return before
