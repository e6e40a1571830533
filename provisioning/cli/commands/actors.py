"""People and clients who may act, and their tokens."""

from datetime import timedelta
from typing import Annotated

import typer

from provisioning.cli.command import command, noun, one_of
from provisioning.cli.output import Column, moment, sheet
from provisioning.cli.session import Session
from provisioning.domain.actors import Role
from provisioning.domain.ids import Actor, OrganisationId

group = noun("Who may act, as what, until when.")

_COLUMNS = (
    Column("Actor", lambda x: x.actor),
    Column("Roles", lambda x: " ".join(sorted(x.roles))),
    Column("Board", lambda x: x.board_id or "-"),
    Column("Token until (UTC)", lambda x: moment(x.expires_at), fixed=True),
)


@command(
    group,
    "add",
    examples=(
        "provisioning actors add person:duty --role operator",
        "provisioning actors add client:webshop --role shop --days 30",
    ),
)
def add(
    session: Session,
    actor: Annotated[str, typer.Argument(help="person:<handle> or client:<name>")],
    role: Annotated[list[Role], typer.Option(metavar="ROLE", help=f"{one_of(Role)} Repeat for more.")],
    days: Annotated[int, typer.Option(min=1, max=90, help="How long the token is valid.")] = 90,
    board: Annotated[str | None, typer.Option(help="The board that a client with the role board acts for.")] = None,
) -> None:
    """Add a person or client; its token is shown this once."""
    made = session.services.add_actor(
        session.identity,
        actor,
        role,
        validity=timedelta(days=days),
        board=OrganisationId(board) if board else None,
    )
    shown = [("Actor", made.actor), ("Token", made.token), ("Valid until", f"{moment(made.expires_at)} UTC")]
    advice = "The token is shown this once. Keep it in PROVISIONING_TOKEN or a private file."
    session.show(made, f"{sheet(shown)}\n\n{advice}")


@command(group, "list", ours=True)
def list_all(session: Session) -> None:
    """Everybody who has a token."""
    session.show_rows(session.services.list_actors(), _COLUMNS, "Nobody has a token yet.")


@command(group, "revoke", examples=("provisioning actors revoke person:duty",))
def revoke(session: Session, actor: Annotated[str, typer.Argument(help="As `actors list` shows it.")]) -> None:
    """End an actor's token now."""
    session.services.revoke_actor(session.identity, Actor(actor))
    session.tell({"revoked": actor}, f"The token of {actor} is revoked.")
