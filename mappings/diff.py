"""Which rows differ between two sets of mappings: what a person reads before a new set goes live."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from provisioning.domain.catalogue import Mappings


class DifferenceKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Difference(msgspec.Struct, frozen=True, order=True):
    """One row that differs; `columns` name what changed in it."""

    file: str
    row: str
    kind: DifferenceKind
    columns: tuple[str, ...] = ()


_Rows = Mapping[str, Mapping[str, object]]


def diff_mappings(before: Mappings, after: Mappings) -> list[Difference]:
    """Sorted by file and row; empty exactly when the digests are equal."""
    if before.digest == after.digest:
        return []
    old, new = _tables(before), _tables(after)
    return sorted(difference for file in old for difference in _compare(file, old[file], new[file]))


def _compare(file: str, old: _Rows, new: _Rows) -> Iterator[Difference]:
    for row in old.keys() | new.keys():
        if row not in old:
            yield Difference(file, row, DifferenceKind.ADDED)
        elif row not in new:
            yield Difference(file, row, DifferenceKind.REMOVED)
        elif columns := tuple(name for name, value in old[row].items() if new[row][name] != value):
            yield Difference(file, row, DifferenceKind.CHANGED, columns)


def _tables(mappings: Mappings) -> Mapping[str, _Rows]:
    return {
        "articles.csv": {f"{a.code} from {a.valid_from}": msgspec.structs.asdict(a) for a in mappings.articles},
        "skus.csv": {sku_id: _without_plans(msgspec.structs.asdict(sku)) for sku_id, sku in mappings.skus.items()},
        "service_plans.csv": {
            f"{sku_id} {plan.plan_id}": msgspec.structs.asdict(plan)
            for sku_id, sku in mappings.skus.items()
            for plan in sku.plans
        },
        "plan_rules.csv": {f"{rule.relation} {rule.plan}": {"others": rule.others} for rule in mappings.plan_rules},
        "remaps.csv": {remap.name: msgspec.structs.asdict(remap) for remap in mappings.remaps},
        "group_licensing.csv": {sku_id: {} for sku_id in mappings.group_licensing},
        "ambiguous.csv": {word: {"article_codes": codes} for word, codes in mappings.ambiguous.items()},
        "school_holidays.csv": {
            f"{h.region} {h.school_year} {h.name}": msgspec.structs.asdict(h) for h in mappings.school_holidays
        },
    }


def _without_plans(sku: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in sku.items() if name != "plans"}
