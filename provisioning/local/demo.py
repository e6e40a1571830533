"""`provisioning demo`: a fresh world, the story, the proof; and nothing of it left behind unless asked for."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from provisioning.local.ending import Ending, gather
from provisioning.local.ending_screen import show_ending
from provisioning.local.errors import StoryError
from provisioning.local.interrupts import stopped_by_signals
from provisioning.local.narrator import Narrator
from provisioning.local.opening import set_stage, write_seed
from provisioning.local.options import DemoOptions
from provisioning.local.stage import Stage
from provisioning.local.story import tell
from provisioning.local.story_seed import story_seed
from provisioning.local.world import LocalWorld, WorldOptions

_LAST_LINES = 20


def run_demo(options: DemoOptions) -> int:
    """0 when the story ended as told and the proof holds, 1 when the proof fails. Raises ProvisioningError."""
    narrator = Narrator(sys.stderr if options.as_json else sys.stdout)
    narrator.say(
        "This starts a whole installation on this machine: PostgreSQL, Valkey, workers, and a twin of Microsoft Graph "
        f"that keeps its own ledger. A minute of its time passes in {60 / options.clock_factor:.1f} seconds."
    )
    with stopped_by_signals(), _place(options.folder) as folder:
        ending = _play(folder, options, narrator)
        if options.folder:
            narrator.say(f"The world is kept in {folder}.")
    if options.as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(ending), indent=2).decode() + "\n")
    narrator.say(f"The whole took {narrator.elapsed:.0f} seconds.")
    return int(not ending.is_sound)


def _play(folder: Path, options: DemoOptions, narrator: Narrator) -> Ending:
    with LocalWorld(folder, _world_options(folder, options)) as world:
        world.start_workers(bulk=False)
        stage = set_stage(world, narrator)
        narrator.step("Everything runs.")
        _tell_or_show_why(stage, folder)
        ending = gather(stage, folder)
        stage.services.close()
    show_ending(narrator, ending)
    return ending


def _tell_or_show_why(stage: Stage, folder: Path) -> None:
    """The worker's last words outlive its world when the story breaks off."""
    try:
        tell(stage)
    except StoryError:
        stage.narrator.chapter("What the worker wrote last")
        stage.narrator.block("\n".join((folder / "logs" / "orders.log").read_text().splitlines()[-_LAST_LINES:]))
        raise


def _world_options(folder: Path, options: DemoOptions) -> WorldOptions:
    return WorldOptions(
        seed=write_seed(folder, story_seed(options.random_seed)),
        random_seed=options.random_seed,
        lag_seconds=options.lag_seconds,
        clock_factor=options.clock_factor,
        durable=False,
    )


@contextmanager
def _place(asked: Path | None) -> Iterator[Path]:
    """A new folder each time: in the one that was asked for, where it is kept, or a temporary one."""
    if asked is not None:
        asked.mkdir(parents=True, exist_ok=True)
        yield Path(tempfile.mkdtemp(prefix="demo-", dir=asked))
        return
    with tempfile.TemporaryDirectory(prefix="provisioning-demo-", ignore_cleanup_errors=True) as folder:
        try:
            yield Path(folder)
        finally:
            forget_engines(Path(folder))


def forget_engines(folder: Path) -> None:
    """As root they live where their own account can reach them, and the folder only points there."""
    shutil.rmtree((folder / "engines").resolve(), ignore_errors=True)
