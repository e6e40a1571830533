"""Rows of remaps.csv, and sets of mappings that hold them."""

from collections.abc import Iterable
from datetime import date

import msgspec

from mappings.loader import digest_of, load_mappings
from provisioning.domain.catalogue import Mappings, Remap
from provisioning.domain.ids import SkuId

OURS = load_mappings()
BEGIN = date(2027, 8, 1)
_BY_PART = {sku.part_number: sku.sku_id for sku in OURS.skus.values()}


def sku(part_number: str) -> SkuId:
    return _BY_PART[part_number]


def remap(
    one: SkuId,
    other: SkuId,
    *,
    begin: date = BEGIN,
    until: date | None = None,
    boards: Iterable[str] = (),
    exceptions: Iterable[str] = (),
    beside: SkuId | None = None,
) -> Remap:
    return Remap(
        from_sku=one,
        to_sku=other,
        valid_from=begin,
        valid_until=until,
        exceptions=frozenset(exceptions),
        boards=frozenset(boards),
        beside=beside,
    )


def mappings_with(*remaps: Remap) -> Mappings:
    """Ours, with these rows for remaps.csv and a digest that is right."""
    return redigested(msgspec.structs.replace(OURS, remaps=remaps))


def redigested(mappings: Mappings) -> Mappings:
    return msgspec.structs.replace(mappings, digest=digest_of(mappings))
