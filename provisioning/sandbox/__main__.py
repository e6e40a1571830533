"""`python -m provisioning.sandbox --folder DIR`: serve the twin until told to stop."""

import argparse
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from provisioning.sandbox.certificates import write_certificates, write_private
from provisioning.sandbox.profiles import PROFILES, Profile, plant_profile
from provisioning.sandbox.seed import plant, read_seed
from provisioning.sandbox.server import Application, bind, make_server
from provisioning.sandbox.switches import Switches
from provisioning.sandbox.wire import encode
from provisioning.sandbox.world import Settings, World

TOKEN_VARIABLE = "SANDBOX_CONTROL_TOKEN"  # noqa: S105 - the name of a variable, not a token


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 2 when the seed or the folder cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        world = _world(options)
        _serve(world, options.folder, options.port)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        print(f"The sandbox cannot start: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m provisioning.sandbox", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where certificates, token and address are written")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--seed", type=Path, help="a seed file")
    parser.add_argument("--profile", choices=sorted(PROFILES), help="a generated world instead of a seed file")
    parser.add_argument("--tenants", type=int, help="of the profile sector; 100 unless told")
    parser.add_argument("--users", type=int, help="of the profile sector: people in a tenant on average; as in reality")
    parser.add_argument("--random-seed", type=int, default=1, help="for profiles, lag, faults and shuffling")
    parser.add_argument("--clock-factor", type=float, default=1.0, help="sandbox seconds per real second")
    parser.add_argument("--lag", type=float, default=0.0, help="longest replica delay in sandbox seconds")
    parser.add_argument("--replicas", type=int, default=5, help="copies that answer reads")
    parser.add_argument("--quota-shape", choices=("bucket", "sliding", "fixed"), default="bucket")
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=JSON", help="answer an open question differently"
    )
    return parser


def _world(options: argparse.Namespace) -> World:
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


def _switches(settings: Sequence[str]) -> Switches:
    pairs = [setting.partition("=") for setting in settings]
    return msgspec.convert({name: msgspec.json.decode(value) for name, _, value in pairs}, Switches)


def _serve(world: World, folder: Path, port: int) -> None:
    # The port first: a second twin on it must not overwrite the files of the first.
    with bind(port) as bound:
        folder.mkdir(parents=True, exist_ok=True)
        address = folder / "address.json"
        address.unlink(missing_ok=True)
        application = Application(world, _control_token(folder))
        certificate, key = write_certificates(folder)
        chosen = bound.getsockname()[1]
        make_server(application, certificate, key, lambda: _announce(address, chosen)).run([bound])
    address.unlink(missing_ok=True)


def _control_token(folder: Path) -> str:
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(32)
    write_private(folder / "control-token", token.encode())
    return token


def _announce(file: Path, port: int) -> None:
    """Write the addresses whole or not at all: whoever waits for the file may read it at once."""
    root = f"localhost:{port}"
    addresses = {
        "graph": f"https://{root}/v1.0",
        "authority": root,
        "control": f"https://{root}/_sandbox",
        "pid": os.getpid(),
    }
    draft = file.with_suffix(".draft")
    draft.write_bytes(encode(addresses))
    draft.rename(file)


if __name__ == "__main__":
    sys.exit(main())
