"""One look at a campaign: fold in what its operations came to, stop it when too much went wrong, begin who is next."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.campaign import (
    Campaign,
    CampaignMember,
    CampaignState,
    MemberState,
)
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, CampaignId
from provisioning.domain.limits import Limits
from provisioning.domain.migration import Window
from provisioning.domain.operation import Operation
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Intent, Topic
from provisioning.planning.campaign_turn import Pace, Standing, Turn, next_turn
from provisioning.ports import Clock, Dispatcher, OpenUnitOfWork, UnitOfWork
from provisioning.services.application_incident import OURSELVES
from provisioning.services.approve_campaign import why_not_standing
from provisioning.services.campaign_deeds import deed, member_deed, told_of_end

_LOOKED_AT = frozenset({CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.STOPPED, CampaignState.CALLED_OFF})
_AT_WORK = frozenset({MemberState.RUNNING, MemberState.HELD})

Begin = Callable[[UnitOfWork, Campaign, CampaignMember, datetime], Operation]
Opening = Callable[[Window, datetime], datetime | None]


@dataclass(frozen=True, kw_only=True)
class AdvanceCampaign:
    """Called any number of times; two at once are told apart by the campaign's version (ConflictError)."""

    open_uow: OpenUnitOfWork
    clock: Clock
    dispatcher: Dispatcher
    limits: Limits
    mappings: Mappings
    begin: Begin
    opening: Opening

    def __call__(self, campaign_id: CampaignId) -> int:
        """How many tenants it began."""
        now = self.clock.now()
        with self.open_uow() as uow:
            campaign = uow.campaigns.get(campaign_id)
            if campaign.state not in _LOOKED_AT:
                return 0
            standing = self._standing(uow, campaign, now)
            turn = self._while_approved(next_turn(standing), now)
            begun = [self._begun(uow, turn.campaign, member, now) for member in turn.begins]
            self._store(uow, standing, turn, [member for member, _ in begun], now)
            uow.commit()
        operations = [operation for _, operation in begun if operation is not None]
        for operation in operations:
            self.dispatcher.advance(operation.operation_id, operation.lane)
        return len(operations)

    def _standing(self, uow: UnitOfWork, campaign: Campaign, now: datetime) -> Standing:
        return Standing(
            campaign=campaign,
            members=tuple(uow.campaigns.members(campaign.campaign_id)),
            progress=uow.campaigns.progress(campaign.campaign_id),
            pace=Pace(at_once=self.limits.campaign_at_once, in_a_look=self.limits.campaign_in_a_look),
            is_open=self.opening(campaign.definition.window, now) == now,
            now=now,
        )

    def _while_approved(self, turn: Turn, now: datetime) -> Turn:
        """Nobody begins on an approval that ended, or on other mappings than were approved: a person looks first."""
        why = why_not_standing(turn.campaign, self.mappings, now) if turn.begins else ""
        if not why:
            return turn
        stopped = msgspec.structs.replace(
            turn.campaign,
            state=CampaignState.STOPPED,
            reason=Reason.APPROVAL_EXPIRED,
            told=why,
            entered_at=now,
        )
        return msgspec.structs.replace(turn, campaign=stopped, begins=())

    def _begun(
        self, uow: UnitOfWork, campaign: Campaign, member: CampaignMember, now: datetime
    ) -> tuple[CampaignMember, Operation | None]:
        """What can never become a plan fails here, in a sentence, and keeps nobody else from beginning."""
        try:
            operation = self.begin(uow, campaign, member, now)
        except InputError as error:
            return _at(member, MemberState.FAILED, now, reason=Reason.WORK_FAILED, told=str(error)), None
        return _at(member, MemberState.RUNNING, now, operation_id=operation.operation_id), operation

    def _store(
        self, uow: UnitOfWork, standing: Standing, turn: Turn, begun: Sequence[CampaignMember], now: datetime
    ) -> None:
        campaign, before = turn.campaign, {one.key: one for one in standing.members}
        last = {one.key: one for one in turn.members}
        folded = [one for one in turn.members if one != before[one.key]]
        uow.campaigns.save_members(campaign.campaign_id, folded)
        uow.campaigns.save_members(campaign.campaign_id, begun)
        last |= {one.key: one for one in begun}
        uow.audit.record(
            [
                *_moves(standing.campaign, campaign, now),
                *(
                    member_deed(f"campaign_member.{one.state}", one, SYSTEM, now, before=before[one.key].state)
                    for one in [*folded, *begun]
                    if one.state is not before[one.key].state
                ),
            ]
        )
        uow.outbox.add([*told_of_end(before, last, now), *_told_ourselves(standing.campaign, campaign, now)])
        uow.campaigns.save(msgspec.structs.replace(campaign, due_at=self._due(campaign, last.values(), now)))

    def _due(self, campaign: Campaign, members: Iterable[CampaignMember], now: datetime) -> datetime | None:
        """While anybody is at work, also in one that is over; a campaign that only waits for a person costs nothing."""
        is_at_work = any(one.state in _AT_WORK for one in members)
        return now + self.limits.campaign_poll if is_at_work or campaign.state is CampaignState.RUNNING else None


def _at(member: CampaignMember, state: MemberState, now: datetime, **news: object) -> CampaignMember:
    return msgspec.structs.replace(member, state=state, entered_at=now, **news)


def _moves(before: Campaign, after: Campaign, now: datetime) -> Iterator[Event]:
    if after.state is not before.state:
        yield deed(f"campaign.{after.state}", after, SYSTEM, now, after.told)


def _told_ourselves(before: Campaign, after: Campaign, now: datetime) -> Iterator[Intent]:
    if after.state is CampaignState.STOPPED and before.state is not CampaignState.STOPPED:
        yield Intent(topic=Topic.CAMPAIGN_STOPPED, organisation_id=OURSELVES, reference=after.campaign_id, at=now)
