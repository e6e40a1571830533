"""What the twin believes of Microsoft, and what time it is there."""

from typing import Annotated, Any

import msgspec
import typer

from provisioning.cli.output import to_json
from provisioning.cli.sandbox_control import HERE, Folder, SandboxControl
from provisioning.cli.session import Session
from provisioning.domain.errors import InputError

SWITCH_EXAMPLES = ("provisioning sandbox switch consent_delay_seconds=120 delta_repeats=1",)
CLOCK_EXAMPLES = ("provisioning sandbox clock --advance 86400",)


def switch_over(
    session: Session,
    settings: Annotated[list[str] | None, typer.Argument(metavar="[NAME=JSON]...", help="None: show all.")] = None,
    folder: Folder = HERE,
) -> None:
    """Answer open questions about Microsoft otherwise."""
    control = SandboxControl.find(folder)
    if not settings:
        session.show(answer := control.call("GET", "switches"), to_json(answer))
        return
    changed = dict(_switch(setting) for setting in settings)
    answer = control.call("PUT", "switches", msgspec.json.encode(changed))
    session.show(answer, to_json({name: answer[name] for name in changed}))


def _switch(setting: str) -> tuple[str, Any]:
    name, _, value = setting.partition("=")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        raise InputError(f"{setting} is not NAME=JSON, for example delta_repeats=1 or retry_after='\"one\"'.") from None


def clock(
    session: Session,
    advance: Annotated[float, typer.Option(help="Seconds to jump ahead.")] = 0.0,
    factor: Annotated[float | None, typer.Option(help="Seconds of the twin per real second from now on.")] = None,
    folder: Folder = HERE,
) -> None:
    """Tell the twin's time, or let it pass."""
    change = {"advance": advance, "factor": factor}
    answer = SandboxControl.find(folder).call("PUT", "clock", msgspec.json.encode(change))
    session.show(answer, f"It is {answer['moment']} in the twin; a second lasts {answer['factor']:g} there.")
