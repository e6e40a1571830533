from datetime import timedelta
from typing import Any

import msgspec

from mappings.diff import Difference, DifferenceKind, diff_mappings
from mappings.loader import digest_of, load_mappings
from provisioning.domain.catalogue import Mappings

OURS = load_mappings()


def changed(**fields: Any) -> Mappings:
    other = msgspec.structs.replace(OURS, **fields)
    return msgspec.structs.replace(other, digest=digest_of(other))


class TestDiffMappings:
    def test_the_same_content_has_none(self) -> None:
        assert diff_mappings(OURS, load_mappings()) == []

    def test_names_the_row_and_the_columns_that_changed(self) -> None:
        first, *others = OURS.articles
        after = changed(articles=(msgspec.structs.replace(first, supplier="other", min_term_months=1), *others))
        row = f"{first.code} from {first.valid_from}"
        columns = ("supplier", "min_term_months")
        assert diff_mappings(OURS, after) == [Difference("articles.csv", row, DifferenceKind.CHANGED, columns)]

    def test_names_rows_that_came_and_went(self) -> None:
        gone, *others = OURS.remaps
        (removed,) = diff_mappings(OURS, changed(remaps=tuple(others)))
        (added,) = diff_mappings(changed(remaps=tuple(others)), OURS)
        assert (removed.file, removed.kind) == ("remaps.csv", DifferenceKind.REMOVED)
        assert (added.row, added.kind) == (removed.row, DifferenceKind.ADDED)
        assert gone.from_sku in removed.row

    def test_a_plan_that_a_product_lost_is_a_row_of_service_plans(self) -> None:
        sku = next(sku for sku in OURS.skus.values() if sku.plans)
        fewer = msgspec.structs.replace(sku, plans=sku.plans[1:])
        (difference,) = diff_mappings(OURS, changed(skus={**OURS.skus, sku.sku_id: fewer}))
        assert (difference.file, difference.kind) == ("service_plans.csv", DifferenceKind.REMOVED)
        assert difference.row == f"{sku.sku_id} {sku.plans[0].plan_id}"

    def test_a_holiday_that_moved_is_named_by_region_year_and_name(self) -> None:
        first, *others = OURS.school_holidays
        longer = msgspec.structs.replace(first, last_day=first.last_day + timedelta(days=1))
        (difference,) = diff_mappings(OURS, changed(school_holidays=(longer, *others)))
        row = f"{first.region} {first.school_year} {first.name}"
        assert difference == Difference("school_holidays.csv", row, DifferenceKind.CHANGED, ("last_day",))
