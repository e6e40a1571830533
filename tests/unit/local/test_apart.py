import os
from pathlib import Path

import pytest

from config.settings import SECRETS_FOLDER, load_settings
from provisioning.domain.errors import ConfigurationError
from provisioning.local.apart import apart


def test_settings_of_another_installation_do_not_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://live")
    monkeypatch.setenv("PROVISIONING_GRAPH_CLIENT_SECRET", "theirs")
    (tmp_path / "PROVISIONING_REALM").write_text("live")
    monkeypatch.setenv(SECRETS_FOLDER, str(tmp_path))
    before = dict(os.environ)
    with apart():
        assert "DATABASE_URL" not in os.environ
        assert "PROVISIONING_GRAPH_CLIENT_SECRET" not in os.environ
        with pytest.raises(ConfigurationError) as refused:
            load_settings()
        assert "PROVISIONING_REALM is missing" in str(refused.value)  # its file is not read either
    assert dict(os.environ) == before


def test_they_are_back_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://live")
    with pytest.raises(KeyboardInterrupt), apart():
        raise KeyboardInterrupt
    assert os.environ["REDIS_URL"] == "redis://live"
    assert os.environ.get(SECRETS_FOLDER) != os.devnull


def test_other_variables_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    with apart():
        assert os.environ["HOME"] == "/home/ann"
