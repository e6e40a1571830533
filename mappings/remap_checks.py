"""What is wrong or doubtful in remaps.csv. Without errors it has one answer for each board and day, one step long."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise

from mappings.findings import Finding, Severity
from provisioning.domain.catalogue import PLATFORM, Mappings, Remap, Sku
from provisioning.domain.ids import SkuId
from provisioning.planning.remapping import chosen, remaps_on

_CODE = re.compile(r"[0-9]{5}|[0-9]{2}[A-Z]{2}(?:[0-9]{2})?")  # a board, a school, a location of one
_A_DAY = timedelta(days=1)


def unknown_products(mappings: Mappings, _: date) -> Iterator[Finding]:
    for remap in mappings.remaps:
        for sku in sorted({remap.from_sku, remap.to_sku, remap.beside or remap.to_sku}):
            if sku not in mappings.skus:
                yield _error(remap, f"names product {sku}, which skus.csv lacks; add it or correct it")


def retired_targets(mappings: Mappings, today: date) -> Iterator[Finding]:
    """Of rows that are over it does not matter any more; an add-on that stays was not chosen."""
    for remap in mappings.remaps:
        sku = mappings.skus.get(remap.to_sku)
        is_over = remap.valid_until is not None and remap.valid_until < today
        if sku and sku.is_retired and not is_over and remap.from_sku != remap.to_sku:
            yield _error(remap, f"leads to {sku.part_number}, which is {sku.lifecycle}; choose another")


def reversed_validity(mappings: Mappings, _: date) -> Iterator[Finding]:
    for remap in mappings.remaps:
        if remap.valid_until and remap.valid_until < remap.valid_from:
            yield _error(remap, "ends before it begins; correct valid_from or valid_until")


def codes(mappings: Mappings, _: date) -> Iterator[Finding]:
    for remap in mappings.remaps:
        for code in sorted(remap.exceptions | remap.boards):
            if not _CODE.fullmatch(code):
                yield _error(remap, f"names {code!r}, which is no code; write a board as 01234, a school as 01AB00")
        if remap.exceptions and remap.boards:
            yield _error(remap, "names boards and exceptions; it holds for its boards alone, so empty exceptions")


def strange_add_ons(mappings: Mappings, _: date) -> Iterator[Finding]:
    """Rows that go along with a suite which goes nowhere, or with themselves."""
    suites = {remap.from_sku for remap in mappings.remaps if remap.beside is None}
    for remap in mappings.remaps:
        if remap.beside == remap.from_sku:
            yield _error(remap, "stands beside itself; name the suite that the add-on rests on, or empty beside")
        elif remap.beside and remap.beside not in suites:
            yield _error(remap, "goes along with a suite that has no row of its own; add one or take this away")


def overlaps(mappings: Mappings, _: date) -> Iterator[Finding]:
    for rows in _alike(mappings).values():
        for one, other in combinations(rows, 2):
            if one.meets(other) and _rival(one, other):
                boards = " ".join(sorted(one.boards & other.boards))
                since = f"{max(one.valid_from, other.valid_from)}{f' for {boards}' if boards else ''}"
                yield _error(one, f"and another row both hold from {since}; let one end before, or take it away")


def chains(mappings: Mappings, _: date) -> Iterator[Finding]:
    """A target that on the same day becomes something else for the same board, in the end perhaps the beginning."""
    for day in _turning_days(mappings):
        rows = [row for row in remaps_on(mappings, day) if row.beside is None]
        for board in [None, *sorted(_named(rows))]:
            yield from _chains_of(_table(rows, board), day, board)


def gaps(mappings: Mappings, _: date) -> Iterator[Finding]:
    """Days between two rows about the same product and the same boards, on which neither holds."""
    for rows in _alike(mappings).values():
        by_boards: dict[frozenset[str], list[Remap]] = defaultdict(list)
        for row in rows:
            by_boards[row.boards].append(row)
        for alike in by_boards.values():
            for one, other in pairwise(sorted(alike, key=lambda row: row.valid_from)):
                if one.valid_until and one.valid_until + _A_DAY < other.valid_from:
                    since, until = one.valid_until + _A_DAY, other.valid_from - _A_DAY
                    yield _remark(one, f"has no successor from {since} to {until}: nothing is remapped on these days")


def other_audiences(mappings: Mappings, _: date) -> Iterator[Finding]:
    """Staff become pupils, or a paid licence becomes a student use benefit, which brings fewer services."""
    for remap, before, after in _pairs(mappings):
        if before.audience is not after.audience:
            yield _remark(remap, f"leads from {before.audience} to {after.audience}: see that it is meant")
        if after.is_student_use_benefit and not before.is_student_use_benefit:
            yield _remark(remap, "leads from a paid licence to a student use benefit: see what people lose")


def lost_services(mappings: Mappings, _: date) -> Iterator[Finding]:
    for remap, before, after in _pairs(mappings):
        if before.plans and after.plans and (lost := _services(before) - _services(after)):
            yield _remark(remap, f"takes away {', '.join(sorted(lost))}: people lose these services")


def _alike(mappings: Mappings) -> Mapping[tuple[SkuId, SkuId | None], Sequence[Remap]]:
    """Rows about the same product, on its own or beside the same suite."""
    rows: dict[tuple[SkuId, SkuId | None], list[Remap]] = defaultdict(list)
    for remap in mappings.remaps:
        rows[remap.from_sku, remap.beside].append(remap)
    return rows


def _rival(one: Remap, other: Remap) -> bool:
    """Whether some board finds two rows of the same rank."""
    return bool(one.boards & other.boards) or not (one.boards or other.boards)


def _turning_days(mappings: Mappings) -> list[date]:
    """Days on which a row begins or no longer holds: what is so on any day began on one of these."""
    begins = {remap.valid_from for remap in mappings.remaps}
    return sorted(
        begins | {x.valid_until + _A_DAY for x in mappings.remaps if x.valid_until and x.valid_until < date.max}
    )


def _named(rows: Iterable[Remap]) -> frozenset[str]:
    return frozenset().union(*(row.exceptions | row.boards for row in rows))


def _table(rows: Iterable[Remap], board: str | None) -> dict[SkuId, Remap]:
    by_sku: dict[SkuId, list[Remap]] = defaultdict(list)
    for row in rows:
        by_sku[row.from_sku].append(row)
    found = {sku: chosen(alike, () if board is None else (board,)) for sku, alike in by_sku.items()}
    return {sku: row for sku, row in found.items() if row is not None}


def _chains_of(table: Mapping[SkuId, Remap], day: date, board: str | None) -> Iterator[Finding]:
    whom = f" for {board}" if board else ""
    for row in table.values():
        if _leads_back(row, table):
            yield _error(row, f"leads back to itself on {day}{whom}; a remap must end somewhere")
        elif onward := table.get(row.to_sku):
            goal = onward.to_sku
            yield _error(row, f"leads to a product that on {day}{whom} becomes {goal}; name the last one at once")


def _leads_back(start: Remap, table: Mapping[SkuId, Remap]) -> bool:
    seen, row = {start.from_sku}, table.get(start.to_sku)
    while row is not None and row.from_sku not in seen:
        seen.add(row.from_sku)
        row = table.get(row.to_sku)
    return row is not None and row.from_sku == start.from_sku


def _pairs(mappings: Mappings) -> Iterator[tuple[Remap, Sku, Sku]]:
    for remap in mappings.remaps:
        before, after = mappings.skus.get(remap.from_sku), mappings.skus.get(remap.to_sku)
        if before and after:
            yield remap, before, after


def _services(sku: Sku) -> frozenset[str]:
    return frozenset(plan.family for plan in sku.plans) - {PLATFORM}


def _error(remap: Remap, complaint: str) -> Finding:
    return Finding(Severity.ERROR, f"remaps.csv: {remap.name}", f"The remap {complaint}.")


def _remark(remap: Remap, complaint: str) -> Finding:
    return Finding(Severity.REMARK, f"remaps.csv: {remap.name}", f"The remap {complaint}.")


CHECKS = (
    unknown_products,
    retired_targets,
    reversed_validity,
    codes,
    strange_add_ons,
    overlaps,
    chains,
    gaps,
    other_audiences,
    lost_services,
)
