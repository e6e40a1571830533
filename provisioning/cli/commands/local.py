"""A whole world on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli.command import command, one_of
from provisioning.cli.session import Session
from provisioning.local.options import UpProfile

_UP = Path(".provisioning/up")
_FASTEST = 10_000.0  # a year of waiting in an hour; faster, and a call to the twin takes longer than any wait
_LONGEST = 400  # days


def register(app: typer.Typer) -> None:
    """These commands have no noun in front."""
    command(app, "demo")(demo)
    command(app, "up")(up)


def demo(
    session: Session,
    folder: Annotated[Path | None, typer.Option(help="Keep this world there; by default nothing is left.")] = None,
    lag: Annotated[float, typer.Option(min=0.0, help="Longest replica delay of the twin, in seconds.")] = 0.0,
    clock_factor: Annotated[float, typer.Option(min=1.0, max=_FASTEST, help="How much faster time goes.")] = 60.0,
    random_seed: Annotated[int, typer.Option(help="For everything that is drawn by lot.")] = 1,
) -> int:
    """The whole story here: orders in, licences out, proof."""
    from provisioning.local.demo import run_demo
    from provisioning.local.options import DemoOptions

    options = DemoOptions(
        folder=folder,
        lag_seconds=lag,
        clock_factor=clock_factor,
        random_seed=random_seed,
        as_json=session.speech.as_json,
    )
    return run_demo(options)


def up(
    session: Session,
    folder: Annotated[Path, typer.Option(help="Where this world lives; it is found again there.")] = _UP,
    profile: Annotated[
        UpProfile | None,
        typer.Option(metavar="NAME", help=f"Another world than that of the story. {one_of(UpProfile)}"),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Of the twin; 0 picks a free one.")] = 0,
    api_port: Annotated[int, typer.Option(min=0, max=65_535, help="Of the API; 0 picks a free one.")] = 0,
    clock_factor: Annotated[float, typer.Option(min=1.0, max=_FASTEST, help="How much faster time goes.")] = 60.0,
    days_later: Annotated[
        float, typer.Option(min=0.0, max=_LONGEST, help="A world that is there already was left alone so long.")
    ] = 0.0,
) -> int:
    """The same world, left running to play with; Ctrl-C stops it."""
    from provisioning.local.options import UpOptions
    from provisioning.local.up import run_up

    options = UpOptions(
        folder=folder,
        profile=profile,
        port=port,
        api_port=api_port,
        clock_factor=clock_factor,
        days_later=days_later,
        as_json=session.speech.as_json,
    )
    return run_up(options)
