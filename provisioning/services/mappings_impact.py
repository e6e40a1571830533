"""What other mappings would touch here: open order lines, unfinished work, approvals, and people who have a product."""

from dataclasses import dataclass

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.campaign import CAMPAIGN_ENDS, Campaign, CampaignState
from provisioning.domain.catalogue import Mappings
from provisioning.domain.errors import InputError
from provisioning.planning.mapping_digest import campaign_digest
from provisioning.planning.mappings_impact import Impact, draw_impact, touched_by
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.mappings_in_force import kept_mappings
from provisioning.services.propose_configuration import named

_APPROVED = frozenset(set(CampaignState) - CAMPAIGN_ENDS - {CampaignState.NEW})


def _is_void(campaign: Campaign, before: Mappings, after: Mappings) -> bool:
    """Its approval, by other mappings: it would stop, in the middle of its night if it has begun."""
    pairs = campaign.definition.pairs
    return campaign_digest(pairs, before) != campaign_digest(pairs, after)


@dataclass(frozen=True, kw_only=True)
class MappingsImpact:
    """Reads our own database alone: nobody is asked at Microsoft."""

    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, before: Mappings, after: Mappings) -> Impact:
        """Nothing is counted where nothing differs."""
        touched = touched_by(before, after)
        with self.open_uow() as uow:
            lines = uow.impact.open_lines(touched.articles) if touched.articles else []
            work = uow.impact.open_work() if touched.articles or touched.products else []
            today = dutch_day(self.clock.now())
            holders = uow.impact.holders(touched.products, today) if touched.products else []
            campaigns = uow.campaigns.list_by(_APPROVED)
        impact = draw_impact(before, after, lines, work, holders)
        return msgspec.structs.replace(impact, campaigns=sum(_is_void(one, before, after) for one in campaigns))

    def kept(self, digest: str) -> Mappings:
        """The mappings of a version on record, named by at least 8 characters; raises InputError."""
        with self.open_uow() as uow:
            version = named(uow.configuration.list_all(), digest, "is on record")
            found = kept_mappings(uow, version.digest)
        if found is None:
            raise InputError(f"The {version.kind} {version.digest[:8]} are not kept: compare their files.")
        return found
