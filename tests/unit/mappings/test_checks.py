"""Every check finds what it is for, and nothing in ours is an error."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from mappings.checks import Finding, Severity, check_mappings
from mappings.loader import load_mappings
from provisioning.domain.calendar import SchoolHoliday
from provisioning.domain.catalogue import Article, Mappings
from provisioning.domain.ids import ArticleCode, SkuId

TODAY = date(2026, 9, 1)
OURS = load_mappings()
STAFF = next(a for a in OURS.articles if a.code == "MS-BP-A3-MED")
A3 = STAFF.sku_id or SkuId("")
A1_PLUS = next(sku.sku_id for sku in OURS.skus.values() if sku.part_number == "STANDARDWOFFPACK_IW_FACULTY")
NOBODYS = SkuId("99999999-9999-4999-8999-999999999999")


def errors(mappings: Mappings) -> list[Finding]:
    return [finding for finding in check_mappings(mappings, TODAY) if finding.severity is Severity.ERROR]


def with_article(**fields: Any) -> Mappings:
    extra = msgspec.structs.replace(STAFF, **{"code": ArticleCode("NEW"), **fields})
    return msgspec.structs.replace(OURS, articles=(*OURS.articles, extra))


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


AUTUMN = next(h for h in OURS.school_holidays if (h.region, h.first_day.isoformat()) == ("noord", "2026-10-10"))


def with_holidays(*holidays: SchoolHoliday) -> Mappings:
    return msgspec.structs.replace(OURS, school_holidays=(*OURS.school_holidays, *holidays))


def without_holidays(**fields: str) -> Mappings:
    kept = (h for h in OURS.school_holidays if any(getattr(h, name) != value for name, value in fields.items()))
    return msgspec.structs.replace(OURS, school_holidays=tuple(kept))


class TestSchoolHolidays:
    def test_ours_are_five_a_year_in_each_region_for_three_years(self) -> None:
        assert len(OURS.school_holidays) == 5 * 3 * 3
        assert all(
            h.is_binding is (h.name not in {"Herfstvakantie", "Voorjaarsvakantie"}) for h in OURS.school_holidays
        )

    def test_ours_begin_on_a_saturday_and_end_on_a_sunday(self) -> None:
        days = {(h.first_day.isoweekday(), h.last_day.isoweekday()) for h in OURS.school_holidays}
        assert days == {(6, 7)}

    def test_ours_last_one_two_or_six_weeks_with_the_weekends_around(self) -> None:
        days = {(h.name, (h.last_day - h.first_day).days + 1) for h in OURS.school_holidays}
        assert days == {
            ("Herfstvakantie", 9), ("Kerstvakantie", 16), ("Voorjaarsvakantie", 9), ("Meivakantie", 9),
            ("Zomervakantie", 44),
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            pytest.param({"region": "oost"}, "no region of the ministry", id="an unknown region"),
            pytest.param({"last_day": date(2026, 10, 9)}, "before it begins", id="reversed dates"),
            pytest.param({"school_year": "2026/2027"}, "write it as 2026-2027", id="a school year that is none"),
            pytest.param({"school_year": "2026-2028"}, "write it as 2026-2027", id="a school year of two"),
            pytest.param({"school_year": "2027-2028"}, "no day of its school year", id="another school year"),
            pytest.param({"name": "Vrije week"}, "overlaps Vrije week of 2026-2027", id="an overlap"),
        ],
    )
    def test_a_wrong_row_is_an_error(self, fields: dict[str, Any], told: str) -> None:
        found = errors(with_holidays(msgspec.structs.replace(AUTUMN, **fields)))
        assert any(told in finding.sentence for finding in found)

    def test_holidays_of_two_regions_may_overlap(self) -> None:
        assert not any("overlaps" in finding.sentence for finding in errors(OURS))

    def test_two_that_share_one_day_overlap(self) -> None:
        touching = msgspec.structs.replace(
            AUTUMN, name="Vrije week", first_day=AUTUMN.last_day, last_day=date(2026, 10, 23)
        )
        following = msgspec.structs.replace(touching, first_day=AUTUMN.last_day + timedelta(days=1))
        assert any("overlaps" in finding.sentence for finding in errors(with_holidays(touching)))
        assert not any("overlaps" in finding.sentence for finding in errors(with_holidays(following)))

    def test_a_holiday_that_one_region_lacks_is_an_error(self) -> None:
        (finding,) = errors(without_holidays(region="zuid", school_year="2026-2027", name="Zomervakantie"))
        assert finding.place == "school_holidays.csv: zuid 2026-2027 Zomervakantie"
        assert "lacks the holiday" in finding.sentence

    def test_a_year_that_is_missing_between_two_is_an_error(self) -> None:
        (finding,) = errors(without_holidays(school_year="2026-2027"))
        assert finding.place == "school_holidays.csv: 2026-2027"

    @pytest.mark.parametrize(
        ("today", "is_told"), [(date(2028, 3, 4), False), (date(2028, 3, 5), True), (date(2031, 1, 1), True)]
    )
    def test_half_a_year_before_the_last_one_the_next_year_is_asked_for(self, today: date, is_told: bool) -> None:
        remarks = [f for f in check_mappings(OURS, today) if f.place == "school_holidays.csv"]
        assert bool(remarks) is is_told
        assert all(remark.severity is Severity.REMARK for remark in remarks)

    def test_none_at_all_is_a_remark(self) -> None:
        none = msgspec.structs.replace(OURS, school_holidays=())
        assert errors(none) == []
        assert any(f.place == "school_holidays.csv" for f in check_mappings(none, TODAY))
