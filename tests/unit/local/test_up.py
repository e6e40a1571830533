"""What is settled before a world starts."""

from pathlib import Path

import pytest

from provisioning.domain.errors import InputError
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.local.options import UpOptions
from provisioning.local.up import run_up, to_migrate
from tests.unit.services.fakes_access import World
from tests.unit.services.migration_scene import a_merger
from tests.unit.services.test_show_migrations import show


class TestDaysLater:
    def test_is_for_a_world_that_is_there_already(self, tmp_path: Path) -> None:
        folder = tmp_path / "world"
        with pytest.raises(InputError, match=r"There is no world in .* start it without --days-later"):
            run_up(UpOptions(folder=folder, days_later=31.0))
        assert not folder.exists()


class TestWhatFitsAMerger:
    @pytest.mark.parametrize(
        ("state", "typed"),
        [
            (None, "create merger.yaml"),
            (MigrationState.ABORTED, "create merger.yaml"),
            (MigrationState.MATCHED, "show 5f0c9a4e"),
            (MigrationState.RUNNING, "show 5f0c9a4e"),
            (MigrationState.PAUSED, "show 5f0c9a4e"),
            (MigrationState.COMPLETED, "report 5f0c9a4e"),
        ],
    )
    def test_is_the_next_step(self, state: MigrationState | None, typed: str) -> None:
        world = World()
        if state:
            a_merger(world, state=state)
        assert to_migrate(show(world)())[-1] == f"provisioning migrations {typed}"
