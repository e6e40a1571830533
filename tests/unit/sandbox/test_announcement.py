import json
import shlex
from pathlib import Path

import pytest

from provisioning.sandbox.announcement import describe, remove_addresses, write_addresses
from provisioning.sandbox.seed import plant, read_seed
from provisioning.sandbox.world import Settings, World

TENANT, APP = "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a1001", "5b0c1f0e-7a51-4c0e-9d3b-2f6f1d9a2001"


@pytest.fixture
def world() -> World:
    return World(Settings())


class TestWriteAddresses:
    def test_programs_and_shells_find_the_same(self, tmp_path: Path) -> None:
        folder = tmp_path / "with a blank"
        folder.mkdir()
        write_addresses(folder, 8443)
        address = json.loads((folder / "address.json").read_bytes())
        lines = [shlex.split(line)[1] for line in (folder / "address.sh").read_text().splitlines()]
        variables = dict(line.partition("=")[::2] for line in lines)
        assert variables["SANDBOX_GRAPH"] == address["graph"] == "https://localhost:8443/v1.0"
        assert variables["SANDBOX_HOST"] == address["authority"]
        assert variables["SANDBOX_CA"] == str(folder / "ca.pem")

    def test_nothing_is_left_behind(self, tmp_path: Path) -> None:
        write_addresses(tmp_path, 8443)
        remove_addresses(tmp_path)
        remove_addresses(tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestDescribe:
    def test_an_empty_world_says_how_to_fill_it(self, world: World) -> None:
        assert "provisioning sandbox seed FILE" in describe(world, Path("here"), 8443)

    def test_names_tenant_app_and_secret(self, world: World) -> None:
        seed = {"apps": [{"id": APP, "secrets": [{"value": "open sesame"}]}], "tenants": [{"id": TENANT}]}
        plant(world, read_seed(json.dumps(seed).encode()))
        told = describe(world, Path("here"), 8443)
        assert all(text in told for text in ("https://localhost:8443/v1.0", TENANT, APP, "secret open sesame"))

    def test_does_not_fill_the_screen(self, world: World) -> None:
        for number in range(9):
            world.add_tenant(f"00000000-0000-4000-8000-00000000000{number}", "x", [f"x{number}.example"])
        told = describe(world, Path("here"), 8443)
        assert (told.count("Tenant "), "and 4 more" in told) == (5, True)
