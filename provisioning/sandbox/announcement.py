"""What a twin that serves says of itself: files for programs, and a few lines for whoever started it."""

import os
import shlex
from pathlib import Path

from provisioning.sandbox.wire import encode
from provisioning.sandbox.world import World

_MOST_LINES = 5  # tenants or apps; a large world would fill the screen


def write_addresses(folder: Path, port: int) -> None:
    """`address.json` for programs and `address.sh` for shells; the first, whole or not at all, says that it serves."""
    root = f"localhost:{port}"
    addresses = {
        "graph": f"https://{root}/v1.0",
        "authority": root,
        "control": f"https://{root}/_sandbox",
        "pid": os.getpid(),
    }
    variables = {
        "SANDBOX_GRAPH": addresses["graph"],
        "SANDBOX_AUTHORITY": f"https://{root}",
        "SANDBOX_HOST": root,
        "SANDBOX_CONTROL": addresses["control"],
        "SANDBOX_CA": str((folder / "ca.pem").resolve()),
    }
    lines = [f"export {name}={shlex.quote(str(value))}\n" for name, value in variables.items()]
    (folder / "address.sh").write_text("".join(lines))
    draft = folder / "address.draft"
    draft.write_bytes(encode(addresses))
    draft.rename(folder / "address.json")


def remove_addresses(folder: Path) -> None:
    for name in ("address.json", "address.sh"):
        (folder / name).unlink(missing_ok=True)


def describe(world: World, folder: Path, port: int) -> str:
    """Where it is, whom it trusts, who is in it."""
    root = f"https://localhost:{port}"
    lines = [
        "The twin of Microsoft Graph serves; Ctrl-C stops it.",
        f"  Graph      {root}/v1.0",
        f"  Authority  {root}",
        f"  Trust      {folder / 'ca.pem'}",
        f"  In a shell . {folder / 'address.sh'}",
        *_tenants(world),
        *_apps(world),
    ]
    return "\n".join(lines)


def _tenants(world: World) -> list[str]:
    tenants = list(world.tenants.values())
    if not tenants:
        return ["  It is empty: `provisioning sandbox seed FILE` plants a world."]
    lines = [
        f"  Tenant     {held.id} ({held.domains[0]}), {held.directory.count} users" for held in tenants[:_MOST_LINES]
    ]
    return lines if len(tenants) <= _MOST_LINES else [*lines, f"             and {len(tenants) - _MOST_LINES} more"]


def _apps(world: World) -> list[str]:
    """Apps with a secret that works; it opens nothing but this twin."""
    known = [(app.id, app.secrets[0].value) for app in world.apps.values() if app.secrets]
    return [f"  App        {app_id}, secret {secret}" for app_id, secret in known[:_MOST_LINES]]
