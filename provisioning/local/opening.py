"""Before the curtain: a running world becomes an installation with everybody who acts in it."""

from pathlib import Path

import msgspec

from provisioning.bootstrap import check_installation
from provisioning.local.cast import gather_cast
from provisioning.local.narrator import Narrator
from provisioning.local.stage import Stage
from provisioning.local.story_scenery import open_the_twin
from provisioning.local.story_seed import Row
from provisioning.local.world import LocalWorld, WorldOptions

TOKENS = "tokens"
_PATIENCE = 60.0  # real seconds for a scene on a busy machine
_LONGEST_WAIT = 900.0  # seconds of the service's time in a scene, and four times the lag of replicas


def write_seed(folder: Path, seed: Row) -> Path:
    """A seed of the twin, as a file in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "seed.json"
    file.write_bytes(msgspec.json.encode(seed))
    return file


def set_stage(world: LocalWorld, narrator: Narrator) -> Stage:
    """Everybody in place, whether the world is new or found again."""
    services = world.services()
    check_installation(services)
    is_new = not (world.folder / TOKENS).exists()
    cast, lacking = gather_cast(services, world.folder / TOKENS)
    if lacking and not is_new:
        narrator.say(f"Tokens that were lost, revoked or expired were made anew: {', '.join(lacking)}.")
    stage = Stage(services, world.sandbox, cast, narrator, _patience(world.options))
    open_the_twin(stage, world.environment["PROVISIONING_GRAPH_CLIENT_SECRET"])
    return stage


def _patience(options: WorldOptions) -> float:
    return _PATIENCE + (_LONGEST_WAIT + 4 * options.lag_seconds) / options.clock_factor
