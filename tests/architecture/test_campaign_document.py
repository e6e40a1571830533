"""The document about campaigns says what the reader does: its fields are those of the reader, its example is read."""

import re
from datetime import UTC, datetime

import pytest

from mappings.loader import load_mappings
from provisioning.domain.campaign import ALWAYS_STOPS, CampaignDefinition, ErrorBudget, SelectedBy
from provisioning.domain.migration import Window
from provisioning.domain.reasons import Reason
from provisioning.intake.campaign_fields import FIELDS
from provisioning.intake.campaign_files import parse_campaign
from tests.architecture.source import ROOT

TEXT = (ROOT / "docs" / "campaigns.md").read_text("utf-8")
TABLE = dict(re.findall(r"^\| `([a-z_.\[\]]+)` \| (.+) \|$", TEXT, re.MULTILINE))
(EXAMPLE,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def campaign() -> CampaignDefinition:
    return parse_campaign("sector.yaml", EXAMPLE.encode(), load_mappings())


class TestFields:
    def test_are_those_of_the_reader_with_what_belongs_in_them(self) -> None:
        assert dict(FIELDS) == TABLE

    def test_are_all_in_the_example(self) -> None:
        names = {path.replace("[]", "").rpartition(".")[2] for path in FIELDS}
        assert [name for name in names if not re.search(rf"\b{name}:", EXAMPLE)] == []

    def test_name_every_reason_that_always_stops(self) -> None:
        assert [reason for reason in ALWAYS_STOPS if f"`{reason}`" not in TEXT] == []


class TestExample:
    def test_says_who_gets_what(self, campaign: CampaignDefinition) -> None:
        names = {sku_id: sku.part_number for sku_id, sku in load_mappings().skus.items()}
        (pair,) = campaign.pairs
        assert (names[pair.from_sku], names[pair.to_sku]) == ("STANDARDWOFFPACK_FACULTY", "M365EDU_A3_FACULTY")
        assert [names[addon] for addon in pair.along] == ["EMS_EDU_FACULTY"]
        assert campaign.selection.by is SelectedBy.MAPPING
        assert set(campaign.selection.excluded) == {"merging.example", "40007"}

    def test_says_when_and_how_carefully(self, campaign: CampaignDefinition) -> None:
        assert campaign.begins_at == datetime(2027, 7, 19, 18, tzinfo=UTC)
        assert campaign.window == Window(region="noord", from_hour=18, until_hour=7)
        assert (campaign.canaries, campaign.widening) == (10, 3.0)
        stops = frozenset({Reason.CONSENT_REVOKED, Reason.NOT_AS_WE_LEFT})
        assert campaign.budget == ErrorBudget(tenants=0.02, people=0.02, always=stops)
