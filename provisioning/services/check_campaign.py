"""The readiness of a campaign's tenants, looked at weeks ahead: a row for each, so that a broken-off round goes on.

A person asks for all of it at once; the service's own rounds look again at whatever is old. Several workers share the
list: each claims one tenant at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.campaign import Campaign, CampaignMember, CampaignState, MemberKey, MemberState
from provisioning.domain.ids import CampaignId
from provisioning.domain.limits import Limits
from provisioning.domain.rights import Action, require
from provisioning.planning.campaign_readiness import Readiness
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.campaign_deeds import get_campaign

_ROUND = timedelta(seconds=10)  # real time: tasks last seconds
_CLAIM = timedelta(minutes=5)  # real time: longer than a look may take; whoever was killed loses it then
_LOOKED_AT = frozenset(
    {
        CampaignState.NEW,
        CampaignState.APPROVED,
        CampaignState.RUNNING,
        CampaignState.PAUSED,
        CampaignState.STOPPED,
    }
)

Along = Callable[[Iterator[bool], int], Iterable[bool]]
Look = Callable[[Campaign, Sequence[CampaignMember]], dict[MemberKey, Readiness]]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """How many tenants were looked at, and how many of those are not ready.

    `left`: tenants that nobody has looked at since `since`, because time was up or somebody else is at it.
    """

    campaign_id: CampaignId
    tenants: int
    unready: int
    since: datetime
    left: int = 0


@dataclass(frozen=True, kw_only=True)
class CheckCampaign:
    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits
    look: Look

    def __call__(
        self,
        identity: Identity,
        named: str,
        along: Along = lambda looks, _total: looks,
        *,
        since: datetime | None = None,
        within: timedelta | None = None,
    ) -> Checked:
        """Every tenant that waits and was not looked at `since` (now, when left out); `along` watches how far it is.

        Each look is kept at once: broken off and called again, it begins with those that were looked at longest ago.
        `within`: real time after which no further look begins.
        """
        require(identity, Action.CHECK_CAMPAIGN)
        since = since or self.clock.now()
        with self.open_uow() as uow:
            campaign = get_campaign(uow, named)
            waiting = uow.campaigns.members(campaign.campaign_id, [MemberState.WAITING])
        looks = self._until(within, self._looks(campaign, since))
        unready = list(along(looks, len({one.tenant_id for one in waiting})))
        with self.open_uow() as uow:
            left = uow.campaigns.count_to_look(campaign.campaign_id, since)
        return Checked(
            campaign_id=campaign.campaign_id, tenants=len(unready), unready=sum(unready), since=since, left=left
        )

    def round(self) -> int:
        """For so long as a task may last, whatever is older than a day, of every campaign that is still to begin.

        Returns how many tenants were looked at.
        """
        with self.open_uow() as uow:
            campaigns = [one for one in uow.campaigns.list_by(_LOOKED_AT) if self._is_ahead(one)]
        before = self.clock.now() - self.limits.campaign_recheck
        looks = (look for campaign in campaigns for look in self._looks(campaign, before))
        return sum(1 for _ in self._until(_ROUND, looks))

    def _is_ahead(self, campaign: Campaign) -> bool:
        """One that was started and has not begun is still ahead; from then on it looks by itself as it goes."""
        return campaign.state is not CampaignState.RUNNING or campaign.definition.begins_at > self.clock.now()

    def _until(self, within: timedelta | None, looks: Iterator[bool]) -> Iterator[bool]:
        ends = self.clock.wall() + within if within else None
        for look in looks:
            yield look
            if ends and self.clock.wall() >= ends:
                return

    def _looks(self, campaign: Campaign, before: datetime) -> Iterator[bool]:
        """One after the other, whether each is unready; what was found is kept before the next one is looked at."""
        while members := self._claimed(campaign.campaign_id, before):
            found = self.look(campaign, members)
            with self.open_uow() as uow:
                uow.campaigns.note_readiness(campaign.campaign_id, found)
                uow.commit()
            yield not all(one.is_ready for one in found.values())

    def _claimed(self, campaign: CampaignId, before: datetime) -> list[CampaignMember]:
        wall = self.clock.wall()
        with self.open_uow() as uow:
            members = uow.campaigns.claim_look(campaign, before, wall, wall + _CLAIM)
            uow.commit()
        return members
