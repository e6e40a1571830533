"""The local twin of Microsoft Graph: start it, plant it, disturb it, ask what was written to it."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from provisioning.cli.command import command, noun
from provisioning.cli.output import Column, short, to_json
from provisioning.cli.sandbox_control import SandboxControl
from provisioning.cli.session import Session
from provisioning.cli.text_files import read_text

group = noun("The local twin of Microsoft Graph, for rehearsal.")
faults = noun("Disturb the twin on purpose.")
group.add_typer(faults, name="faults")

_Folder = Annotated[Path, typer.Option(help="Where the twin keeps its certificates, token and address.")]
_HERE = Path(".provisioning/sandbox")

_LEDGER_COLUMNS = (
    Column("Sequence", lambda x: str(x["sequence"]), fixed=True, right=True),
    Column("Moment", lambda x: str(x["moment"])[:19], fixed=True),
    Column("Tenant", lambda x: short(x["tenant"]), fixed=True),
    Column("User", lambda x: short(x["user"] or x["group"]), fixed=True),
    Column("Route", lambda x: x["route"] or "-"),
    Column("Changed", lambda x: "yes" if x["changed"] else "no", fixed=True),
)


@command(group, "serve", examples=("provisioning sandbox serve --profile board --port 8443",))
def serve(
    session: Session,
    folder: _Folder = _HERE,
    port: Annotated[int, typer.Option(help="0 picks a free one.")] = 0,
    seed_file: Annotated[Path | None, typer.Option("--seed", help="A seed file.")] = None,
    profile: Annotated[str | None, typer.Option(help="A generated world instead of a seed file.")] = None,
    lag: Annotated[float, typer.Option(help="Longest replica delay, in seconds of the twin.")] = 0.0,
    clock_factor: Annotated[float, typer.Option(help="Seconds of the twin per real second.")] = 1.0,
) -> None:
    """Serve the twin until Ctrl-C."""
    options = {"folder": folder, "port": port, "seed": seed_file, "profile": profile}
    arguments = {**options, "lag": lag, "clock-factor": clock_factor}
    given = [text for name, value in arguments.items() if value is not None for text in (f"--{name}", str(value))]
    session.show({"folder": str(folder)}, f"The twin writes its address to {folder / 'address.json'}; Ctrl-C stops it.")
    sys.stdout.flush()
    # It shares no code with us and takes our place: whoever stops this process stops the twin.
    os.execv(sys.executable, [sys.executable, "-m", "provisioning.sandbox", *given])  # noqa: S606  our own module


@command(group, "seed", examples=("provisioning sandbox seed world.json --reset",))
def seed(
    session: Session,
    file: Annotated[Path, typer.Argument(help="A seed file.")],
    *,
    reset: Annotated[bool, typer.Option("--reset", help="Empty the world first.")] = False,
    folder: _Folder = _HERE,
) -> None:
    """Plant tenants, people and subscriptions."""
    body = read_text(file).encode()
    health = SandboxControl.find(folder).call("POST", "seed", body, {"reset": "true"} if reset else {})
    session.show(health, f"{health['tenants']:,} tenants and {health['users']:,} users are there now.")


@command(group, "seats", examples=("provisioning sandbox seats school.nl 4b590615-0888-425a-a965-b3bf7789848d 30",))
def seats(
    session: Session,
    tenant: Annotated[str, typer.Argument(help="A domain of the tenant, or its id.")],
    sku: Annotated[str, typer.Argument(metavar="SKU", help="The product's id.")],
    number: Annotated[int, typer.Argument(metavar="SEATS", min=0, help="How many there are from now on.")],
    folder: _Folder = _HERE,
) -> None:
    """Place seats in a tenant, as Microsoft does after an order."""
    control = SandboxControl.find(folder)
    held = control.call("GET", "subscriptions", options={"tenant": tenant})["value"]
    known = next((one["id"] for one in held if one["skuId"] == sku.lower()), None)
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
def list_faults(session: Session, folder: _Folder = _HERE) -> None:
    """The faults that are set."""
    session.show(answer := SandboxControl.find(folder).call("GET", "faults"), to_json(answer))


@command(faults, "add", examples=('provisioning sandbox faults add \'{"kind":"unavailable","times":3}\'',))
def add_fault(session: Session, fault: Annotated[str, typer.Argument(help="JSON.")], folder: _Folder = _HERE) -> None:
    """Set a fault."""
    session.show(answer := SandboxControl.find(folder).call("POST", "faults", fault.encode()), to_json(answer))


@command(faults, "clear")
def clear_faults(session: Session, folder: _Folder = _HERE) -> None:
    """Take all faults away."""
    answer = SandboxControl.find(folder).call("DELETE", "faults")
    session.show(answer, "No fault is set any more.")


@command(group, "ledger", examples=("provisioning sandbox ledger --tenant school.onmicrosoft.com",))
def ledger(
    session: Session,
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant's id.")] = None,
    user: Annotated[str | None, typer.Option(help="Only of this user's id.")] = None,
    *,
    changed: Annotated[bool, typer.Option("--changed", help="Only what changed something.")] = False,
    folder: _Folder = _HERE,
) -> None:
    """What was written to the twin, by its own account."""
    control = SandboxControl.find(folder)
    asked = {"tenant": tenant, "user": user, "changed": "true" if changed else None}
    options = {name: value for name, value in asked.items() if value is not None}
    rows: list[dict[str, Any]] = []
    since: int | None = 0
    while since is not None:
        page = control.call("GET", "ledger", None, {**options, "since": str(since)})
        rows += page["value"]
        since = page["next"]
    session.show_rows(rows, _LEDGER_COLUMNS, "Nothing was written to the twin.")
