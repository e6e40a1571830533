"""A person takes tenants out of a campaign, puts them back, or tries again whoever is left."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.campaign import Campaign, CampaignMember, CampaignState, MemberState
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.ids import Actor
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.campaign_deeds import deed, get_campaign, member_deed, members_named, told_of_end
from provisioning.services.cancel_part import cancel_unless_at_work
from provisioning.services.decisions import decide
from provisioning.services.migration_deeds import require_reason
from provisioning.services.retry_operation import go_on
from provisioning.services.steer_campaign import require_standing

_M = MemberState
_AT_WORK = frozenset({_M.RUNNING, _M.HELD})
_MAY_GO = frozenset({_M.WAITING, _M.FAILED}) | _AT_WORK


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    campaign: Campaign
    members: int  # how many it concerned


class _Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """`members`: those who were named, whatever state they are in."""

    campaign: Campaign
    members: Sequence[CampaignMember]
    reason: str
    now: datetime


@dataclass(frozen=True, kw_only=True)
class _ChangeList:
    """What a person does to chosen members of a campaign whose list is open; each deed says what becomes of them."""

    called: ClassVar[str]  # as the sentence begins that asks for its reason

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(
        self, identity: Identity, named: str, reason: str, tenants: Sequence[str] = (), holders: Sequence[str] = ()
    ) -> Changed:
        """`holders`: codes of holders or boards. Raises InputError for who is not in it, or cannot be changed so."""
        require(identity, Action.STEER_CAMPAIGN)
        require_reason(reason, self.called)

        def change(uow: UnitOfWork) -> Changed:
            campaign, now = require_open(get_campaign(uow, named)), self.clock.now()
            members = members_named(uow, campaign, tenants, holders)
            changed = self._change(uow, _Chosen(campaign=campaign, members=members, reason=reason, now=now))
            return _store(uow, campaign, changed, identity, now, reason)

        return decide(self.open_uow, change)

    def _change(self, uow: UnitOfWork, chosen: _Chosen) -> list[CampaignMember]:
        raise NotImplementedError


class ExcludeMembers(_ChangeList):
    """What was begun there is read back and stays; nothing more is written. Not for who has ended there."""

    called = "Excluding"

    def _change(self, uow: UnitOfWork, chosen: _Chosen) -> list[CampaignMember]:
        meant = [one for one in chosen.members if one.state in _MAY_GO]
        if not meant:
            raise InputError("All of them have ended, or are excluded already; nothing was changed.")
        for one in meant:
            if one.state in _AT_WORK and one.operation_id:
                operation = uow.operations.get(one.operation_id)
                cancel_unless_at_work(uow, operation, Reason.EXCLUDED_FROM_CAMPAIGN, chosen.now)
        return [_excluded(one, chosen.reason, chosen.now) for one in meant]


def _excluded(member: CampaignMember, reason: str, now: datetime) -> CampaignMember:
    return msgspec.structs.replace(
        member, state=_M.EXCLUDED, reason=Reason.EXCLUDED_FROM_CAMPAIGN, told=reason, entered_at=now
    )


class IncludeMembers(_ChangeList):
    """Only who was in the list that was drawn: another list is another campaign.

    Not for who is not excluded, was never to go, or whose work there is still being ended.
    """

    called = "Including again"

    def _change(self, uow: UnitOfWork, chosen: _Chosen) -> list[CampaignMember]:
        meant = [one for one in chosen.members if one.state is _M.EXCLUDED]
        if not meant:
            raise InputError("None of them is excluded; nothing was changed.")
        _require_approved_list(chosen.campaign, meant)
        _require_ended(uow, meant)
        return [waiting_again(one, chosen.now) for one in meant]


def _require_approved_list(campaign: Campaign, members: Collection[CampaignMember]) -> None:
    """A second person let the list be as they saw it; only who was taken out since comes back into it."""
    if never := next((one for one in members if one.reason is Reason.LEFT_OUT), None):
        raise InputError(
            f"{never.tenant_id} was left out when the campaign was drawn ({never.told}): whoever approved it "
            "approved it without. Prepare another campaign for it."
        )
    given = campaign.approval
    if given and (unseen := next((one for one in members if one.entered_at < given.approved_at), None)):
        raise InputError(
            f"{unseen.tenant_id} was excluded when the campaign was approved ({unseen.told}): whoever approved it "
            "approved it without. Prepare another campaign for it."
        )


def _require_ended(uow: UnitOfWork, members: Collection[CampaignMember]) -> None:
    for one in members:
        if one.operation_id and uow.operations.get(one.operation_id).state not in OPERATION_ENDS:
            raise InputError(f"What was begun in tenant {one.tenant_id} is still being read back; try again shortly.")


@dataclass(frozen=True, kw_only=True)
class RetryLeftovers:
    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings

    def __call__(self, identity: Identity, named: str, reason: str) -> Changed:
        """Whoever failed or is left begins again, in the campaign's own order; what is held goes on.

        Raises InputError when nobody is, or the campaign is not approved as it is now.
        """
        require(identity, Action.STEER_CAMPAIGN)
        require_reason(reason, "Trying again")
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, reason))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, reason: str) -> Changed:
        now = self.clock.now()
        campaign = get_campaign(uow, named)
        if campaign.state in {CampaignState.NEW, CampaignState.APPROVED, CampaignState.CALLED_OFF}:
            raise InputError(f"Campaign {campaign.definition.name} is {campaign.state}; nobody was left by it.")
        require_standing(campaign, self.mappings, now)
        members = uow.campaigns.members(campaign.campaign_id)
        ended = [one for one in members if one.state in {_M.FAILED, _M.PARTIALLY_COMPLETED}]
        left = [_tried_again(one, identity.actor, now) for one in ended]
        held = [one for one in members if one.state is _M.HELD and self._goes_on(uow, one, identity, now)]
        if not left and not held:
            raise InputError("Nobody is left and nothing is held; there is nothing to try again.")
        if campaign.state is CampaignState.COMPLETED:
            campaign = msgspec.structs.replace(campaign, state=CampaignState.RUNNING, entered_at=now)
        seen = [msgspec.structs.replace(one, is_seen=True) for one in held]
        return _store(uow, campaign, [*left, *seen], identity, now, reason)

    def _goes_on(self, uow: UnitOfWork, member: CampaignMember, identity: Identity, now: datetime) -> bool:
        operation = uow.operations.get(member.operation_id) if member.operation_id else None
        if operation is None or operation.state is not OperationState.HELD:
            return False
        go_on(uow, operation, identity.actor, now)
        return True


def _tried_again(member: CampaignMember, by: Actor, now: datetime) -> CampaignMember:
    """Its operation begins later, by itself: whoever had it tried again is remembered until then."""
    return msgspec.structs.replace(waiting_again(member, now), hands=tuple(dict.fromkeys((*member.hands, by))))


def waiting_again(member: CampaignMember, now: datetime) -> CampaignMember:
    """For its wave; what came of it before stays with its operation."""
    return msgspec.structs.replace(
        member, state=_M.WAITING, reason=None, told="", failed=0, left=0, is_seen=False, entered_at=now
    )


def require_open(campaign: Campaign) -> Campaign:
    if campaign.is_over:
        raise InputError(f"Campaign {campaign.definition.name} is {campaign.state}; its list is closed.")
    return campaign


def _store(
    uow: UnitOfWork,
    campaign: Campaign,
    members: Sequence[CampaignMember],
    identity: Identity,
    now: datetime,
    reason: str,
) -> Changed:
    """A campaign that was never started is looked at by nobody yet."""
    is_looked_at = campaign.state not in {CampaignState.NEW, CampaignState.APPROVED}
    before = {one.key: one for one in uow.campaigns.members(campaign.campaign_id)}
    uow.campaigns.save_members(campaign.campaign_id, members)
    if campaign.approval is not None:  # else no board has heard of it
        uow.outbox.add(told_of_end(before, before | {one.key: one for one in members}, now))
    uow.audit.record(
        [
            deed("campaign.list_changed", campaign, identity.actor, now, reason, members=str(len(members))),
            *(member_deed(f"campaign_member.{one.state}", one, identity.actor, now, reason) for one in members),
        ]
    )
    saved = uow.campaigns.save(msgspec.structs.replace(campaign, due_at=now) if is_looked_at else campaign)
    return Changed(campaign=saved, members=len(members))
