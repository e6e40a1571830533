"""Campaign files: taken whole or not at all, every mistake told at once under the path of its field."""

import json
from pathlib import Path
from typing import Any

import pytest

from mappings.loader import load_mappings
from provisioning.domain.campaign import ALWAYS_STOPS, CampaignDefinition, CampaignSelection, ErrorBudget, SelectedBy
from provisioning.domain.errors import InputError
from provisioning.domain.ids import OrganisationId, TenantId
from provisioning.domain.migration import Window
from provisioning.intake.campaign_files import parse_campaign, read_campaign
from provisioning.intake.problems import FileRefusedError

MAPPINGS = load_mappings()
A1, A3 = "STANDARDWOFFPACK_FACULTY", "M365EDU_A3_FACULTY"
BY_NAME = {sku.part_number: sku for sku in MAPPINGS.skus.values()}
RETIRED = next(sku for sku in MAPPINGS.skus.values() if sku.is_retired)
ROW = MAPPINGS.remaps[0]
LEAST: dict[str, Any] = {
    "name": "sector",
    "asked_by": "letter 7",
    "why": "the contract ends",
    "products": [{"from": A1, "to": A3}],
    "begins_at": "2027-07-19 20:00",
}


def parse(**changes: Any) -> CampaignDefinition:
    return parse_campaign("c.json", json.dumps(LEAST | changes).encode(), MAPPINGS)


def complaints(**changes: Any) -> list[str]:
    with pytest.raises(FileRefusedError) as refused:
        parse(**changes)
    return [str(problem) for problem in refused.value.problems]


class TestTheLeast:
    def test_has_careful_defaults(self) -> None:
        found = parse()
        assert found.selection == CampaignSelection(by=SelectedBy.MAPPING)
        assert (found.canaries, found.widening, found.window) == (10, 3.0, Window())
        assert found.budget == ErrorBudget(tenants=0.02, people=0.02, always=ALWAYS_STOPS)

    @pytest.mark.parametrize("missing", sorted(LEAST))
    def test_is_all_needed(self, missing: str) -> None:
        assert any(missing in one for one in complaints(**{missing: None}))

    def test_is_read_from_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "c.yaml"
        path.write_text(json.dumps(LEAST), "utf-8")
        assert read_campaign(path, MAPPINGS) == parse()

    def test_too_large_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "c.yaml"
        path.write_bytes(b"#" * 1_000_001)
        with pytest.raises(InputError, match="at most"):
            read_campaign(path, MAPPINGS)


class TestProducts:
    def test_without_a_target_take_what_the_table_says_on_the_day(self) -> None:
        (pair,) = parse(products=[{"from": ROW.from_sku}]).pairs
        assert (pair.from_sku, pair.to_sku, pair.from_table) == (ROW.from_sku, ROW.to_sku, True)

    def test_take_their_add_ons_along(self) -> None:
        ems = BY_NAME["EMS_EDU_FACULTY"].sku_id
        (pair,) = parse(products=[{"from": A1, "to": A3, "along": {"EMS_EDU_FACULTY": "EMS_EDU_FACULTY"}}]).pairs
        assert pair.along == {ems: ems}

    @pytest.mark.parametrize(
        ("products", "complaint"),
        [
            pytest.param([], "products: is empty", id="none"),
            pytest.param([{"from": A3}], "remaps.csv has nothing", id="nothing in the table"),
            pytest.param([{"from": A1, "to": "M365EDU_A3_FACULTI"}], "do you mean M365EDU_A3_FACULTY", id="misspelt"),
            pytest.param([{"from": A1, "to": A1}], "nothing would change", id="the same"),
            pytest.param([{"from": A1, "to": RETIRED.sku_id}], "nobody can get it", id="retired"),
            pytest.param([{"from": A1, "to": "M365EDU_A3_STUUSEBNFT"}], "is for student", id="other people"),
            pytest.param([{"from": A1, "to": A3}, {"from": A1, "to": A3}], "products[1] already", id="twice"),
            pytest.param([{"from": A1, "to": A3, "along": {"EMS_EDU_FACULTY": 7}}], "be the product", id="along"),
            pytest.param([{"from": A1, "to": A3, "for": "x"}], "no such field", id="an unknown field"),
        ],
    )
    def test_that_cannot_be_are_refused(self, products: list[Any], complaint: str) -> None:
        assert any(complaint in one for one in complaints(products=products))


