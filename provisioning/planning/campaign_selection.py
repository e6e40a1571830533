"""Whom a campaign is for: holders of a product that goes, by the ledger, an agreement or a list. Pure."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date

import msgspec

from provisioning.domain.campaign import CampaignDefinition, CampaignPair, MemberKey, SelectedBy
from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.records import Agreement, Participant

# what a product becomes for a holder and its board on a day; None: nothing, by the table or by an exception for them
RemapFor = Callable[[SkuId, Sequence[OrganisationId], date], SkuId | None]


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says: a holder may use so many seats of a product in a tenant. 0 seats: only named by a list."""

    tenant_id: TenantId
    holder_id: OrganisationId
    board_id: OrganisationId
    sku_id: SkuId
    seats: int


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """One holder, product and tenant of a campaign. `excluded`: why it is left out, and listed all the same."""

    holding: Holding
    to_sku: SkuId
    excluded: str = ""

    @property
    def key(self) -> MemberKey:
        return MemberKey(self.holding.tenant_id, self.holding.holder_id, self.holding.sku_id)


def choose(
    definition: CampaignDefinition, holdings: Iterable[Holding], day: date, remap_for: RemapFor, takers: Collection[str]
) -> tuple[Chosen, ...]:
    """Every holding that the campaign speaks of, by key. `takers`: who takes part in its agreements."""
    pairs = {pair.from_sku: pair for pair in definition.pairs}
    chosen = [
        _one(definition, holding, pairs[holding.sku_id], day, remap_for)
        for holding in holdings
        if holding.sku_id in pairs and _is_meant(definition, holding, takers)
    ]
    return tuple(sorted(chosen, key=lambda one: one.key))


def participants_in(
    agreements: Collection[str], known: Iterable[Agreement], participants: Iterable[Participant], day: date
) -> frozenset[OrganisationId]:
    """Holders of these agreements, and who takes part in them on the day."""
    holders = {one.organisation_id for one in known if one.record_id in agreements}
    taking = {
        one.organisation_id
        for one in participants
        if one.agreement_id in agreements
        and one.valid_from <= day
        and (one.valid_until is None or day <= one.valid_until)
    }
    return frozenset(holders | taking)


def _is_meant(definition: CampaignDefinition, holding: Holding, takers: Collection[str]) -> bool:
    selection = definition.selection
    match selection.by:
        case SelectedBy.MAPPING:
            return holding.seats > 0
        case SelectedBy.AGREEMENT:
            return holding.seats > 0 and not {holding.holder_id, holding.board_id}.isdisjoint(takers)
        case SelectedBy.LIST:
            named = {holding.holder_id, holding.board_id} & set(selection.organisations)
            return bool(named) or holding.tenant_id in selection.tenants


def _one(
    definition: CampaignDefinition, holding: Holding, pair: CampaignPair, day: date, remap_for: RemapFor
) -> Chosen:
    to_sku = remap_for(pair.from_sku, (holding.holder_id, holding.board_id), day) if pair.from_table else pair.to_sku
    excluded = _excluded(definition, holding)
    if to_sku is None or to_sku == pair.from_sku:
        excluded = excluded or "the remap table makes an exception for this board"
    return Chosen(holding=holding, to_sku=to_sku or pair.to_sku, excluded=excluded)


def _excluded(definition: CampaignDefinition, holding: Holding) -> str:
    named = (holding.tenant_id, holding.holder_id, holding.board_id)
    return next((why for one in named if (why := definition.selection.excluded.get(one))), "")
