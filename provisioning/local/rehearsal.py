"""`provisioning migrations rehearse`: a second stack with copies of both tenants, where a migration is played first."""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from provisioning.bootstrap import check_installation
from provisioning.local.apart import apart
from provisioning.local.binaries import installed
from provisioning.local.demo import forget_engines
from provisioning.local.errors import EnginesError
from provisioning.local.interrupts import noted_signals, stopped_by_signals
from provisioning.local.rehearsal_director import Director
from provisioning.local.rehearsal_hands import Type
from provisioning.local.rehearsal_report import report
from provisioning.local.rehearsal_seed import plant
from provisioning.local.world import LocalWorld, WorldOptions
from provisioning.planning.rehearsal import Circumstances, Rehearsal
from provisioning.services.copy_known import write_known
from provisioning.services.prepare_rehearsal import Script

_WORLD, _LOCK = "world", "lock"


class RehearsalOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`folder`: where its world lives, and stays when it is to be `kept`. `settings`: rules of the real installation
    that hold here too, by field name.
    """

    folder: Path
    circumstances: Circumstances
    kept: bool = False
    settings: Mapping[str, Any] = {}


def require_engines() -> None:
    """Raises EnginesError when this machine has none: before anything is read of a tenant."""
    installed()


def run_rehearsal(script: Script, options: RehearsalOptions, told: Callable[[str], None], type_in: Type) -> Rehearsal:
    """`type_in`: the command line, for whoever has a token of its world.

    Raises ProvisioningError when its world cannot be started or breaks down, and for a folder that is in use.
    """
    began = time.monotonic()
    with stopped_by_signals(), apart(), _place(options) as folder, LocalWorld(folder, _world(options)) as world:
        told("A world of its own runs: database, broker, a twin of Graph.")
        _furnish(world, script, options.circumstances)
        told("Both tenants are planted in it, as pseudonyms.")
        world.start_workers()
        world.await_workers()  # or their start would be counted among the minutes of the first wave
        director = _played(world, script, options.circumstances, told, type_in)
        return report(director, time.monotonic() - began)


def _played(
    world: LocalWorld, script: Script, circumstances: Circumstances, told: Callable[[str], None], type_in: Type
) -> Director:
    try:
        with noted_signals() as may_go_on:
            director = Director(world, script, circumstances, told, may_go_on, type_in)
            director.play()
    except KeyboardInterrupt:
        told("Stopped by you, so there is no report; its world goes. The real tenants were only read.")
        raise
    return director


def _world(options: RehearsalOptions) -> WorldOptions:
    circumstances = options.circumstances
    return WorldOptions(
        lag_seconds=circumstances.lag_seconds,
        clock_factor=circumstances.clock_factor,
        durable=False,
        settings=options.settings,
    )


def _furnish(world: LocalWorld, script: Script, circumstances: Circumstances) -> None:
    services = world.services()
    check_installation(services)
    plant(world.sandbox.control, script, circumstances, world.environment["PROVISIONING_GRAPH_CLIENT_SECRET"])
    with services.open_uow() as uow:
        write_known(uow, script.known, services.clock.now())
        uow.commit()
    services.close()


@contextmanager
def _place(options: RehearsalOptions) -> Iterator[Path]:
    """A new world in the folder; what a rehearsal left there that was killed goes first."""
    options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(options.folder):
        world = options.folder / _WORLD
        _forget(world)
        world.mkdir(mode=0o711)  # the engines' account passes through
        try:
            yield world
        finally:
            if not options.kept:
                _forget(world)


def _forget(world: Path) -> None:
    forget_engines(world)
    shutil.rmtree(world, ignore_errors=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnginesError(f"A rehearsal runs in {folder} already. Wait for it, or name another folder.") from None
        yield
