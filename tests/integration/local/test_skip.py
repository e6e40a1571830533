"""A month passes at once in a world: for the twin and the service alike, and time never goes back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from provisioning.local.world import LocalWorld, WorldOptions

MONTH = timedelta(days=30)


def seen(world: LocalWorld) -> tuple[datetime, datetime]:
    """What the service and the twin call now."""
    services = world.services()
    ours = services.clock.now()
    services.close()
    return ours, datetime.fromtimestamp(float(world.sandbox.control.clock()["now"]), UTC)


def test_a_month_passes_and_both_clocks_agree(folder: Path) -> None:
    with LocalWorld(folder, WorldOptions(durable=False, clock_factor=10)) as world:
        before, _ = seen(world)
        world.skip(MONTH.total_seconds())
        ours, theirs = seen(world)
        assert before + MONTH <= ours < before + MONTH + timedelta(minutes=5)
        assert abs(ours - theirs) < timedelta(seconds=10)
        assert seen(world) > (ours, theirs)  # and they go on
