"""The world of a merger: who is odd in it, and that its files speak of the same people."""

from pathlib import Path

import msgspec
import pytest

from mappings.loader import load_mappings
from provisioning.domain.migration import EvidenceSource
from provisioning.intake.gate_evidence import read_evidence
from provisioning.intake.migration_files import read_migration
from provisioning.local import merger_seed as seed
from provisioning.local.merger_files import write_merger_files
from provisioning.local.merger_seed import merger_seed
from provisioning.sandbox.seed import plant, read_seed
from provisioning.sandbox.world import Settings, World

NAMES = {user["userPrincipalName"]: user for tenant in merger_seed()["tenants"] for user in tenant["users"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_merger_files(tmp_path)
    return tmp_path


class TestSeed:
    def test_is_one_that_the_twin_takes(self) -> None:
        world = World(Settings())
        plant(world, read_seed(msgspec.json.encode(merger_seed())))
        assert set(world.tenants) == {seed.SOURCE_TENANT, seed.TARGET_TENANT}

    def test_has_a_seat_in_the_target_for_everybody(self) -> None:
        target = merger_seed()["tenants"][1]
        bought = {one["skuId"]: one["totalLicenses"] for one in target["subscriptions"]}
        held = [held["skuId"] for user in target["users"] for held in user["assignments"]]
        waiting = [user for user in target["users"] if not user["assignments"]]
        pupils = sum(user["employeeType"] == "Leerling" for user in waiting)
        assert bought[seed.A3_STUDENT] - held.count(seed.A3_STUDENT) >= pupils == len(seed.PUPILS)
        assert bought[seed.A3] - held.count(seed.A3) >= len(waiting) - pupils

    def test_lacks_one_account_in_the_target(self) -> None:
        coming = {number: seed.staff_name(seed.at_the_target(number), seed.TARGET) for number in seed.STAFF}
        assert [number for number, name in coming.items() if name not in NAMES] == [seed.LACKING]


class TestFiles:
    def test_are_for_us_alone(self, folder: Path) -> None:
        assert {oct(file.stat().st_mode & 0o777) for file in folder.iterdir()} == {"0o600"}

    def test_the_map_names_people_who_are_there_and_leads_one_to_two(self, folder: Path) -> None:
        pairs = read_migration(folder / "merger.yaml", load_mappings()).identity
        assert {name for pair in pairs for name in (pair.source, pair.target)} <= set(NAMES)
        sources = [pair.source for pair in pairs]
        twice = {name for name in sources if sources.count(name) > 1}
        assert twice == {seed.staff_name(seed.DISPUTED, seed.SOURCE)}

    def test_both_reports_together_have_all_of_the_staff_moved(self, folder: Path) -> None:
        first, second = (
            read_evidence(folder / name, EvidenceSource.TOOL_REPORT) for name in ("moved.csv", "moved-again.csv")
        )
        assert [one.status for one in first.unready] == ["Failed"]
        moved = {one.person for evidence in (first, second) for one in evidence.ready}
        assert moved == {
            seed.staff_name(seed.at_the_target(number), seed.TARGET) for number in seed.STAFF if number != seed.LACKING
        }
