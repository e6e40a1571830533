"""`provisioning demo`: a fresh world, the story, the proof; and nothing of it left behind unless asked for."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from provisioning.bootstrap import check_installation
from provisioning.local.cast import hire
from provisioning.local.ending import Ending, gather
from provisioning.local.ending_screen import show_ending
from provisioning.local.narrator import Narrator
from provisioning.local.options import DemoOptions
from provisioning.local.stage import Stage
from provisioning.local.story import tell
from provisioning.local.story_scenery import open_the_twin
from provisioning.local.story_seed import story_seed
from provisioning.local.world import LocalWorld, WorldOptions

_PATIENCE = 60.0  # seconds for a scene on a busy machine


def run_demo(options: DemoOptions) -> int:
    """0 when the story ended as told and the proof holds, 1 when the proof fails. Raises ProvisioningError."""
    narrator = Narrator(sys.stderr if options.as_json else sys.stdout)
    narrator.say(
        "This starts a whole installation on this machine: PostgreSQL, Valkey, workers, and a twin of Microsoft Graph "
        f"that keeps its own ledger. A minute of its time passes in {60 / options.clock_factor:.1f} seconds."
    )
    with _place(options.folder) as folder:
        ending = _play(folder, options, narrator)
        if options.folder:
            narrator.say(f"The world is kept in {folder}.")
    if options.as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(ending), indent=2).decode() + "\n")
    narrator.say(f"The whole took {narrator.elapsed:.0f} seconds.")
    return int(not ending.is_sound)


def _play(folder: Path, options: DemoOptions, narrator: Narrator) -> Ending:
    with running_world(folder, world_options(folder, options)) as world:
        stage = set_stage(world, narrator, patience=_PATIENCE + options.lag_seconds)
        narrator.step("Everything runs.")
        tell(stage)
        ending = gather(stage, folder)
        stage.services.close()
    show_ending(narrator, ending)
    return ending


def world_options(folder: Path, options: DemoOptions) -> WorldOptions:
    """The world of the story; its seed is written into the folder first."""
    seed = folder / "seed.json"
    seed.write_bytes(msgspec.json.encode(story_seed(options.random_seed)))
    return WorldOptions(
        seed=seed,
        random_seed=options.random_seed,
        lag_seconds=options.lag_seconds,
        clock_factor=options.clock_factor,
        durable=False,
    )


@contextmanager
def running_world(folder: Path, options: WorldOptions) -> Iterator[LocalWorld]:
    """The world with its workers."""
    with LocalWorld(folder, options) as world:
        world.start_workers(bulk=False)
        yield world


def set_stage(world: LocalWorld, narrator: Narrator, *, patience: float) -> Stage:
    """A fresh installation with everybody who acts in it."""
    services = world.services()
    check_installation(services)
    cast = hire(services, world.folder / "tokens")
    stage = Stage(services, world.sandbox, cast, narrator, patience)
    open_the_twin(stage, world.environment["PROVISIONING_GRAPH_CLIENT_SECRET"])
    return stage


@contextmanager
def _place(asked: Path | None) -> Iterator[Path]:
    """A new folder each time: in the one that was asked for, where it is kept, or a temporary one."""
    if asked is not None:
        asked.mkdir(parents=True, exist_ok=True)
        yield Path(tempfile.mkdtemp(prefix="demo-", dir=asked))
        return
    with tempfile.TemporaryDirectory(prefix="provisioning-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
