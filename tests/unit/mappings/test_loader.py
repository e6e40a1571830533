"""Reading a folder of mappings: ours, and others that are wrong in one place each."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.loader import COLUMNS, OURS, load_mappings
from provisioning.domain.catalogue import Audience, PlanRelation, Variant
from provisioning.domain.errors import ConfigurationError

SHAREPOINT_1, SHAREPOINT_2 = "0a4983bb-d3e5-4a09-95d8-b2d0127b3df5", "63038b2c-28d0-45f6-bc36-33062963b498"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of ours that a test may spoil."""
    for file in COLUMNS:
        shutil.copy(OURS / file, tmp_path / file)
    return tmp_path


def edit(folder: Path, file: str, change: Callable[[list[str]], list[str]]) -> None:
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    (folder / file).write_text("\n".join(change(lines)) + "\n", encoding="utf-8")


class TestOurs:
    mappings = load_mappings()

    def test_hold_a_whole_shop(self) -> None:
        variants = {article.variant for article in self.mappings.articles}
        assert variants == set(Variant)
        assert len(self.mappings.articles) >= 30

    def test_hold_every_education_product_with_its_plans(self) -> None:
        assert len(self.mappings.skus) == 80
        assert sum(bool(sku.plans) for sku in self.mappings.skus.values()) == 62

    def test_name_every_plan_and_its_family(self) -> None:
        plans = [plan for sku in self.mappings.skus.values() for plan in sku.plans]
        assert all(plan.name and plan.family for plan in plans)

    def test_write_guids_in_lower_case_without_blanks(self) -> None:
        plans = {plan.plan_id for sku in self.mappings.skus.values() for plan in sku.plans}
        assert all(guid == guid.strip().lower() for guid in plans | self.mappings.skus.keys())

    def test_know_that_the_two_sharepoints_exclude_each_other_both_ways(self) -> None:
        excluded = {
            rule.plan: rule.others
            for rule in self.mappings.plan_rules
            if rule.relation is PlanRelation.MUTUALLY_EXCLUSIVE
        }
        assert SHAREPOINT_2 in excluded[SHAREPOINT_1]
        assert SHAREPOINT_1 in excluded[SHAREPOINT_2]

    def test_one_service_has_one_family_across_tiers(self) -> None:
        families = {plan.plan_id: plan.family for sku in self.mappings.skus.values() for plan in sku.plans}
        assert families[SHAREPOINT_1] == families[SHAREPOINT_2] == "sharepoint"

    def test_pupil_products_never_serve_a_staff_article(self) -> None:
        wrong = [
            article.code
            for article in self.mappings.articles
            if article.sku_id
            and {article.audience, self.mappings.skus[article.sku_id].audience} == {Audience.FACULTY, Audience.STUDENT}
        ]
        assert wrong == []

    def test_know_the_school_holidays_of_each_region(self) -> None:
        summers = {
            (holiday.region, holiday.first_day.isoformat(), holiday.last_day.isoformat())
            for holiday in self.mappings.school_holidays
            if (holiday.name, holiday.school_year) == ("Zomervakantie", "2027-2028")
        }
        assert summers == {
            ("noord", "2028-07-15", "2028-08-27"),
            ("midden", "2028-07-08", "2028-08-20"),
            ("zuid", "2028-07-22", "2028-09-03"),
        }


class TestTheDigest:
    def test_does_not_see_the_order_of_rows_nor_line_ends(self, folder: Path) -> None:
        before = load_mappings(folder).digest
        edit(folder, "articles.csv", lambda lines: [lines[0], *reversed(lines[1:])])
        text = (folder / "skus.csv").read_text(encoding="utf-8")
        (folder / "skus.csv").write_bytes(("\ufeff" + text.replace("\n", "\r\n")).encode())
        assert load_mappings(folder).digest == before == load_mappings().digest

    def test_sees_one_changed_cell(self, folder: Path) -> None:
        before = load_mappings(folder).digest
        edit(folder, "articles.csv", lambda lines: [line.replace("yearly", "monthly") for line in lines])
        assert load_mappings(folder).digest != before

    def test_sees_a_holiday_that_moved(self, folder: Path) -> None:
        before = load_mappings(folder).digest
        edit(folder, "school_holidays.csv", lambda lines: [line.replace("2026-07-04", "2026-07-05") for line in lines])
        assert load_mappings(folder).digest != before

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
    @given(st.randoms(use_true_random=False))
    def test_is_the_same_for_every_order_of_rows(self, folder: Path, random: object) -> None:
        for file in COLUMNS:
            edit(folder, file, lambda lines: [lines[0], *_shuffled(lines[1:], random)])
        assert load_mappings(folder).digest == load_mappings().digest


