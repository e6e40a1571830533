from datetime import date

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.catalogue import Article

MAPPINGS = load_mappings()
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
ARTICLE = msgspec.structs.replace(MAPPINGS.articles[0], valid_from=FIRST, valid_until=LAST)
ENDLESS = msgspec.structs.replace(ARTICLE, valid_until=None)


class TestArticle:
    @pytest.mark.parametrize(
        ("article", "day", "expected"),
        [
            pytest.param(ARTICLE, date(2025, 12, 31), False, id="the day before"),
            pytest.param(ARTICLE, FIRST, True, id="the first day"),
            pytest.param(ARTICLE, LAST, True, id="the last day is included"),
            pytest.param(ARTICLE, date(2027, 1, 1), False, id="the day after"),
            pytest.param(ENDLESS, date(2099, 1, 1), True, id="without an end"),
        ],
    )
    def test_when_it_is_sold(self, article: Article, day: date, *, expected: bool) -> None:
        assert article.is_valid_on(day) is expected


class TestMappings:
    def test_a_code_that_two_rows_share_at_one_time_is_ambiguous(self) -> None:
        twice = msgspec.structs.replace(MAPPINGS, articles=(ARTICLE, ENDLESS))
        assert len(twice.articles_coded(ARTICLE.code, LAST)) == 2
        assert twice.articles_coded(ARTICLE.code, date(2027, 1, 1)) == (ENDLESS,)

    def test_a_code_that_nobody_knows_is_nothing(self) -> None:
        assert MAPPINGS.articles_coded("unheard", FIRST) == ()


class TestSku:
    SKU = next(iter(MAPPINGS.skus.values()))

    @pytest.mark.parametrize(
        ("lifecycle", "is_retired"),
        [("listed", False), ("legacy", False), ("retired", True), ("retired 2024-08-01", True)],
    )
    def test_a_retired_one_says_so(self, lifecycle: str, *, is_retired: bool) -> None:
        assert msgspec.structs.replace(self.SKU, lifecycle=lifecycle).is_retired is is_retired

    def test_its_plans_have_ids(self) -> None:
        assert self.SKU.plan_ids == {plan.plan_id for plan in self.SKU.plans}
