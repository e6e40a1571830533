"""`python -m provisioning.sandbox --folder DIR`: serve the twin until told to stop."""

import argparse
import os
import secrets
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec

from provisioning.sandbox.announcement import describe, remove_addresses, write_addresses
from provisioning.sandbox.certificates import write_certificates, write_private
from provisioning.sandbox.profiles import PROFILES, Profile, plant_profile
from provisioning.sandbox.quotas import Shape
from provisioning.sandbox.seed import plant, read_seed
from provisioning.sandbox.server import Application, bind, make_server
from provisioning.sandbox.switches import Switches
from provisioning.sandbox.world import Settings, World

SHAPES: tuple[str, ...] = get_args(Shape)
TOKEN_VARIABLE = "SANDBOX_CONTROL_TOKEN"  # noqa: S105 - the name of a variable, not a token


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 2 when the seed or the folder cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        world = _world(options)
        _serve(world, options.folder, options.port, is_talking=options.announce)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        print(f"The sandbox cannot start: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m provisioning.sandbox", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where certificates, token and address are written")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--seed", type=Path, help="a seed file")
    parser.add_argument("--profile", metavar="|".join(PROFILES), help="a generated world instead of a seed file")
    parser.add_argument("--tenants", type=int, help="of the profile sector; 100 unless told")
    parser.add_argument("--users", type=int, help="of the profile sector: people in a tenant on average; as in reality")
    parser.add_argument("--random-seed", type=int, default=1, help="for profiles, lag, faults and shuffling")
    parser.add_argument("--clock-factor", type=float, default=1.0, help="sandbox seconds per real second")
    parser.add_argument("--lag", type=float, default=0.0, help="longest replica delay in sandbox seconds")
    parser.add_argument("--replicas", type=int, default=5, help="copies that answer reads")
    parser.add_argument("--quota-shape", metavar="|".join(SHAPES), default="bucket", help="how a window is counted")
    parser.add_argument("--announce", action="store_true", help="say where it serves, and who is in it")
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=JSON", help="answer an open question differently"
    )
    return parser


def _world(options: argparse.Namespace) -> World:
    _require_sense(options)
    world = World(
        Settings(
            random_seed=options.random_seed,
            clock_factor=options.clock_factor,
            lag=options.lag,
            replicas=options.replicas,
            quota_shape=options.quota_shape,
            switches=_switches(options.switch),
        )
    )
    if options.profile:
        plant_profile(world, _profile(options))
    if options.seed:
        plant(world, read_seed(options.seed.read_bytes()))
    return world


def _profile(options: argparse.Namespace) -> Profile:
    given = {name: value for name in ("profile", "tenants", "users") if (value := getattr(options, name)) is not None}
    return msgspec.convert({**given, "random_seed": options.random_seed}, Profile)


def _require_sense(options: argparse.Namespace) -> None:
    _require_known("profile", options.profile, PROFILES)
    _require_known("quota shape", options.quota_shape, SHAPES)
    if options.lag < 0 or options.clock_factor <= 0 or options.replicas < 1:
        raise ValueError("Give a lag of 0 or more seconds, a positive clock factor and at least one replica.")


def _require_known(kind: str, name: str | None, known: Iterable[str]) -> None:
    if name is not None and name not in known:
        raise ValueError(f"There is no {kind} {name}: choose from {', '.join(known)}.")


def _switches(settings: Sequence[str]) -> Switches:
    return msgspec.convert(dict(_switch(setting) for setting in settings), Switches)


def _switch(setting: str) -> tuple[str, Any]:
    name, _, value = setting.partition("=")
    if name not in Switches.__struct_fields__:
        raise ValueError(f"There is no switch {name}: the README of the twin says where they are listed.")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise ValueError(f"--switch {setting} is not NAME=JSON, for example {name}=1: {error}.") from error


def _serve(world: World, folder: Path, port: int, *, is_talking: bool) -> None:
    # The port first: a second twin on it must not overwrite the files of the first.
    with bind(port) as bound:
        folder.mkdir(parents=True, exist_ok=True)
        remove_addresses(folder)
        application = Application(world, _control_token(folder))
        certificate, key = write_certificates(folder)
        chosen = bound.getsockname()[1]

        def announce() -> None:
            write_addresses(folder, chosen)
            if is_talking:
                print(describe(world, folder, chosen), flush=True)  # noqa: T201 - the command's own voice

        make_server(application, certificate, key, announce).run([bound])
    remove_addresses(folder)


def _control_token(folder: Path) -> str:
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(32)
    write_private(folder / "control-token", token.encode())
    return token


if __name__ == "__main__":
    sys.exit(main())
