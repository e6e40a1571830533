"""`provisioning up`: the world of the demo, furnished by the same story, left running and found again next time."""

import itertools
import shlex
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.migration_lifecycle import MigrationState
from provisioning.local.api import start_api
from provisioning.local.ending import PUBLIC_KEY, gather
from provisioning.local.ending_screen import show_ending
from provisioning.local.errors import EnginesError
from provisioning.local.interrupts import stopped_by_signals, undisturbed
from provisioning.local.memory import TwinMemory
from provisioning.local.merger import furnish_merger
from provisioning.local.merger_files import MIGRATION
from provisioning.local.merger_seed import merger_seed
from provisioning.local.narrator import Narrator
from provisioning.local.opening import TOKENS, set_stage, write_seed
from provisioning.local.options import UpOptions, UpProfile
from provisioning.local.stage import EXAMPLE, Stage
from provisioning.local.story import tell
from provisioning.local.story_seed import A3, Row, story_seed
from provisioning.local.world import LocalWorld, WorldOptions
from provisioning.services.migration_sheet import Brief, MigrationRow
from provisioning.words.catalogue import Language

ENVIRONMENT, TWO_MORE = "environment", "two-more-seats.csv"
_LOOK_EVERY = 1.0  # real seconds
_LOOKS_PER_SAVE = 10  # what a power cut may cost the twin
_DAY = 86_400.0  # seconds
_GENERATED = (UpProfile.BOARD, UpProfile.SECTOR)  # by the twin itself


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running world is: what a program needs that starts one."""

    folder: str
    environment: str
    tokens: str
    graph: str
    api: str


def run_up(options: UpOptions) -> int:
    """0 once it was stopped in order. Raises ProvisioningError, for one when this folder's world runs already."""
    narrator = Narrator(sys.stderr if options.as_json else sys.stdout)
    folder = options.folder.resolve()
    memory = TwinMemory(folder)
    is_new, found_again = not memory.exists, _how_it_was_found(memory)
    with stopped_by_signals(), LocalWorld(folder, _world_options(folder, options, memory)) as world:
        world.start_workers()
        api = start_api(world, options.api_port)
        stage = set_stage(world, narrator)
        with _remembered(memory, world):
            if is_new:
                _furnish(stage, folder, options)
                memory.note_furnished()
            else:
                narrator.say(found_again)
            _announce(world, stage, options, api)
            _wait(memory, world)
    narrator.say("Everything has stopped. The same command starts this world again.")
    return 0


def _world_options(folder: Path, options: UpOptions, memory: TwinMemory) -> WorldOptions:
    """Raises InputError when a world that is not there is to be found later."""
    chosen = WorldOptions(port=options.port, clock_factor=options.clock_factor)
    if memory.exists:
        not_before = memory.now + options.days_later * _DAY
        return msgspec.structs.replace(chosen, seed=memory.seed, not_before=not_before)
    if options.days_later:
        raise InputError(f"There is no world in {folder} yet that days could pass in; start it without --days-later.")
    if options.profile in _GENERATED:
        return msgspec.structs.replace(chosen, profile=options.profile)
    return msgspec.structs.replace(chosen, seed=write_seed(folder, _seed(options)))


def _seed(options: UpOptions) -> Row:
    return merger_seed() if options.profile is UpProfile.MERGER else story_seed(1)


def _furnish(stage: Stage, folder: Path, options: UpOptions) -> None:
    if options.profile is UpProfile.MERGER:
        furnish_merger(stage, folder)
    elif options.profile:
        stage.narrator.say(f"The twin holds the world {options.profile}; our own database is empty but for the actors.")
    else:
        tell(stage)
        show_ending(stage.narrator, gather(stage, folder))


def _how_it_was_found(memory: TwinMemory) -> str:
    told = (
        "This world was here before and goes on where it stopped. The twin was planted again from its last state, "
        "seats and licences included; only its ledger begins anew, as it lives in memory."
    )
    if not memory.is_complete:
        told += " It was not stopped in order, so the twin may lack what was written after it was last saved."
    if not memory.is_furnished:
        told += " Its story was interrupted; name another folder to have it told whole."
    return told


