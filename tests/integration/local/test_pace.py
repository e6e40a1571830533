"""Time in a world goes faster for a while, and slower again: never back, and for the twin and the service alike."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from provisioning.local.world import LocalWorld, WorldOptions

MONTH = 30 * 24 * 3600.0


def seen(world: LocalWorld) -> tuple[datetime, datetime]:
    """What the service and the twin call now."""
    services = world.services()
    ours = services.clock.now()
    services.close()
    return ours, datetime.fromtimestamp(float(world.sandbox.control.clock()["now"]), UTC)


def test_time_changes_its_pace_and_goes_on(folder: Path) -> None:
    with LocalWorld(folder, WorldOptions(durable=False, clock_factor=10)) as world:
        before, _ = seen(world)
        world.set_pace(MONTH)
        hurried, theirs = seen(world)
        assert abs(hurried - theirs) < timedelta(days=30)  # within a second of ours
        world.set_pace(10)
        after, theirs = seen(world)
        assert before < hurried < after
        assert abs(after - theirs) < timedelta(seconds=10)
        assert world.environment["PROVISIONING_CLOCK_FACTOR"] == "10"
