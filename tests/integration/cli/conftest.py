"""The command as operators have it: a real database, a real broker, and the sandbox in Microsoft's place."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from config.settings import SECRETS_FOLDER, load_settings
from provisioning.audit.note import SignerKey
from provisioning.bootstrap import Services
from provisioning.broker.connection import connect
from provisioning.cli.app import run
from provisioning.cli.session import Session
from provisioning.local.engines import Engines
from tests.conformance.school import APP, SECRET
from tests.integration.conftest import Database
from tests.sandbox_fixtures import process, sandbox
from tests.sandbox_process import SandboxProcess

__all__ = ["process", "sandbox"]

SIGNER = SignerKey("log.test", bytes(range(32)))


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def flat(text: str) -> str:
    """What was said, however its lines were broken."""
    return " ".join(text.split())


class Installation:
    """Types commands as somebody; each one is a run of its own, as in a shell."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._captured = captured

    def services(self) -> Services:
        """What bootstrap builds of this environment."""
        return Services(load_settings())

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def unset(self, name: str) -> None:
        self._monkeypatch.delenv(name, raising=False)

    def as_holder_of(self, token: str) -> "Installation":
        self.set(PROVISIONING_TOKEN=token)
        return self

    def __call__(self, *arguments: str) -> Answer:
        code = run(list(arguments), Session(self.services))
        printed = self._captured.readouterr()
        return Answer(code, printed.out, printed.err)

    def add(self, actor: str, *roles: str) -> str:
        """The token of a new actor, added by whoever is typing now."""
        options = [word for role in roles for word in ("--role", role)]
        answer = self("actors", "add", actor, *options, "--json")
        assert answer.code == 0, answer.err
        return str(answer.json["token"])


@pytest.fixture
def provisioning(
    engines: Engines,
    engine: Engine,
    database: Database,
    sandbox: SandboxProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Installation:
    """A complete sandbox installation with nobody in it."""
    key = tmp_path / "checkpoint-key"
    key.write_text(SIGNER.reveal())
    with connect(engines.redis_url) as redis:
        redis.flushdb()
    made = Installation(monkeypatch, capsys)
    for name in ("PROVISIONING_TOKEN", "PROVISIONING_TOKEN_FILE", "PROVISIONING_LOG_LEVEL"):
        made.unset(name)
    made.set(
        **{
            "HOME": str(tmp_path),
            SECRETS_FOLDER: str(tmp_path / "none"),
            "DATABASE_URL": database.url,
            "PROVISIONING_OWNER_DATABASE_URL": database.owner_url,
            "REDIS_URL": engines.redis_url,
            "PROVISIONING_REALM": "sandbox",
            "PROVISIONING_LANGUAGE": "en",
            "PROVISIONING_GRAPH_BASE_URL": sandbox.graph_url,
            "PROVISIONING_GRAPH_AUTHORITY": f"https://{sandbox.authority}",
            "PROVISIONING_GRAPH_CA_FILE": str(sandbox.ca_file),
            "PROVISIONING_GRAPH_CLIENT_ID": APP,
            "PROVISIONING_GRAPH_CLIENT_SECRET": SECRET,
            "PROVISIONING_CONSENT_KEY": "k" * 32,
            "PROVISIONING_CONSENT_REDIRECT_URL": "https://provisioning.example/consent",
            "PROVISIONING_CHECKPOINT_FOLDER": str(tmp_path / "checkpoints"),
            "PROVISIONING_CHECKPOINT_KEY_FILE": str(key),
        }
    )
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return made


@pytest.fixture
def team(provisioning: Installation) -> dict[str, str]:
    """The tokens of an administrator, two operators, an approver and an auditor."""
    tokens = {"admin": provisioning.add("person:admin", "admin")}
    provisioning.as_holder_of(tokens["admin"])
    tokens["operator"] = provisioning.add("person:duty", "operator")
    tokens["second"] = provisioning.add("person:night", "operator")
    tokens["approver"] = provisioning.add("person:ap", "approver")
    tokens["auditor"] = provisioning.add("person:au", "auditor")
    provisioning.unset("PROVISIONING_TOKEN")
    return tokens
