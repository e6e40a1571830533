"""What a world remembers of its twin from one run to the next."""

from typing import Any

import msgspec
import pytest

from provisioning.local.memory import TwinMemory
from provisioning.local.sandbox import SandboxControl


class Twin(SandboxControl):
    """A twin that answers from memory and has no process."""

    def __init__(self, now: float, seed: dict[str, Any]) -> None:
        self.now, self.planted = now, seed

    def health(self) -> Any:
        return {"now": self.now}

    def read_seed(self) -> Any:
        return self.planted


@pytest.fixture
def memory(tmp_path_factory: pytest.TempPathFactory) -> TwinMemory:
    return TwinMemory(tmp_path_factory.mktemp("world"))


class TestTwinMemory:
    def test_a_new_world_has_none_and_no_time_has_passed(self, memory: TwinMemory) -> None:
        assert not memory.exists
        assert memory.now == 0.0

    def test_the_last_state_is_what_is_found(self, memory: TwinMemory) -> None:
        memory.begin(Twin(100.0, {"tenants": []}))
        memory.end(Twin(200.0, {"tenants": [{"id": "t"}]}))
        assert memory.exists
        assert memory.now == 200.0
        assert msgspec.json.decode(memory.seed.read_bytes()) == {"tenants": [{"id": "t"}]}

    def test_a_run_that_did_not_end_in_order_shows(self, memory: TwinMemory) -> None:
        memory.begin(Twin(100.0, {}))
        assert not memory.is_complete
        memory.end(Twin(200.0, {}))
        assert memory.is_complete

    def test_time_saved_on_the_way_is_ahead_so_that_it_never_goes_back(self, memory: TwinMemory) -> None:
        memory.save(Twin(100.0, {}), ahead=600.0)
        assert memory.now == 700.0

    def test_a_story_that_was_told_to_the_end_is_noted(self, memory: TwinMemory) -> None:
        assert not memory.is_furnished
        memory.note_furnished()
        assert memory.is_furnished

    def test_the_seed_holds_a_secret_and_is_for_us_alone(self, memory: TwinMemory) -> None:
        memory.save(Twin(1.0, {}))
        assert memory.seed.stat().st_mode & 0o777 == 0o600
