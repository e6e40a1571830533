"""The local twin of Microsoft Graph: start it, plant it, disturb it, ask what was written to it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from provisioning.cli.command import command, noun
from provisioning.cli.commands.sandbox_ledger import EXAMPLES, ledger
from provisioning.cli.output import to_json
from provisioning.cli.sandbox_control import HERE, PLANTING_SECONDS, Folder, SandboxControl
from provisioning.cli.session import Session
from provisioning.cli.text_files import read_text
from provisioning.domain.errors import InputError

group = noun("The local twin of Microsoft Graph, for rehearsal.")
faults = noun("Disturb the twin on purpose.")
group.add_typer(faults, name="faults")

_Profile = Annotated[
    str | None, typer.Option(help="A generated world: board (12 schools in one tenant) or sector (many tenants).")
]
_Tenants = Annotated[int | None, typer.Option(help="Of a sector: how many; 100 unless told.")]
_Users = Annotated[int | None, typer.Option(help="Of a sector: people in a tenant on average; as in reality.")]
_RandomSeed = Annotated[int, typer.Option(help="The same number makes the same world.")]


@command(
    group,
    "serve",
    examples=(
        "provisioning sandbox serve --profile board --port 8443",
        "provisioning sandbox serve --profile sector --tenants 3000 --users 100",
    ),
)
def serve(
    session: Session,
    *,
    folder: Folder = HERE,
    port: Annotated[int, typer.Option(help="0 picks a free one.")] = 0,
    seed_file: Annotated[Path | None, typer.Option("--seed", help="A seed file.")] = None,
    profile: _Profile = None,
    tenants: _Tenants = None,
    users: _Users = None,
    random_seed: _RandomSeed = 1,
    lag: Annotated[float, typer.Option(help="Longest replica delay, in seconds of the twin.")] = 0.0,
    clock_factor: Annotated[float, typer.Option(help="Seconds of the twin per real second.")] = 1.0,
) -> None:
    """Serve the twin until Ctrl-C."""
    world = {"seed": seed_file, "profile": profile, "tenants": tenants, "users": users, "random-seed": random_seed}
    arguments = {"folder": folder, "port": port, **world, "lag": lag, "clock-factor": clock_factor}
    given = [text for name, value in arguments.items() if value is not None for text in (f"--{name}", str(value))]
    session.show({"folder": str(folder)}, f"The twin writes its address to {folder / 'address.json'}; Ctrl-C stops it.")
    sys.stdout.flush()
    # It shares no code with us and takes our place: whoever stops this process stops the twin.
    os.execv(sys.executable, [sys.executable, "-m", "provisioning.sandbox", *given])  # noqa: S606  our own module


@command(
    group,
    "seed",
    examples=(
        "provisioning sandbox seed world.json --reset",
        "provisioning sandbox seed --profile sector --tenants 250 --users 80",
    ),
)
def seed(
    session: Session,
    file: Annotated[Path | None, typer.Argument(help="A seed file.")] = None,
    *,
    profile: _Profile = None,
    tenants: _Tenants = None,
    users: _Users = None,
    random_seed: _RandomSeed = 1,
    reset: Annotated[bool, typer.Option("--reset", help="Empty the world first.")] = False,
    folder: Folder = HERE,
) -> None:
    """Plant the tenants of a seed file, or a generated world."""
    if (file is None) == (profile is None):
        raise InputError("Name either a seed file or a --profile to plant.")
    if file is not None:
        path, body = "seed", read_text(file).encode()
    else:
        wanted = {"profile": profile, "tenants": tenants, "users": users, "random_seed": random_seed}
        given = {name: value for name, value in wanted.items() if value is not None}
        path, body = "seed/profile", msgspec.json.encode(given)
    control = SandboxControl.find(folder)
    health = control.call("POST", path, body, {"reset": "true"} if reset else {}, PLANTING_SECONDS)
    session.show(health, f"{health['tenants']:,} tenants and {health['users']:,} users are there now.")


@command(group, "snapshot", examples=("provisioning sandbox snapshot world.json",))
def snapshot(
    session: Session,
    file: Annotated[Path, typer.Argument(help="The seed file to write; one that is there already is left alone.")],
    folder: Folder = HERE,
) -> None:
    """Write the world as it is to a seed file. The ledger is not part of it."""
    world = SandboxControl.find(folder).call("GET", "seed", seconds=PLANTING_SECONDS)
    _write_for_us_alone(file, msgspec.json.encode(world))
    told = {"file": str(file), "tenants": len(world["tenants"])}
    session.show(told, f"Tenants written: {told['tenants']:,}. To plant them again:\nprovisioning sandbox seed {file}")


def _write_for_us_alone(file: Path, content: bytes) -> None:
    """The world holds the secrets of its apps. Raises InputError for a file that is there already."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
    except FileExistsError:
        raise InputError(f"{file} is there already: name another file.") from None