def _announce(world: LocalWorld, stage: Stage, options: UpOptions, api: str) -> None:
    environment, tokens, narrator = world.folder / ENVIRONMENT, world.folder / TOKENS, stage.narrator
    ours = {
        "WORLD": str(world.folder),
        "API": api,
        "PROVISIONING_TOKEN_FILE": str(tokens / "operator"),
        "PROVISIONING_LANGUAGE": Language.ENGLISH.value,
    }
    write_environment(environment, world.environment | ours)
    if options.as_json:
        address = Address(
            folder=str(world.folder),
            environment=str(environment),
            tokens=str(tokens),
            graph=world.sandbox.graph_url,
            api=api,
        )
        sys.stdout.write(msgspec.json.encode(address).decode() + "\n")
        sys.stdout.flush()
    narrator.chapter("It runs. In another terminal:")
    narrator.block("\n".join([*_to_begin(environment), *_to_go_on(world.folder, stage)]))
    narrator.say(
        f"A minute of its time passes in {60 / options.clock_factor:.1f} seconds. Ctrl-C stops everything in order."
    )


def _to_begin(environment: Path) -> list[str]:
    return [
        f"source {shlex.quote(str(environment))}",
        f"alias provisioning={shlex.quote(shlex.quote(str(Path(sys.argv[0]).resolve())))}",
        "provisioning doctor",
        "provisioning tenants list",
        "provisioning worklist",
        "# the same over HTTP: docs/api.md",
        'curl -s -H "Authorization: Bearer $(cat $PROVISIONING_TOKEN_FILE)" \\',
        "  $API/api/v1/worklist",
    ]


def _to_go_on(folder: Path, stage: Stage) -> list[str]:
    if (folder / MIGRATION).exists():
        return to_migrate(stage.services.show_migrations())
    return _to_try(folder) if stage.services.show_orders(limit=1) else []


def to_migrate(migrations: Sequence[MigrationRow]) -> list[str]:
    """What fits: to create the migration, to go on with the latest that goes on, or to read what came of it."""
    begun = [row.migration for row in migrations if row.migration.state is not MigrationState.ABORTED]
    return [
        "",
        "# two boards become one: docs/operators-manual.md, chapter Migrations",
        "cd $WORLD  # with merger.yaml, identity.csv, moved.csv, moved-again.csv",
        _next_step(begun[-1]) if begun else f"provisioning migrations create {MIGRATION}",
    ]


def _next_step(latest: Brief) -> str:
    verb = "report" if latest.state is MigrationState.COMPLETED else "show"
    return f"provisioning migrations {verb} {latest.migration_id[:8]}"


def _to_try(folder: Path) -> list[str]:
    shutil.copy(EXAMPLE / TWO_MORE, folder)
    return [
        "",
        "# how one order went, from the shop's row to the proof",
        "provisioning orders show 1001",
        "# two more seats for those who wait: ordered, then placed by Microsoft",
        f"provisioning orders submit $WORLD/{TWO_MORE}",
        "provisioning sandbox seats duinrand.example \\",
        f"  {A3} 30 --folder $WORLD/sandbox",
        "provisioning orders show 2001",
        "# as the auditor: the log, to be verified with the public key alone",
        f"export PROVISIONING_TOKEN_FILE=$WORLD/{TOKENS}/auditor",
        "provisioning audit export --to log.jsonl",
        f"provisioning audit verify log.jsonl --key $WORLD/{PUBLIC_KEY}",
    ]


def write_environment(file: Path, settings: Mapping[str, str]) -> None:
    """A file to `source`; for us alone, as it holds passwords."""
    file.touch(mode=0o600)
    file.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()))


@contextmanager
def _remembered(memory: TwinMemory, world: LocalWorld) -> Iterator[None]:
    """Whatever ends this, the twin's last state is kept; workers stop first, so that nothing is written after it."""
    memory.begin(world.sandbox.control)
    try:
        yield
    finally:
        with undisturbed():
            world.stop_children()
            if world.sandbox.is_running:
                memory.end(world.sandbox.control)


def _require_all(world: LocalWorld) -> None:
    """Raises EnginesError when a process ended that nobody asked to."""
    if gone := world.ended_by_themselves():
        raise EnginesError(
            f"These processes ended by themselves: {', '.join(gone)}. Their logs are in {world.folder}; "
            "the same command starts this world again."
        )


def _wait(memory: TwinMemory, world: LocalWorld) -> None:
    """Until somebody stops us."""
    pause = threading.Event()
    try:
        for looks in itertools.count(1):
            pause.wait(_LOOK_EVERY)
            _require_all(world)
            if looks % _LOOKS_PER_SAVE == 0:
                ahead = _LOOK_EVERY * _LOOKS_PER_SAVE * world.options.clock_factor
                memory.save(world.sandbox.control, ahead)
    except KeyboardInterrupt:
        return
