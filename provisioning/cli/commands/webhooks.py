"""Signed webhooks: how messages to each endpoint stand."""

from typing import Annotated

import typer

from provisioning.cli.command import command, noun
from provisioning.cli.output import Column
from provisioning.cli.session import Session

group = noun("Signed messages to shops and desks, and how they stand.")

_COLUMNS = (
    Column("Endpoint", lambda x: x.name, fixed=True),
    Column("Address", lambda x: x.url or "(no longer in the file)"),
    Column("Topics", lambda x: ", ".join(x.topics)),
    Column("Taken", lambda x: f"{x.delivered:,}", right=True),
    Column("Waiting", lambda x: f"{x.waiting:,}", right=True),
    Column("Given up", lambda x: f"{x.given_up:,}", right=True),
)
_MESSAGE_COLUMNS = (
    Column("Endpoint", lambda x: x.endpoint, fixed=True),
    Column("Message", lambda x: x.message_id),
    Column("Topic", lambda x: x.topic),
    Column("Tries", lambda x: str(x.attempts), right=True),
    Column("Answer", lambda x: str(x.answered or "-"), right=True),
    Column("Again at", lambda x: f"{x.due_at:%Y-%m-%d %H:%M}" if x.due_at else "given up"),
)


@command(group, "list", examples=("provisioning webhooks list",), ours=True)
def list_all(session: Session) -> None:
    """Every endpoint, and how its messages stand."""
    session.show_rows(
        session.services.show_webhooks(),
        _COLUMNS,
        "There are no endpoints: PROVISIONING_WEBHOOKS_FILE names a file that says where to send what.",
    )


@command(group, "show", examples=("provisioning webhooks show --limit 20",), ours=True)
def show(session: Session, limit: Annotated[int, typer.Option(min=1)] = 50) -> None:
    """The messages that were not taken yet, or were given up."""
    session.show_rows(session.services.show_webhooks.messages(limit), _MESSAGE_COLUMNS, "Every message was taken.")


@command(group, "resend", examples=("provisioning webhooks resend desk",))
def resend(session: Session, endpoint: Annotated[str, typer.Argument(help="The endpoint's name.")]) -> None:
    """Send once more what was given up.

    Under the same ids: whoever took a message already can tell.
    """
    again = session.services.resend_webhooks(session.identity, endpoint)
    session.tell({"endpoint": endpoint, "again": again}, f"{again:,} messages to {endpoint} are due again.")
