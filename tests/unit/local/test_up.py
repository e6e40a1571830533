"""What is settled before a world starts."""

from pathlib import Path

import pytest

from provisioning.domain.errors import InputError
from provisioning.local.options import UpOptions
from provisioning.local.up import run_up


class TestDaysLater:
    def test_is_for_a_world_that_is_there_already(self, tmp_path: Path) -> None:
        folder = tmp_path / "world"
        with pytest.raises(InputError, match=r"There is no world in .* start it without --days-later"):
            run_up(UpOptions(folder=folder, days_later=31.0))
        assert not folder.exists()
