"""Campaigns and their members, valid in every field that a test does not name."""

from datetime import timedelta
from typing import Any

from provisioning.domain.campaign import (
    Campaign,
    CampaignApproval,
    CampaignDefinition,
    CampaignMember,
    CampaignPair,
    CampaignSelection,
    CampaignState,
    SelectedBy,
)
from provisioning.domain.ids import Actor, CampaignId, OrganisationId, TenantId
from tests.factories import NOW, guid
from tests.factories.operations import A1, A3

FROM, TO = A1, A3
REQUESTER, APPROVER = Actor("person:ada"), Actor("person:grace")


def definition(**known: Any) -> CampaignDefinition:
    fields: dict[str, Any] = {
        "name": "sector 2027",
        "asked_by": "letter 2027-03",
        "why": "The sector contract changes.",
        "pairs": (CampaignPair(from_sku=FROM, to_sku=TO),),
        "selection": CampaignSelection(by=SelectedBy.MAPPING),
        "begins_at": NOW - timedelta(hours=1),
    }
    return CampaignDefinition(**(fields | known))


def campaign(state: CampaignState = CampaignState.NEW, **known: Any) -> Campaign:
    fields: dict[str, Any] = {
        "campaign_id": CampaignId(guid()),
        "definition": definition(),
        "digest": "d" * 64,
        "requested_by": REQUESTER,
        "created_at": NOW,
        "entered_at": NOW,
    }
    return Campaign(state=state, **(fields | known))


def approval(of: Campaign, **known: Any) -> CampaignApproval:
    """By a second person, for a week."""
    fields: dict[str, Any] = {"approved_by": APPROVER, "digest": of.digest, "mapping": "m"}
    return CampaignApproval(
        campaign_id=of.campaign_id,
        approved_at=NOW,
        pairs=of.definition.pairs,
        valid_until=NOW + timedelta(days=7),
        **(fields | known),
    )


def member(campaign: Campaign, tenant: str = "t1", **known: Any) -> CampaignMember:
    fields: dict[str, Any] = {
        "holder_id": OrganisationId("41234"),
        "board_id": OrganisationId("41234"),
        "from_sku": FROM,
        "to_sku": TO,
        "wave": 0,
        "people": 100,
        "entered_at": NOW,
    }
    return CampaignMember(campaign_id=campaign.campaign_id, tenant_id=TenantId(tenant), **(fields | known))
