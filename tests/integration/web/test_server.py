"""The API as a process: it says where it is, ends in order, and in one sentence when it cannot begin."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from provisioning.database.realm import Realm, claim_realm
from provisioning.domain.errors import ConfigurationError, InputError
from provisioning.web.server import serve
from tests.factories import NOW
from tests.integration.conftest import Database
from tests.integration.web.conftest import MakeServices

COMMAND = [sys.executable, "-c", "from provisioning.cli.entry import main; main()", "serve", "--port=0", "--json"]


def nobody(address: str) -> None:
    raise AssertionError(f"{address} was announced")


class TestACannotBegin:
    def test_a_port_that_is_taken_is_said_to_be(self, make_services: MakeServices) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(ConfigurationError, match=f"Port {port} of 127.0.0.1 cannot be had: Address already in"):
                serve(make_services(), "127.0.0.1", port, nobody)

    def test_so_is_an_address_of_another_machine(self, make_services: MakeServices) -> None:
        with pytest.raises((InputError, ConfigurationError), match=r"192\.0\.2\.1"):
            serve(make_services(), "192.0.2.1", 0, nobody)


class TestAProcess:
    def test_answers_and_ends_in_order(
        self, make_services: MakeServices, database: Database, engines: object, tmp_path: Path
    ) -> None:
        services = make_services()
        claim_realm(services.engine, Realm.SANDBOX, NOW)
        settings = services.settings
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PROVISIONING_")},
            "DATABASE_URL": database.url,
            "REDIS_URL": settings.redis_url.get_secret_value(),
            "PROVISIONING_SECRETS_FOLDER": str(tmp_path / "none"),
            "PROVISIONING_REALM": "sandbox",
            "PROVISIONING_GRAPH_BASE_URL": settings.graph_base_url,
            "PROVISIONING_GRAPH_CLIENT_ID": settings.graph_client_id,
            "PROVISIONING_GRAPH_CLIENT_SECRET": "opens-nothing",
        }
        process = subprocess.Popen(COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            told = b"".join(process.stdout.readline() for _ in range(3)).decode()
            address = told.split('"')[3]
            answer = httpx.get(f"{address}/healthz", timeout=20)
            assert answer.json() == {"status": "alive"}
            assert "server" not in answer.headers
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"Traceback" not in said