@command(group, "seats", examples=("provisioning sandbox seats school.nl 4b590615-0888-425a-a965-b3bf7789848d 30",))
def seats(
    session: Session,
    tenant: Annotated[str, typer.Argument(help="A domain of the tenant, or its id.")],
    sku: Annotated[str, typer.Argument(metavar="SKU", help="The product's id.")],
    number: Annotated[int, typer.Argument(metavar="SEATS", min=0, help="How many there are from now on.")],
    folder: Folder = HERE,
) -> None:
    """Place seats in a tenant, as Microsoft does after an order."""
    control = SandboxControl.find(folder)
    held = control.call("GET", "subscriptions", options={"tenant": tenant})["value"]
    known = next((one["id"] for one in held if (one["skuId"], one["status"]) == (sku.lower(), "Enabled")), None)
    subscription = {"skuId": sku, "totalLicenses": number}
    if known is None:
        placed = control.call(
            "POST", "subscriptions", msgspec.json.encode({"tenant": tenant, "subscription": subscription})
        )
    else:
        change = {"tenant": tenant, "id": known, "change": {"totalLicenses": number}}
        placed = control.call("PATCH", "subscriptions", msgspec.json.encode(change))
    session.show(placed, f"{tenant} has {number:,} seats of {sku} now.")


@command(faults, "list")
def list_faults(session: Session, folder: Folder = HERE) -> None:
    """The faults that are set, and the loads that go on."""
    control = SandboxControl.find(folder)
    answer = {**control.call("GET", "faults"), "loads": control.call("GET", "quotas/load")["value"]}
    session.show(answer, to_json(answer))


@command(faults, "add", examples=('provisioning sandbox faults add \'{"kind":"unavailable","times":3}\'',))
def add_fault(session: Session, fault: Annotated[str, typer.Argument(help="JSON.")], folder: Folder = HERE) -> None:
    """Set a fault."""
    session.show(answer := SandboxControl.find(folder).call("POST", "faults", fault.encode()), to_json(answer))


@command(faults, "load", examples=("provisioning sandbox faults load school.nl 50 --seconds 600",))
def add_load(
    session: Session,
    tenant: Annotated[str, typer.Argument(help="A domain of the tenant, or its id.")],
    rate: Annotated[float, typer.Argument(metavar="WRITES", help="How many a second, by apps that are not ours.")],
    seconds: Annotated[
        float | None, typer.Option(help="How long, in the twin's time; until cleared unless told.")
    ] = None,
    *,
    ours: Annotated[
        bool, typer.Option("--ours", help="They eat from our own rate too: our pace drops by as much.")
    ] = False,
    folder: Folder = HERE,
) -> None:
    """Let other apps use up a tenant's quota, unseen."""
    limits = ["tenant_writes", *(["app_tenant_writes"] if ours else [])]
    load = {"tenant": tenant, "writes_per_second": rate, "for": seconds, "limits": limits}
    answer = SandboxControl.find(folder).call("POST", "quotas/load", msgspec.json.encode(load))
    session.show(answer, f"Other apps write {rate:,g} times a second in {tenant} from now on.")


@command(faults, "clear")
def clear_faults(session: Session, folder: Folder = HERE) -> None:
    """Take all faults and loads away."""
    control = SandboxControl.find(folder)
    answer = {**control.call("DELETE", "faults"), "loads": control.call("DELETE", "quotas/load")["value"]}
    session.show(answer, "No fault is set any more.")


command(group, "ledger", examples=EXAMPLES)(ledger)
