import pytest

from tests.unit.cli.fakes import CommandLine
from tests.unit.services.fakes_access import World, a_school, a_tenant


@pytest.fixture
def world() -> World:
    """One school and one tenant, nothing between them yet."""
    world = World()
    a_school(world)
    a_tenant(world)
    return world


@pytest.fixture
def provisioning(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line, as somebody without a token."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("PROVISIONING_LANGUAGE", "en")
    monkeypatch.delenv("PROVISIONING_LOG_LEVEL", raising=False)
    return CommandLine(world, capsys)