class TestTenants:
    def test_by_list_are_named_as_people_name_them(self) -> None:
        found = parse(tenants={"by": "list", "tenants": ["School.Example"], "organisations": [40001, "00aa"]}).selection
        assert found.tenants == (TenantId("school.example"),)
        assert found.organisations == (OrganisationId("40001"), OrganisationId("00AA"))

    def test_can_be_left_out_with_a_reason(self) -> None:
        found = parse(tenants={"except": {"A.example": "merges", "00aa": "has its own", "40001": " x "}}).selection
        assert found.excluded == {"a.example": "merges", "00AA": "has its own", "40001": "x"}

    @pytest.mark.parametrize(
        ("tenants", "complaint"),
        [
            pytest.param({"by": "agreement"}, "agreements: is missing", id="no agreement"),
            pytest.param({"by": "list"}, "tenants: is missing", id="no list"),
            pytest.param({"agreements": ["a"]}, "write by: agreement", id="agreements without by"),
            pytest.param({"tenants": ["a.example"]}, "takes no list", id="a list without by"),
            pytest.param({"by": "lsit"}, "do you mean list", id="misspelt"),
            pytest.param({"by": "list", "tenants": ["a.b", "a.b"]}, "there twice", id="twice"),
            pytest.param({"by": "list", "tenants": [True]}, "is no name", id="no name"),
            pytest.param({"except": {"a.example": ""}}, "needs a reason", id="no reason"),
            pytest.param({"except": {"some school": "x"}}, "neither a tenant", id="no code"),
        ],
    )
    def test_that_make_no_sense_are_refused(self, tenants: dict[str, Any], complaint: str) -> None:
        assert any(complaint in one for one in complaints(tenants=tenants))


class TestRules:
    @pytest.mark.parametrize(("canaries", "is_fine"), [(0, False), (1, True), (1_000, True), (1_001, False)])
    def test_canaries_have_limits(self, canaries: int, is_fine: bool) -> None:
        changes = {"waves": {"canaries": canaries}}
        assert parse(**changes).canaries == canaries if is_fine else complaints(**changes)

    @pytest.mark.parametrize(
        ("widening", "is_fine"),
        [(0.5, False), (1, True), (2.5, True), ("2.5", True), (100, True), (101, False), ("x", False), (True, False)],
    )
    def test_widening_has_limits(self, widening: Any, is_fine: bool) -> None:
        changes = {"waves": {"widening": widening}}
        assert parse(**changes).widening == float(widening) if is_fine else complaints(**changes)

    @pytest.mark.parametrize(("share", "read"), [("3%", 0.03), (0.03, 0.03), ("0,5 %", 0.005), (0, 0.0)])
    def test_the_budget_is_a_share(self, share: Any, read: float) -> None:
        assert parse(error_budget={"tenants": share}).budget.tenants == pytest.approx(read)

    @pytest.mark.parametrize("share", [5, "100%", "x", -1])
    def test_what_is_no_share_is_refused(self, share: Any) -> None:
        assert "is no share" in complaints(error_budget={"people": share})[0]

    def test_reasons_that_always_stop_can_be_none(self) -> None:
        assert parse(error_budget={"always": []}).budget.always == frozenset()

    def test_reasons_that_do_not_exist_are_refused(self) -> None:
        assert "do you mean GROUP_GONE" in complaints(error_budget={"always": ["GROUP_GON"]})[0]

    def test_who_asked_is_no_address(self) -> None:
        assert "is an address" in complaints(asked_by="x@y.example")[0]

    def test_all_mistakes_are_told_at_once(self) -> None:
        assert len(complaints(products=[{"from": "x"}], begins_at="noon", waves={"canaries": 0})) >= 3
