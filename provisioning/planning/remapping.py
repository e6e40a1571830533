"""What a product becomes: for a board, on a day, by the rows of remaps.csv.

A remap is one step: what the target itself becomes on that day plays no part, and a table in which it would become
something is refused by the checks. Each function has one answer for any table that passes these.
"""

from collections.abc import Collection, Sequence
from datetime import date

from provisioning.domain.catalogue import Mappings, Remap
from provisioning.domain.ids import SkuId


def remaps_on(mappings: Mappings, day: date) -> tuple[Remap, ...]:
    """The rows that are valid on the day, those of add-ons included."""
    return tuple(remap for remap in mappings.remaps if remap.is_valid_on(day))


def remap_for(mappings: Mappings, sku: SkuId, whose: Sequence[str], day: date) -> Remap | None:
    """The row that says what the product becomes, or None: it stays as it is.

    `whose`: the code of the organisation that holds the right, then that of its board; a table may name either. Empty:
    one that no row names. Rows of add-ons that go along with a suite are none: see `add_ons_beside`.
    """
    return chosen([row for row in remaps_on(mappings, day) if row.from_sku == sku and row.beside is None], whose)


def add_ons_beside(mappings: Mappings, suite: SkuId, whose: Sequence[str], day: date) -> dict[SkuId, SkuId]:
    """What each add-on becomes in the call that remaps this suite of the same person; itself: it stays."""
    rows_beside = [row for row in remaps_on(mappings, day) if row.beside == suite]
    add_ons = sorted({row.from_sku for row in rows_beside})
    rows = {sku: chosen([row for row in rows_beside if row.from_sku == sku], whose) for sku in add_ons}
    return {sku: row.to_sku for sku, row in rows.items() if row is not None}


def chosen(rows: Collection[Remap], whose: Sequence[str]) -> Remap | None:
    """Of rows about one product on one day: the one that names the holder, else its board, else the general one."""
    own = (row for code in whose for row in rows if code in row.boards)
    general = (row for row in rows if not row.boards and row.holds_for(whose))
    return next(own, next(general, None))
