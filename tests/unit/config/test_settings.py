import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import SECRETS_FOLDER, Language, Realm, Settings, load_settings, names
from provisioning.domain.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
SANDBOX = {
    "DATABASE_URL": "postgresql+psycopg://service:s3cret@localhost/provisioning",
    "REDIS_URL": "redis://localhost/0",
    "PROVISIONING_REALM": "sandbox",
    "PROVISIONING_GRAPH_CLIENT_ID": "9d0a2b0e-0000-4000-8000-000000000001",
    "PROVISIONING_GRAPH_CLIENT_SECRET": "gr4ph",
    "PROVISIONING_GRAPH_BASE_URL": "https://graph.localhost:8443/v1.0",
}


@pytest.fixture(autouse=True)
def _only_these(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in {*names(), *(name for name in os.environ if name.startswith("PROVISIONING_"))}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(SECRETS_FOLDER, str(tmp_path / "none"))


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in SANDBOX.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def live(sandbox: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    key = tmp_path / "key"
    key.touch()
    sandbox.setenv("PROVISIONING_REALM", "live")
    sandbox.setenv("PROVISIONING_GRAPH_BASE_URL", "https://graph.microsoft.com/v1.0")
    sandbox.setenv("PROVISIONING_ORDERS_FROM", "2026-08-01T00:00:00+02:00")
    sandbox.setenv("PROVISIONING_CHECKPOINT_FOLDER", str(tmp_path))
    sandbox.setenv("PROVISIONING_CHECKPOINT_KEY_FILE", str(key))
    return sandbox


def complaint() -> str:
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    return str(raised.value)


@pytest.mark.usefixtures("sandbox")
class TestLoadSettings:
    def test_a_sandbox_needs_six_settings(self) -> None:
        assert load_settings().realm is Realm.SANDBOX

    def test_boards_and_operators_read_dutch_unless_told_otherwise(self) -> None:
        assert load_settings().language is Language.DUTCH

    def test_orders_are_collected_every_two_seconds(self) -> None:
        assert load_settings().collect_every == timedelta(seconds=2)

    def test_secrets_are_never_printed(self) -> None:
        printed = repr(load_settings())
        assert "s3cret" not in printed
        assert "gr4ph" not in printed

    def test_what_is_handed_in_comes_before_the_environment(self) -> None:
        assert load_settings(collect_seconds=9).collect_every == timedelta(seconds=9)

    def test_an_empty_variable_is_as_good_as_none(self, sandbox: pytest.MonkeyPatch) -> None:
        sandbox.setenv("PROVISIONING_COLLECT_SECONDS", "")
        assert load_settings().collect_seconds == 2

    def test_certificates_are_separated_by_commas(self, sandbox: pytest.MonkeyPatch, tmp_path: Path) -> None:
        files = [tmp_path / "new.pem", tmp_path / "old.pem"]
        for file in files:
            file.touch()
        sandbox.delenv("PROVISIONING_GRAPH_CLIENT_SECRET")
        sandbox.setenv("PROVISIONING_GRAPH_CERTIFICATE_FILES", f"{files[0]}, {files[1]}")
        assert load_settings().graph_certificate_files == tuple(files)


@pytest.mark.usefixtures("sandbox")
class TestSecretsFolder:
    @pytest.mark.parametrize("name", ["DATABASE_URL", "PROVISIONING_GRAPH_CLIENT_SECRET"])
    def test_a_setting_may_be_a_file_of_its_name(self, sandbox: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
        written = f"{SANDBOX[name]}-from-a-file"
        (tmp_path / name).write_text(written + "\n")
        sandbox.setenv(SECRETS_FOLDER, str(tmp_path))
        sandbox.delenv(name)
        settings = load_settings()
        secrets = {settings.database_url, settings.graph_client_secret}
        assert written in {secret.get_secret_value() for secret in secrets if secret}


class TestComplaints:
    """One sentence per setting that is wrong, naming it."""

    def test_all_that_is_missing_at_once(self) -> None:
        *missing, hint = complaint().splitlines()
        assert ".env.example" in hint
        assert missing == [
            "DATABASE_URL is missing.",
            "REDIS_URL is missing.",
            "PROVISIONING_REALM is missing.",
            "PROVISIONING_GRAPH_CLIENT_ID is missing.",
        ]

    @pytest.mark.parametrize(("name", "value"), [("DATABASE_URL", "sqlite://p4ss"), ("REDIS_URL", "p4ss")])
    def test_what_is_no_address_of_an_engine_is_not_repeated(
        self, sandbox: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        sandbox.setenv(name, value)
        assert f"{name} is wrong: it begins with" in complaint()
        assert "p4ss" not in complaint()

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            pytest.param("PROVISIONING_REALM", "test", "'live' or 'sandbox'", id="an unknown realm"),
            pytest.param("PROVISIONING_ORDERS_FROM", "2026-08-01T00:00:00", "timezone", id="a moment of no zone"),
            pytest.param("PROVISIONING_COLLECT_SECONDS", "0", "greater than 0", id="no interval"),
            pytest.param("PROVISIONING_COLLECT_SECONDS", "often", "valid number", id="no number"),
            pytest.param("PROVISIONING_GRAPH_CA_FILE", "/nowhere/ca.pem", "nothing at /nowhere/ca.pem", id="no file"),
            pytest.param("PROVISIONING_CONSENT_KEY", "short", "at least 32", id="a key that can be guessed"),
            pytest.param("PROVISIONING_GUARD_SWAPS", "-1", "greater than or equal to 0", id="a limit below nothing"),
        ],
    )
    def test_a_wrong_value(self, sandbox: pytest.MonkeyPatch, name: str, value: str, expected: str) -> None:
        sandbox.setenv(name, value)
        said = complaint()
        assert said.startswith(f"{name} is wrong: ")
        assert expected in said

    def test_never_repeats_what_was_entered_for_a_secret(self, sandbox: pytest.MonkeyPatch) -> None:
        sandbox.setenv("PROVISIONING_CONSENT_KEY", "hunter2")
        assert "hunter2" not in complaint()

    @pytest.mark.parametrize("name", ["PROVISIONING_ORDERS_FROM", "PROVISIONING_CHECKPOINT_FOLDER"])
    def test_a_live_installation_needs_more(self, live: pytest.MonkeyPatch, name: str) -> None:
        live.delenv(name)
        assert f"{name} is missing" in complaint()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            pytest.param("PROVISIONING_REALM", "live", id="a live realm on the sandbox"),
            pytest.param(
                "PROVISIONING_GRAPH_BASE_URL", "https://graph.microsoft.com/v1.0", id="a sandbox realm on Microsoft"
            ),
            pytest.param(
                "PROVISIONING_GRAPH_BASE_URL", "https://graph.microsoft.us/v1.0", id="or another of its clouds"
            ),
        ],
    )
    def test_the_realm_must_be_that_of_graph(self, sandbox: pytest.MonkeyPatch, name: str, value: str) -> None:
        sandbox.setenv(name, value)
        assert "PROVISIONING_GRAPH_BASE_URL does not belong to the realm" in complaint()

    def test_time_goes_faster_in_a_sandbox_only(self, live: pytest.MonkeyPatch) -> None:
        live.setenv("PROVISIONING_CLOCK_FACTOR", "60")
        assert "for a sandbox realm only" in complaint()

    def test_faster_time_has_a_beginning(self, sandbox: pytest.MonkeyPatch) -> None:
        sandbox.setenv("PROVISIONING_CLOCK_FACTOR", "60")
        assert "PROVISIONING_CLOCK_ORIGIN is missing" in complaint()

    def test_a_secret_or_certificates_and_not_both(self, sandbox: pytest.MonkeyPatch, tmp_path: Path) -> None:
        sandbox.setenv("PROVISIONING_GRAPH_CERTIFICATE_FILES", str(tmp_path))
        assert "Exactly one" in complaint()

    def test_neither_is_no_way_in(self, sandbox: pytest.MonkeyPatch) -> None:
        sandbox.delenv("PROVISIONING_GRAPH_CLIENT_SECRET")
        assert "Exactly one" in complaint()

    def test_checkpoints_need_both_folder_and_key(self, sandbox: pytest.MonkeyPatch, tmp_path: Path) -> None:
        sandbox.setenv("PROVISIONING_CHECKPOINT_FOLDER", str(tmp_path))
        assert "PROVISIONING_CHECKPOINT_KEY_FILE go together" in complaint()


@pytest.mark.usefixtures("live")
class TestLive:
    def test_a_complete_one_starts(self) -> None:
        assert load_settings().orders_from == datetime(2026, 7, 31, 22, tzinfo=UTC)


class TestEnvExample:
    TEXT = (ROOT / ".env.example").read_text("utf-8")

    def test_has_every_setting_and_no_other(self) -> None:
        written = re.findall(r"^(?:# )?([A-Z_]+)=", self.TEXT, re.MULTILINE)
        assert sorted(written) == sorted([*names(), SECRETS_FOLDER])

    def test_says_the_defaults_as_they_are(self) -> None:
        shown = dict(re.findall(r"^# ([A-Z_]+)=(.+)$", self.TEXT, re.MULTILINE))
        shown.pop(SECRETS_FOLDER)
        defaults = dict(zip(names(), (field.default for field in Settings.model_fields.values()), strict=True))
        assert {
            name: f"{defaults[name]:g}" if isinstance(defaults[name], float) else str(defaults[name]) for name in shown
        } == shown
