"""Every check finds what it is for, and nothing in ours is an error."""

from datetime import date
from typing import Any

import msgspec
import pytest

from mappings.checks import Finding, Severity, check_mappings
from mappings.loader import load_mappings
from provisioning.domain.catalogue import Article, Mappings, Remap
from provisioning.domain.ids import ArticleCode, SkuId

TODAY = date(2026, 9, 1)
OURS = load_mappings()
STAFF = next(a for a in OURS.articles if a.code == "MS-BP-A3-MED")
A3 = STAFF.sku_id or SkuId("")
A1_PLUS = next(sku.sku_id for sku in OURS.skus.values() if sku.part_number == "STANDARDWOFFPACK_IW_FACULTY")
A1 = next(sku.sku_id for sku in OURS.skus.values() if sku.part_number == "STANDARDWOFFPACK_FACULTY")
NOBODYS = SkuId("99999999-9999-4999-8999-999999999999")


def errors(mappings: Mappings) -> list[Finding]:
    return [finding for finding in check_mappings(mappings, TODAY) if finding.severity is Severity.ERROR]


def with_article(**fields: Any) -> Mappings:
    extra = msgspec.structs.replace(STAFF, **{"code": ArticleCode("NEW"), **fields})
    return msgspec.structs.replace(OURS, articles=(*OURS.articles, extra))


def with_remaps(*pairs: tuple[SkuId, SkuId]) -> Mappings:
    remaps = tuple(
        Remap(from_sku=one, to_sku=other, valid_from=TODAY, valid_until=None, exceptions=frozenset())
        for one, other in pairs
    )
    return msgspec.structs.replace(OURS, remaps=remaps)


def test_ours_have_no_errors() -> None:
    assert errors(OURS) == []


class TestArticles:
    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            pytest.param({"sku_id": NOBODYS}, "skus.csv lacks", id="an unknown product"),
            pytest.param({"replaces": frozenset({NOBODYS})}, "skus.csv lacks", id="replaces an unknown product"),
            pytest.param({"sku_id": None}, "names no product", id="delivered through Graph without a product"),
            pytest.param({"sku_id": A1_PLUS}, "retired", id="a retired product"),
            pytest.param({"variant": "extension"}, "without a base", id="an extension without a base"),
            pytest.param(
                {"variant": "extension", "base_article_code": ArticleCode("GONE")},
                "is no article",
                id="a base that is none",
            ),
            pytest.param({"valid_until": date(2021, 12, 31)}, "ends before it begins", id="reversed validity"),
            pytest.param({"code": STAFF.code}, "valid twice", id="a code that is valid twice"),
            pytest.param({"code": ArticleCode(STAFF.code.lower())}, "valid twice", id="also in other capitals"),
            pytest.param({"code": ArticleCode("A1")}, "cannot be both", id="a loose word as a code"),
        ],
    )
    def test_each_fault_is_an_error_that_says_what_to_do(self, fields: dict[str, Any], told: str) -> None:
        assert any(told in finding.sentence for finding in errors(with_article(**_typed(fields))))

    def test_validity_that_follows_day_on_day_is_right(self) -> None:
        old = msgspec.structs.replace(STAFF, valid_until=date(2026, 12, 31))
        new = msgspec.structs.replace(STAFF, valid_from=date(2027, 1, 1))
        others = tuple(a for a in OURS.articles if a is not STAFF)
        assert errors(msgspec.structs.replace(OURS, articles=(*others, old, new))) == []

    def test_a_retired_product_whose_article_ended_is_no_error(self) -> None:
        assert any(article.sku_id == A1_PLUS for article in OURS.articles)
        assert errors(OURS) == []


class TestRemaps:
    def test_a_circle_is_an_error_for_each_of_its_products(self) -> None:
        found = errors(with_remaps((A1, A3), (A3, A1)))
        assert {finding.place for finding in found} == {f"remaps.csv: {A1}", f"remaps.csv: {A3}"}

    def test_a_chain_is_none(self) -> None:
        assert errors(with_remaps((A1_PLUS, A1), (A1, A3))) == []

    @pytest.mark.parametrize(("target", "told"), [(NOBODYS, "skus.csv lacks"), (A1_PLUS, "retired")])
    def test_a_target_must_exist_and_live(self, target: SkuId, told: str) -> None:
        assert any(told in finding.sentence for finding in errors(with_remaps((A3, target))))


class TestOtherRows:
    def test_group_licensing_by_an_unknown_product_is_an_error(self) -> None:
        assert errors(msgspec.structs.replace(OURS, group_licensing=frozenset({NOBODYS})))

    def test_a_word_that_means_no_article_is_an_error(self) -> None:
        assert errors(msgspec.structs.replace(OURS, ambiguous={"a9": (ArticleCode("GONE"),)}))

    def test_products_that_nobody_orders_are_only_remarked(self) -> None:
        remarks = {f.place for f in check_mappings(OURS, TODAY) if f.severity is Severity.REMARK}
        assert "skus.csv: CAREERCOACH_FACULTY" in remarks
        assert "skus.csv: M365EDU_A3_FACULTY" not in remarks


def _typed(fields: dict[str, Any]) -> dict[str, Any]:
    types = {field.name: field.type for field in msgspec.structs.fields(Article)}
    return {name: msgspec.convert(value, types[name], strict=False) for name, value in fields.items()}
