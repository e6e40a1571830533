from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from provisioning.domain.errors import UnavailableError
from provisioning.services.check_configuration import CheckConfiguration
from provisioning.services.check_readiness import CheckReadiness, PartReady
from provisioning.services.diagnose import Instruments
from tests.unit.cli.fakes import LOADED
from tests.unit.services.fakes_access import FakeClock, World

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


def away(*_: object) -> Any:
    raise UnavailableError('connection to server at "192.0.2.7" failed: no password for user "somebody"')


def found(world: World | None = None, loaded: Any = LOADED, **tools: Callable[[], Any]) -> dict[str, str]:
    well: dict[str, Any] = {
        "database_time": lambda: NOW,
        "pending_migrations": list,
        "realm": lambda: "live",
        "broker": lambda: None,
    }
    parts: list[PartReady] = CheckReadiness(
        instruments=Instruments(**well | tools), open_uow=(world or World()).open, loaded=lambda: loaded, realm="live"
    )()
    return {part.part: part.lacking for part in parts}


class TestReadiness:
    def test_of_every_part(self) -> None:
        assert found() == dict.fromkeys(("database", "schema", "realm", "broker", "configuration"), "")

    @pytest.mark.parametrize("tool", ["database_time", "broker"])
    def test_a_part_that_is_away_is_said_to_be_without_what_others_told_of_it(self, tool: str) -> None:
        lacking = found(**{tool: away})
        assert "It does not answer as it should." in lacking.values()
        assert "192.0.2.7" not in "".join(lacking.values())

    def test_without_the_database_nothing_that_rests_on_it_is_asked(self) -> None:
        assert found(database_time=away, pending_migrations=away).keys() == {"database", "broker"}

    def test_migrations_that_are_missing_are_named(self) -> None:
        lacking = found(pending_migrations=lambda: ["0012", "0013"])
        assert lacking["schema"] == "It lacks 2 migrations: 0012, 0013."
        assert "configuration" not in lacking

    def test_another_realm_is_none_of_ours(self) -> None:
        assert "realm live" in found(realm=lambda: "sandbox")["realm"]

    def test_other_rules_than_are_in_force_are_said_to_be_loaded(self) -> None:
        world = World()
        CheckConfiguration(open_uow=world.open, clock=FakeClock(), loaded=LOADED)()
        assert found(world)["configuration"] == ""
        others = (msgspec.structs.replace(LOADED[0], digest="0" * 64), LOADED[1])
        assert found(world, others)["configuration"] == "This process loaded other mappings than are in force."
