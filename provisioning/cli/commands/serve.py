"""The API of this installation."""

import sys
from typing import Annotated

import typer

from provisioning.cli.command import command
from provisioning.cli.session import Session

_HERE = "127.0.0.1"
_PORT = 8000


def register(app: typer.Typer) -> None:
    """It has no noun in front."""
    command(app, "serve", examples=("provisioning serve --port 8000",))(serve)


def serve(
    session: Session,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")] = _HERE,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 picks a free one.")] = _PORT,
) -> None:
    """Serve the API until Ctrl-C. It speaks HTTP: TLS is a proxy's."""
    from config.logging import configure_logging
    from provisioning.web.server import serve as until_stopped

    services = session.serving_services
    configure_logging(services.settings.log_level)

    def tell(address: str) -> None:
        session.tell({"address": address}, f"The API is at {address}; Ctrl-C stops it.")
        sys.stdout.flush()

    until_stopped(services, host, port, tell)
