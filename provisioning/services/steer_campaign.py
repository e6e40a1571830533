"""A person starts a campaign, pauses it, lets it go on, or calls it off."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.campaign import (
    CAMPAIGN_TRANSITIONS,
    Campaign,
    CampaignMember,
    CampaignState,
    MemberState,
)
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.approve_campaign import why_not_standing
from provisioning.services.campaign_deeds import deed, get_campaign, told_of_end
from provisioning.services.cancel_part import cancel_unless_at_work
from provisioning.services.decisions import decide
from provisioning.services.migration_deeds import require_reason

_C, _M = CampaignState, MemberState
_REASONS: Mapping[CampaignState, Reason] = {
    _C.PAUSED: Reason.CAMPAIGN_PAUSED,
    _C.CALLED_OFF: Reason.CAMPAIGN_CALLED_OFF,
}
_STOOD_STILL = frozenset({Reason.CAMPAIGN_PAUSED, Reason.CAMPAIGN_STOPPED})
_DEEDS: Mapping[CampaignState, str] = {_C.PAUSED: "pausing", _C.RUNNING: "resuming", _C.CALLED_OFF: "calling off"}
_FROM: Mapping[CampaignState, frozenset[CampaignState]] = {_C.RUNNING: frozenset({_C.PAUSED, _C.STOPPED})}


@dataclass(frozen=True, kw_only=True)
class StartCampaign:
    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings

    def __call__(self, identity: Identity, named: str) -> Campaign:
        """Nothing is written before the moment it may begin. Raises InputError unless it is approved as it is now."""
        require(identity, Action.STEER_CAMPAIGN)
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str) -> Campaign:
        now = self.clock.now()
        campaign = get_campaign(uow, named)
        if campaign.state is not _C.APPROVED:
            raise InputError(
                f"Campaign {campaign.definition.name} is {campaign.state}; only an approved one is started."
            )
        require_standing(campaign, self.mappings, now)
        uow.audit.record([deed("campaign.started", campaign, identity.actor, now)])
        return uow.campaigns.save(
            msgspec.structs.replace(
                campaign, state=_C.RUNNING, started_by=identity.actor, entered_at=now, due_at=now, reason=None, told=""
            )
        )


def require_standing(campaign: Campaign, mappings: Mappings, now: datetime) -> None:
    """Raises InputError, with what to do, when its approval lets nothing happen."""
    if why := why_not_standing(campaign, mappings, now):
        raise InputError(
            f"Campaign {campaign.definition.name} cannot go on: {why}. A second person looks at it as it is and "
            f"approves it again: `provisioning campaigns approve {campaign.campaign_id[:8]} "
            f"--digest {campaign.digest[:8]}`."
        )


@dataclass(frozen=True, kw_only=True)
class SteerCampaign:
    """Paused: nothing new is begun, and no further chunk leaves. Called off: what was begun is read back and stays."""

    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings

    def __call__(self, identity: Identity, named: str, goal: CampaignState, reason: str) -> Campaign:
        """`goal`: paused, running or called_off. Raises InputError when it cannot go there from where it is.

        Whoever lets a campaign go on has seen what went wrong in it so far: its budget counts that no more.
        """
        require(identity, Action.STEER_CAMPAIGN)
        require_reason(reason, f"{_DEEDS[goal].capitalize()} a campaign")
        return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, goal, reason))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, goal: CampaignState, reason: str) -> Campaign:
        now = self.clock.now()
        campaign = get_campaign(uow, named)
        _require_way(campaign, goal)
        members = uow.campaigns.members(campaign.campaign_id)
        if goal is _C.RUNNING:
            require_standing(campaign, self.mappings, now)
            uow.campaigns.save_members(campaign.campaign_id, list(_seen(members)))
            _wake(uow, members, now)
        elif goal is _C.CALLED_OFF:
            self._call_off(uow, campaign, members, now)
        uow.audit.record([deed(f"campaign.{goal}", campaign, identity.actor, now, reason)])
        return uow.campaigns.save(
            msgspec.structs.replace(
                campaign, state=goal, reason=_REASONS.get(goal), told=reason, entered_at=now, due_at=now
            )
        )

    def _call_off(self, uow: UnitOfWork, campaign: Campaign, members: list[CampaignMember], now: datetime) -> None:
        left = [one for one in members if one.state is _M.WAITING]
        excluded = [
            msgspec.structs.replace(one, state=_M.EXCLUDED, reason=Reason.CAMPAIGN_CALLED_OFF, entered_at=now)
            for one in left
        ]
        uow.campaigns.save_members(campaign.campaign_id, excluded)
        if campaign.approval is not None:  # else no board has heard of it
            before = {one.key: one for one in members}
            uow.outbox.add(told_of_end(before, before | {one.key: one for one in excluded}, now))
        for one in members:
            if one.state in {_M.RUNNING, _M.HELD} and one.operation_id:
                cancel_unless_at_work(uow, uow.operations.get(one.operation_id), Reason.CAMPAIGN_CALLED_OFF, now)


def _wake(uow: UnitOfWork, members: list[CampaignMember], now: datetime) -> None:
    """What stood still goes on at once, and not when it would have looked again."""
    at_work = (one.operation_id for one in members if one.state in {_M.RUNNING, _M.HELD} and one.operation_id)
    for operation in map(uow.operations.get, at_work):
        if operation.reason in _STOOD_STILL:
            uow.operations.postpone(operation.operation_id, now)


def _seen(members: list[CampaignMember]) -> Iterator[CampaignMember]:
    return (
        msgspec.structs.replace(one, is_seen=True)
        for one in members
        if not one.is_seen and (one.failed or one.state in {_M.FAILED, _M.HELD})
    )


def _require_way(campaign: Campaign, goal: CampaignState) -> None:
    possible = campaign.state in _FROM.get(goal, frozenset(CampaignState))
    if not possible or goal not in CAMPAIGN_TRANSITIONS[campaign.state]:
        raise InputError(
            f"Campaign {campaign.definition.name} is {campaign.state}; {_DEEDS[goal]} it makes no sense now."
        )
