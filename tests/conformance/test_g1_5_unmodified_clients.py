"""G1.5 and G11.1: clients that we did not write, with Microsoft's own addresses and default settings.

They get a CA file, and name resolution that points at the twin; their instance discovery is on.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.credentials import Certificate
from tests.conformance.school import APP, SECRET, TENANT, world_seed
from tests.sandbox_process import SandboxProcess

STRANGERS = Path(__file__).parent / "strangers"
GRAPH = "https://graph.microsoft.com/v1.0"
TOKENS = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"


@pytest.fixture(scope="module")
def found(process: SandboxProcess, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the stranger found, having run once."""
    process.control.seed(world_seed())
    process.control.register_app(APP, secrets=[{"value": SECRET}], certificates=[certificate.pem])
    bundle = tmp_path_factory.mktemp("stranger") / "app.pem"
    bundle.write_bytes(certificate.bundle)
    environment = {
        **os.environ,
        "PYTHONPATH": str(STRANGERS / "resolver"),
        "TWIN_PORT": process.authority.rpartition(":")[2],
        "SSL_CERT_FILE": str(process.ca_file),
        "REQUESTS_CA_BUNDLE": str(process.ca_file),
    }
    command = [sys.executable, str(STRANGERS / "client.py"), TENANT, APP, SECRET, str(bundle)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("library", ["requests", "httpx"])
@pytest.mark.parametrize("credential", ["secret", "certificate", "chain"])
def test_g1_5_a_synchronous_credential_and_plain_http(found: Any, library: str, credential: str) -> None:
    assert found[f"{library}, {credential}"] == TENANT


@pytest.mark.parametrize("credential", ["secret", "certificate", "synchronous secret"])
def test_g1_5_the_sdk_as_it_comes(found: Any, credential: str) -> None:
    assert found[f"sdk, {credential}"] == {
        "tenant": TENANT,
        "users": 7,
        "link": None,
        "delta": f"{GRAPH}/users/delta()",
    }


class TestCurl:
    @pytest.fixture(params=["--resolve", "--connect-to"])
    def curl(self, request: pytest.FixtureRequest, sandbox: SandboxProcess) -> Any:
        """curl that takes the twin for Microsoft, by its own means; --resolve turns names alone, so the port shows."""
        port = sandbox.authority.rpartition(":")[2]
        hosts = ("graph.microsoft.com", "login.microsoftonline.com")
        if request.param == "--resolve":
            turned = [text for host in hosts for text in ("--resolve", f"{host}:{port}:127.0.0.1")]
        else:
            turned = [text for host in hosts for text in ("--connect-to", f"{host}:443:127.0.0.1:{port}")]

        def run(url: str, *arguments: str) -> Any:
            address = url.replace(".com/", f".com:{port}/") if request.param == "--resolve" else url
            command = ["curl", "--silent", "--show-error", "--cacert", str(sandbox.ca_file), *turned, address]
            ended = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=30, check=True)
            return json.loads(ended.stdout)

        return run

    def test_g1_5_finds_token_and_graph(self, curl: Any) -> None:
        form = {"client_id": APP, "client_secret": SECRET, "grant_type": "client_credentials"}
        form["scope"] = "https://graph.microsoft.com/.default"
        fields = [text for name, value in form.items() for text in ("--data-urlencode", f"{name}={value}")]
        token = curl(TOKENS, *fields)["access_token"]
        body = curl(f"{GRAPH}/users?$top=3", "--header", f"Authorization: Bearer {token}")
        assert len(body["value"]) == 3
        assert body["@odata.nextLink"].startswith("https://graph.microsoft.com")
