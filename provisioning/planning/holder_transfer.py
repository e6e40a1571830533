"""What an organisation holds passes to another, to the seat and to the day (S29): both sides of every entry at once."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

import msgspec

from provisioning.domain.ids import ArticleCode, OrganisationId, SkuId, TenantId
from provisioning.domain.order import LedgerCause, LedgerEntry


class Parcel(msgspec.Struct, frozen=True):
    """Seats that go together: they keep their article, tenant and last day, so no paid term grows shorter or longer."""

    tenant_id: TenantId | None
    article_code: ArticleCode
    sku_id: SkuId | None
    effective_on: date
    ends_on: date | None


def transfer(
    held: Iterable[LedgerEntry],
    to_holder: OrganisationId,
    on: date,
    cause_ref: str,
    sku_id: SkuId | None = None,
) -> list[LedgerEntry]:
    """The entries that move everything of `held` that is in force on the day or later; of one product, or of all.

    For each tenant, product and day the sum over all holders stays as it was.
    """
    entries: list[LedgerEntry] = []
    for (holder, parcel), seats in _parcels(held, on, sku_id).items():
        if seats and holder != to_holder:
            entries += [entry_of(holder, parcel, -seats, cause_ref), entry_of(to_holder, parcel, seats, cause_ref)]
    return entries


def _parcels(held: Iterable[LedgerEntry], on: date, sku_id: SkuId | None) -> Counter[tuple[OrganisationId, Parcel]]:
    parcels: Counter[tuple[OrganisationId, Parcel]] = Counter()
    for entry in held:
        if (entry.ends_on is None or entry.ends_on >= on) and sku_id in {None, entry.sku_id}:
            begin = max(entry.effective_on, on)
            parcel = Parcel(entry.tenant_id, entry.article_code, entry.sku_id, begin, entry.ends_on)
            parcels[entry.holder_id, parcel] += entry.delta
    return parcels


def entry_of(holder: OrganisationId, parcel: Parcel, delta: int, cause_ref: str) -> LedgerEntry:
    """One side of a transfer: so many seats of the parcel come to the holder, or leave."""
    return LedgerEntry(
        holder_id=holder,
        tenant_id=parcel.tenant_id,
        article_code=parcel.article_code,
        sku_id=parcel.sku_id,
        delta=delta,
        effective_on=parcel.effective_on,
        ends_on=parcel.ends_on,
        cause=LedgerCause.REMAP,
        cause_ref=cause_ref,
    )
