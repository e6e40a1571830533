"""A second person lets a campaign happen: this list, by these rules, with these products, and no other."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.campaign import Campaign, CampaignApproval, CampaignState, MemberState
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import Actor, CampaignId
from provisioning.domain.limits import Limits
from provisioning.domain.rights import Action, require, require_other
from provisioning.domain.worklist import Topic
from provisioning.planning.mapping_digest import campaign_digest
from provisioning.ports import Clock, OpenUnitOfWork, UnitOfWork
from provisioning.services.authors import proposers_of_mappings
from provisioning.services.campaign_deeds import deed, get_campaign, told
from provisioning.services.decisions import decide
from provisioning.services.refusals import refusals_on_record

_MIN_DIGEST = 8


@dataclass(frozen=True, kw_only=True)
class ApproveCampaign:
    """Also of one that runs or stands still: its approval is renewed, and nothing else changes."""

    open_uow: OpenUnitOfWork
    clock: Clock
    mappings: Mappings
    limits: Limits

    def __call__(self, identity: Identity, named: str, digest: str) -> Campaign:
        """`digest`: at least the first 8 characters, as shown.

        Raises NotAllowedError for whoever asked for it or wrote the mappings, ConflictError when it is another or over.
        """
        with refusals_on_record(self.open_uow, self.clock, identity, Action.APPROVE_CAMPAIGN, named, digest):
            require(identity, Action.APPROVE_CAMPAIGN)
            return decide(self.open_uow, lambda uow: self._decide(uow, identity, named, digest))

    def _decide(self, uow: UnitOfWork, identity: Identity, named: str, digest: str) -> Campaign:
        now = self.clock.now()
        campaign = get_campaign(uow, named)
        if campaign.is_over:
            raise ConflictError(
                f"Campaign {campaign.definition.name} is {campaign.state}; there is nothing to approve."
            )
        _require_digest(campaign, digest)
        require_other(identity, campaign.requested_by, "asked for this campaign")
        authors = proposers_of_mappings(uow)
        for author in authors:
            require_other(identity, author, "proposed the mappings that this campaign rests on")
        _require_looked_at(uow, campaign)
        given = self._approval(uow, campaign, identity.actor, authors, now)
        if campaign.approval is None:
            uow.outbox.add(
                told(Topic.CAMPAIGN_ANNOUNCED, uow.campaigns.members(campaign.campaign_id, [MemberState.WAITING]), now)
            )
        uow.audit.record([deed("campaign.approved", campaign, identity.actor, now, digest=campaign.digest)])
        is_new = campaign.state is CampaignState.NEW
        state = CampaignState.APPROVED if is_new else campaign.state
        entered_at = now if is_new else campaign.entered_at
        return uow.campaigns.save(
            msgspec.structs.replace(campaign, state=state, approval=given, reason=None, told="", entered_at=entered_at)
            if is_new
            else msgspec.structs.replace(campaign, approval=given)
        )

    def _approval(
        self, uow: UnitOfWork, campaign: Campaign, by: Actor, authors: tuple[Actor, ...], now: datetime
    ) -> CampaignApproval:
        """From the day it begins, where that is still to come: a campaign is approved weeks ahead."""
        begins = max(now, campaign.definition.begins_at)
        looks = uow.campaigns.readiness(campaign.campaign_id)
        return CampaignApproval(
            campaign_id=campaign.campaign_id,
            approved_by=by,
            approved_at=now,
            digest=campaign.digest,
            mapping=campaign_digest(campaign.definition.pairs, self.mappings),
            authors=authors,
            pairs=campaign.definition.pairs,
            losses=frozenset[str]().union(*(look.losses for look in looks.values())),
            valid_until=begins + self.limits.migration_approval_validity,
        )


def _require_looked_at(uow: UnitOfWork, campaign: Campaign) -> None:
    """An approval covers the kinds of loss that were seen: of a tenant that nobody looked at, nobody knows them."""
    looks = uow.campaigns.readiness(campaign.campaign_id)
    members = uow.campaigns.members(campaign.campaign_id, [MemberState.WAITING])
    unseen = {one.tenant_id for one in members if one.key not in looks}
    if unseen:
        raise ConflictError(
            f"{len(unseen):,} tenants of campaign {campaign.definition.name} were not looked at yet, so nobody knows "
            "what they would lose; `provisioning campaigns check` looks at them."
        )


def _require_digest(campaign: Campaign, named: str) -> None:
    digest = named.strip().lower()
    if len(digest) < _MIN_DIGEST:
        raise InputError(f"Name the campaign's digest by at least its first {_MIN_DIGEST} characters.")
    if not campaign.digest.startswith(digest):
        raise ConflictError(
            f"This is not the campaign you saw: its digest begins with {campaign.digest[:_MIN_DIGEST]}. Look again."
        )


def approval_of(uow: UnitOfWork, campaign_id: CampaignId) -> CampaignApproval | None:
    """What plans of its operations may rest on now; nothing while it stands still."""
    campaign = uow.campaigns.find(campaign_id)
    is_running = campaign is not None and campaign.state is CampaignState.RUNNING
    return campaign.approval if campaign is not None and is_running else None


def why_not_standing(campaign: Campaign, mappings: Mappings, now: datetime) -> str:
    """Why an approval lets nothing happen any more, as the end of a sentence; empty while it stands."""
    given = campaign.approval
    if given is None:
        return "nobody approved it"
    if given.mapping != campaign_digest(campaign.definition.pairs, mappings):
        return "its mappings changed since it was approved"
    return f"its approval ended at {given.valid_until:%Y-%m-%d %H:%M} UTC" if given.valid_until <= now else ""
