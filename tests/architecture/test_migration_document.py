"""The document about migration files says what the readers do: its fields are theirs, its examples are read by them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mappings.loader import COLUMNS, load_mappings
from provisioning.domain.catalogue import Audience
from provisioning.domain.migration import EvidenceSource, Situation, Treatment, Window
from provisioning.domain.migration_file import MigrationFile
from provisioning.intake.gate_evidence import MICROSOFT_COUNTS, REPORT_COUNTS, parse_evidence
from provisioning.intake.migration_fields import FIELDS
from provisioning.intake.migration_files import read_migration
from provisioning.planning.selectors import parse_selector
from tests.architecture.source import ROOT

TEXT = (ROOT / "docs" / "migration-file.md").read_text("utf-8")
TABLES = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", TEXT, re.MULTILINE))


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def migration(tmp_path: Path) -> MigrationFile:
    """The example of the document, with the identity map of the document beside it."""
    (example,), (people, _) = examples("yaml"), examples("csv")
    (tmp_path / "people.csv").write_text(people, "utf-8")
    (tmp_path / "merger.yaml").write_text(example, "utf-8")
    return read_migration(tmp_path / "merger.yaml", load_mappings())


class TestFields:
    def test_are_those_of_the_reader_with_what_belongs_in_them(self) -> None:
        assert {path: told for path, told in TABLES.items() if path not in set(EvidenceSource)} == dict(FIELDS)

    def test_are_all_in_the_example(self) -> None:
        (example,) = examples("yaml")
        names = {path.replace("[]", "").rpartition(".")[2] for path in FIELDS}
        assert [name for name in names if not re.search(rf"\b{name}:", example)] == []


class TestExample:
    def test_says_who_goes_where(self, migration: MigrationFile) -> None:
        assert (migration.source.tenant, migration.target.tenant) == ("oostwijk.example", "samen.example")
        assert (migration.source.holder, migration.target.holder) == ("40001", "40002")
        assert parse_selector(migration.people)

    def test_names_products_of_the_mappings(self, migration: MigrationFile) -> None:
        names = {sku_id: sku.part_number for sku_id, sku in load_mappings().skus.items()}
        pairs = [(names[pair.source_sku], names[pair.target_sku], pair.audience) for pair in migration.products]
        assert pairs == [
            ("M365EDU_A3_FACULTY", "M365EDU_A3_FACULTY", Audience.FACULTY),
            ("STANDARDWOFFPACK_STUDENT", "M365EDU_A3_STUUSEBNFT", Audience.STUDENT),
        ]

    def test_has_a_pilot_and_the_rest(self, migration: MigrationFile) -> None:
        assert [(wave.number, wave.name, wave.limit) for wave in migration.waves] == [
            (1, "pilot", 25), (2, "staff", 2_000), (3, "pupils", None),
        ]  # fmt: skip
        assert migration.waves[0].not_before == datetime(2027, 7, 12, 6, tzinfo=UTC)
        assert migration.waves[2].selector == migration.people

    def test_reads_the_identity_map_beside_it(self, migration: MigrationFile) -> None:
        assert [pair.target for pair in migration.identity] == ["jdevries@samen.example", "a.bakker@samen.example"]

    def test_says_what_happens_when(self, migration: MigrationFile) -> None:
        assert migration.treatments[Situation.ALREADY_LICENSED] is Treatment.TAKE_ALONG
        assert migration.window == Window(region="noord", from_hour=18, until_hour=7)
        assert (migration.hold_period, migration.failure_threshold) == (timedelta(days=30), 0.05)


class TestEvidence:
    def test_the_list_of_the_document_is_read(self) -> None:
        _, evidence = examples("csv")
        found = parse_evidence("list.csv", evidence.encode(), EvidenceSource.LIST)
        assert [one.person for one in found.ready] == ["jdevries@samen.example", "a.bakker@samen.example"]
        assert found.ready[0].completed_at == datetime(2027, 7, 20, 1, 15, tzinfo=UTC)

    def test_every_kind_is_told_with_the_statuses_that_count(self) -> None:
        assert set(EvidenceSource) <= TABLES.keys()
        assert TABLES[EvidenceSource.TOOL_REPORT].endswith("| " + ", ".join(REPORT_COUNTS))
        assert TABLES[EvidenceSource.MICROSOFT_JOB].endswith("| " + ", ".join(MICROSOFT_COUNTS))


class TestSchoolHolidays:
    def test_are_told_with_their_columns(self) -> None:
        _, section = TEXT.split("## School holidays")
        assert [column for column in COLUMNS["school_holidays.csv"] if column not in section] == []
