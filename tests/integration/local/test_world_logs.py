"""What the processes of a local world say: events for machines, from the first line to the last."""

import json
import threading
from pathlib import Path

from provisioning.local.world import LocalWorld, WorldOptions

READY = "ready."  # what Celery logs once a worker takes messages
PAUSE_SECONDS = 0.1
PATIENCE = 600  # pauses


def is_ready(log: Path) -> bool:
    """Whether the worker takes messages within a minute."""
    pause = threading.Event()
    for _ in range(PATIENCE):
        if READY in log.read_text("utf-8"):
            return True
        pause.wait(PAUSE_SECONDS)
    return False


class TestLogs:
    def test_every_line_is_an_event_also_for_root_and_at_the_end(self, folder: Path) -> None:
        with LocalWorld(folder, WorldOptions(profile="board", durable=False)) as world:
            world.start_workers(bulk=False)
            assert is_ready(folder / "logs" / "orders.log")
        for name in ("orders", "beat"):
            for line in (folder / "logs" / f"{name}.log").read_text("utf-8").splitlines():
                assert "event" in json.loads(line), line
