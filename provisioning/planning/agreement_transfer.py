"""What was bought follows its seats to the other tenant, to the seat and to the day: both sides of every entry at once.

For each holder, product and day the sum over both tenants stays as it was.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date

import msgspec

from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.order import LedgerEntry
from provisioning.planning.holder_transfer import Parcel, entry_of


def relocate(
    held: Iterable[LedgerEntry], source: TenantId, target: TenantId, skus: Collection[SkuId], on: date, cause_ref: str
) -> list[LedgerEntry]:
    """The entries that move everything of these products that is in force in the source on the day or later."""
    entries: list[LedgerEntry] = []
    for (holder, parcel), seats in _parcels(held, source, skus, on).items():
        if seats:
            there = msgspec.structs.replace(parcel, tenant_id=target)
            entries += [entry_of(holder, parcel, -seats, cause_ref), entry_of(holder, there, seats, cause_ref)]
    return entries


def _parcels(
    held: Iterable[LedgerEntry], source: TenantId, skus: Collection[SkuId], on: date
) -> Counter[tuple[OrganisationId, Parcel]]:
    parcels: Counter[tuple[OrganisationId, Parcel]] = Counter()
    for entry in held:
        if entry.tenant_id == source and entry.sku_id in skus and (entry.ends_on is None or entry.ends_on >= on):
            begin = max(entry.effective_on, on)
            parcel = Parcel(source, entry.article_code, entry.sku_id, begin, entry.ends_on)
            parcels[entry.holder_id, parcel] += entry.delta
    return parcels
