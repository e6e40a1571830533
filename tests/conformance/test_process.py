"""The sandbox as a process: what it writes, whom it serves, how it ends."""

import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.conformance.school import world_seed
from tests.sandbox_process import SandboxProcess


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def refusal(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "provisioning.sandbox", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return ended.returncode, ended.stderr


class TestFolder:
    def test_secrets_are_readable_by_the_owner_alone(self, process: SandboxProcess) -> None:
        folder = process.ca_file.parent
        assert {mode(folder / name) for name in ("server.pem", "server.key", "control-token")} == {0o600}

    def test_the_address_file_names_the_three_doors(self, process: SandboxProcess) -> None:
        address = json.loads((process.ca_file.parent / "address.json").read_bytes())
        root = address["authority"]
        assert address["graph"] == f"https://{root}/v1.0"
        assert address["control"] == f"https://{root}/_sandbox"
        assert root.startswith("localhost:")


class TestCertificate:
    @pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "graph.microsoft.com", "login.microsoftonline.com"])
    def test_is_good_for_every_name_it_is_called_by(self, process: SandboxProcess, name: str) -> None:
        port = int(process.authority.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            process.tls().wrap_socket(plain, server_hostname=name) as secured,
        ):
            assert secured.version() == "TLSv1.3"

    def test_is_not_good_for_anybody_else(self, process: SandboxProcess) -> None:
        port = int(process.authority.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            process.tls().wrap_socket(plain, server_hostname="example.com")

    def test_is_unknown_to_the_rest_of_the_world(self, process: SandboxProcess) -> None:
        with pytest.raises(httpx.ConnectError):
            httpx.get(process.graph_url)


class TestLife:
    def test_starts_with_a_seed_and_stops_cleanly(self, tmp_path: Path) -> None:
        (tmp_path / "seed.json").write_text(json.dumps(world_seed()))
        with SandboxProcess().start(tmp_path / "twin", seed=tmp_path / "seed.json", clock_factor=60, lag=5) as twin:
            assert (twin.control.health()["users"], twin.control.clock()["factor"]) == (7, 60.0)
            assert twin.stop() == 0
        assert not (tmp_path / "twin" / "address.json").exists()
        assert (tmp_path / "twin" / "sandbox.log").read_text() == ""

    def test_starts_with_the_board_profile(self, tmp_path: Path) -> None:
        with SandboxProcess().start(tmp_path, profile="board", switch=["shuffle_batch=false"]) as twin:
            assert twin.control.health()["users"] > 1_000
            assert twin.control.set_switches()["shuffle_batch"] is False

    def test_starts_with_a_sector_of_any_size(self, tmp_path: Path) -> None:
        with SandboxProcess().start(tmp_path, profile="sector", tenants=12, users=25, random_seed=3) as twin:
            health = twin.control.health()
            assert health["tenants"] == 12
            assert health["users"] / 12 == pytest.approx(25, rel=0.15)
            again = twin.control.seed_profile("sector", tenants=12, users=25, random_seed=3)
            assert (again["tenants"], again["users"]) == (12, health["users"])

    def test_takes_its_control_token_from_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SANDBOX_CONTROL_TOKEN", "known beforehand")
        with SandboxProcess().start(tmp_path) as twin:
            assert (tmp_path / "control-token").read_text() == "known beforehand"
            assert twin.control.health()["status"] == "ok"


class TestRefusals:
    def test_a_seed_that_is_wrong_is_named_without_a_traceback(self, tmp_path: Path) -> None:
        (tmp_path / "seed.json").write_text('{"tenants": [{"id": 7}]}')
        status, said = refusal("--folder", str(tmp_path), "--seed", str(tmp_path / "seed.json"))
        assert status == 2
        assert said.startswith("The sandbox cannot start: Expected `str`, got `int`")
        assert said.count("\n") == 1

    def test_a_profile_that_cannot_be(self, tmp_path: Path) -> None:
        status, said = refusal("--folder", str(tmp_path), "--profile", "sector", "--tenants", "0")
        assert (status, said.count("\n")) == (2, 1)
        assert "tenants" in said

    @pytest.mark.parametrize("switch", ["nonsense=1", "shuffle_batch=maybe", "shuffle_batch"])
    def test_a_switch_that_does_not_exist_or_fit(self, tmp_path: Path, switch: str) -> None:
        status, said = refusal("--folder", str(tmp_path), "--switch", switch)
        assert (status, said.count("\n")) == (2, 1)

    def test_a_port_that_is_taken(self, tmp_path: Path, process: SandboxProcess) -> None:
        port = process.authority.rpartition(":")[2]
        status, said = refusal("--folder", str(tmp_path), "--port", port)
        assert status == 2
        assert "The sandbox cannot start" in said
        assert "Traceback" not in said
