"""The readiness of a campaign's tenants, looked at weeks ahead: a row for each, so that a broken-off round goes on.

A person asks for all of it at once; the service's own rounds look again at whatever is old.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.campaign import Campaign, CampaignMember, CampaignState, MemberKey, MemberState
from provisioning.domain.ids import CampaignId, TenantId
from provisioning.domain.limits import Limits
from provisioning.domain.rights import Action, require
from provisioning.planning.campaign_readiness import Readiness
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.campaign_deeds import get_campaign

_AT_ONCE = 25  # tenants of one reading of the list
_ROUND = timedelta(seconds=10)  # real time: tasks last seconds
_LOOKED_AT = frozenset({CampaignState.NEW, CampaignState.APPROVED, CampaignState.PAUSED, CampaignState.STOPPED})

Along = Callable[[Iterator[bool], int], Iterable[bool]]
Look = Callable[[Campaign, Sequence[CampaignMember]], dict[MemberKey, Readiness]]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """How many tenants were looked at, and how many of those are not ready."""

    campaign_id: CampaignId
    tenants: int
    unready: int


@dataclass(frozen=True, kw_only=True)
class CheckCampaign:
    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits
    look: Look

    def __call__(self, identity: Identity, named: str, along: Along = lambda looks, _total: looks) -> Checked:
        """Every tenant that waits and was not looked at since this began; `along` watches how far it is.

        Each look is kept at once: broken off and called again, it begins with those that were looked at longest ago.
        """
        require(identity, Action.CHECK_CAMPAIGN)
        with self.open_uow() as uow:
            campaign = get_campaign(uow, named)
            waiting = uow.campaigns.members(campaign.campaign_id, [MemberState.WAITING])
        looks = self._looks(campaign, self.clock.now())
        unready = list(along(looks, len({one.tenant_id for one in waiting})))
        return Checked(campaign_id=campaign.campaign_id, tenants=len(unready), unready=sum(unready))

    def round(self) -> int:
        """For so long as a task may last, whatever is older than a day, of every campaign that is still to begin.

        Returns how many tenants were looked at.
        """
        with self.open_uow() as uow:
            campaigns = uow.campaigns.list_by(_LOOKED_AT)
        ends, looked = self.clock.wall() + _ROUND, 0
        for campaign in campaigns:
            for _ in self._looks(campaign, self.clock.now() - self.limits.campaign_recheck):
                looked += 1
                if self.clock.wall() >= ends:
                    return looked
        return looked

    def _looks(self, campaign: Campaign, before: datetime) -> Iterator[bool]:
        """One after the other, whether each is unready; what was found is kept before the next one is looked at."""
        while members := self._next(campaign.campaign_id, before):
            for some in members.values():
                found = self.look(campaign, some)
                with self.open_uow() as uow:
                    uow.campaigns.note_readiness(campaign.campaign_id, found)
                    uow.commit()
                yield not all(one.is_ready for one in found.values())

    def _next(self, campaign: CampaignId, before: datetime) -> dict[TenantId, list[CampaignMember]]:
        with self.open_uow() as uow:
            tenants = set(uow.campaigns.to_check(campaign, before, _AT_ONCE))
            waiting = uow.campaigns.members(campaign, [MemberState.WAITING]) if tenants else []
        by_tenant: dict[TenantId, list[CampaignMember]] = defaultdict(list)
        for one in waiting:
            if one.tenant_id in tenants:
                by_tenant[one.tenant_id].append(one)
        return by_tenant
