"""A remap inside a tenant: whoever holds one product gets another in its place, in one call, and nobody else does.

Asked for by a ticket of a board, or by a campaign over many tenants: the same operation at different size.
"""

import msgspec

from provisioning.domain.ids import CampaignId, SkuId, TicketId


class RemapPart(msgspec.Struct, frozen=True, kw_only=True):
    """What a remap operation changes beside its wish's own `sku_id`, and on whose behalf.

    `along`: add-ons that rest on the product, and what each becomes in the same call (itself: it stays).
    """

    from_sku: SkuId
    along: dict[SkuId, SkuId] = {}
    ticket_id: TicketId | None = None
    campaign_id: CampaignId | None = None
    wave: int = 0  # of the campaign: 0 are the canaries
