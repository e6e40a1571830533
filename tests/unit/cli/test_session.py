"""One run of the installed command: what it logs never stands between what it prints."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from provisioning import bootstrap
from provisioning.cli.session import Session


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_restored")
def test_a_warning_of_the_services_goes_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def opened() -> Any:
        structlog.get_logger("graph.parts").warning("graph.parts_unreadable", count=1)
        structlog.get_logger("graph.parts").info("graph.read")
        return object()

    monkeypatch.setattr(bootstrap, "services", opened)
    assert Session().services
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "graph.parts_unreadable" in printed.err
    assert "graph.read" not in printed.err
