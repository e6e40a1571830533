import msgspec

from provisioning.planning.mapping_digest import current_row_digest, row_digest
from tests.factories.trade import MAPPINGS, STAFF, STEP_UP, sku_of

STAFF_ROW = next(a for a in MAPPINGS.articles if a.code == STAFF)


def _with_sku_named(sku: str, name: str) -> object:
    skus = {key: msgspec.structs.replace(one, name=name) if key == sku else one for key, one in MAPPINGS.skus.items()}
    return msgspec.structs.replace(MAPPINGS, skus=skus)


class TestRowDigest:
    def test_changes_with_the_product_that_the_article_delivers(self) -> None:
        changed = _with_sku_named(sku_of(STAFF), "renamed")
        assert row_digest(STAFF_ROW, changed) != row_digest(STAFF_ROW, MAPPINGS)  # type: ignore[arg-type]  # Mappings

    def test_does_not_change_with_rows_that_the_article_does_not_use(self) -> None:
        changed = _with_sku_named(sku_of(STEP_UP), "renamed")
        assert row_digest(STAFF_ROW, changed) == row_digest(STAFF_ROW, MAPPINGS)  # type: ignore[arg-type]  # Mappings


class TestCurrentRowDigest:
    def test_is_that_of_the_row_as_it_stands(self) -> None:
        assert current_row_digest(STAFF_ROW.code, sku_of(STAFF), MAPPINGS) == row_digest(STAFF_ROW, MAPPINGS)

    def test_is_none_when_the_article_delivers_something_else_now(self) -> None:
        assert current_row_digest(STAFF_ROW.code, sku_of(STEP_UP), MAPPINGS) is None