class TestOddButRightFiles:
    def test_guids_with_blanks_and_capitals_are_the_same_guids(self, folder: Path) -> None:
        edit(folder, "group_licensing.csv", lambda lines: [lines[0], *(_oddly(line) for line in lines[1:])])
        assert load_mappings(folder).group_licensing == load_mappings().group_licensing

    def test_a_plan_that_a_product_names_twice_counts_once(self, folder: Path) -> None:
        edit(folder, "service_plans.csv", lambda lines: [*lines, lines[1]])
        assert load_mappings(folder).digest == load_mappings().digest


class TestWrongFiles:
    @pytest.mark.parametrize(
        ("file", "line", "column", "value", "told"),
        [
            ("articles.csv", 2, "sku_id", "4b590615", "no GUID"),
            ("articles.csv", 3, "valid_from", "1-1-2026", "2026-01-31"),
            ("articles.csv", 2, "variant", "basis", "write one of base, extension"),
            ("articles.csv", 2, "is_named", "ja", "write true or false"),
            ("articles.csv", 2, "min_term_months", "-1", "whole number"),
            ("articles.csv", 4, "supplier", " ", "is empty"),
            ("skus.csv", 2, "audience", "teachers", "faculty, student"),
            ("plan_rules.csv", 2, "relation", "needs", "mutually_exclusive"),
            ("ambiguous.csv", 2, "article_codes", "", "is empty"),
            ("school_holidays.csv", 2, "first_day", "18 oktober", "2026-01-31"),
            ("school_holidays.csv", 3, "is_binding", "advies", "write true or false"),
            ("school_holidays.csv", 4, "region", "", "is empty"),
        ],
    )
    def test_say_file_line_column_and_remedy(
        self, folder: Path, file: str, line: int, column: str, value: str, told: str
    ) -> None:
        place = COLUMNS[file].index(column)

        def spoil(lines: list[str]) -> list[str]:
            cells = lines[line - 1].split(",")
            cells[place] = value
            return [*lines[: line - 1], ",".join(cells), *lines[line:]]

        edit(folder, file, spoil)
        with pytest.raises(ConfigurationError) as refused:
            load_mappings(folder)
        assert f"{file}, line {line}, column {column}" in str(refused.value)
        assert told in str(refused.value)

    def test_a_missing_file_is_named(self, folder: Path) -> None:
        (folder / "remaps.csv").unlink()
        with pytest.raises(ConfigurationError, match=r"remaps\.csv cannot be read"):
            load_mappings(folder)

    def test_a_missing_column_is_named(self, folder: Path) -> None:
        edit(folder, "skus.csv", lambda lines: [lines[0].replace("lifecycle", "stage"), *lines[1:]])
        with pytest.raises(ConfigurationError, match=r"missing: lifecycle; unknown: stage"):
            load_mappings(folder)

    def test_a_row_with_a_comma_too_many_is_named(self, folder: Path) -> None:
        edit(folder, "remaps.csv", lambda lines: [*lines, lines[1] + ",x"])
        with pytest.raises(ConfigurationError, match=r"remaps\.csv, line 9: 8 cells where the header has 7"):
            load_mappings(folder)

    def test_a_row_of_remaps_may_name_boards_and_a_suite(self, folder: Path) -> None:
        row = f"{SHAREPOINT_1},{SHAREPOINT_2},2027-08-01,2027-12-31,,41234 42345,{SHAREPOINT_2}"
        edit(folder, "remaps.csv", lambda lines: [*lines, row])
        (remap,) = [remap for remap in load_mappings(folder).remaps if remap.boards]
        assert (remap.boards, remap.beside, remap.exceptions) == ({"41234", "42345"}, SHAREPOINT_2, frozenset())

    def test_another_encoding_is_named(self, folder: Path) -> None:
        (folder / "skus.csv").write_bytes("sku_id,part_number\nx,Caf\xe9".encode("cp1252"))
        with pytest.raises(ConfigurationError, match=r"not UTF-8"):
            load_mappings(folder)

    def test_an_open_quote_is_named(self, folder: Path) -> None:
        edit(folder, "remaps.csv", lambda lines: [*lines, '"never closed'])
        with pytest.raises(ConfigurationError, match=r"remaps\.csv, line \d+: .*quotes"):
            load_mappings(folder)

    def test_a_product_that_is_there_twice_is_named(self, folder: Path) -> None:
        edit(folder, "skus.csv", lambda lines: [*lines, lines[1]])
        with pytest.raises(ConfigurationError, match=r"skus\.csv, line 82, column sku_id: repeats 94763226"):
            load_mappings(folder)

    def test_plans_of_an_unknown_product_are_named(self, folder: Path) -> None:
        edit(folder, "skus.csv", lambda lines: [lines[0], *lines[2:]])
        with pytest.raises(ConfigurationError, match=r"skus\.csv has no 94763226"):
            load_mappings(folder)


def _oddly(line: str) -> str:
    guid, name = line.split(",")
    return f" {guid[:8].upper()} {guid[8:]}\u00a0,{name}"


def _shuffled(lines: list[str], random: object) -> list[str]:
    lines = list(lines)
    random.shuffle(lines)  # type: ignore[attr-defined]  # hypothesis' Random
    return lines
