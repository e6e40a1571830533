"""Looks at every campaign whose time has come."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import CampaignId
from provisioning.domain.limits import Limits
from provisioning.ports import Clock, OpenUnitOfWork

_AT_ONCE = 20
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class SweepCampaigns:
    """Returns how many tenants were begun."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits
    advance: Callable[[CampaignId], int]

    def __call__(self) -> int:
        now = self.clock.now()
        with self.open_uow() as uow:
            due = uow.campaigns.claim_due(now, now + self.limits.campaign_poll, _AT_ONCE)
            uow.commit()
        return sum(map(self._advance, due))

    def _advance(self, campaign: CampaignId) -> int:
        try:
            return self.advance(campaign)
        except ConflictError:  # a person decided something in between: the next look knows it
            _log.info("campaign.overtaken", campaign_id=campaign)
            return 0
