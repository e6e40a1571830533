"""What organisations were told."""

from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli.command import command, noun
from provisioning.cli.output import Column
from provisioning.cli.session import Session

if TYPE_CHECKING:
    from provisioning.cli.wording import Wording

group = noun("What organisations were told, and we ourselves.")

_SHOWN_REFERENCES = 3


def _about(references: tuple[str, ...]) -> str:
    more = len(references) - _SHOWN_REFERENCES
    return ", ".join(references[:_SHOWN_REFERENCES]) + (f" and {more} more" if more > 0 else "")


def _columns(wording: "Wording") -> tuple[Column, ...]:
    return (
        Column("Day", lambda x: str(x.day), fixed=True),
        Column("Organisation", lambda x: x.organisation_id),
        Column("Topic", lambda x: wording.topic(x.topic)),
        Column("Facts", lambda x: f"{x.facts:,}", right=True),
        Column("About", lambda x: _about(x.references)),
    )


@command(group, "list", examples=("provisioning notices list --organisation 41234",))
def list_all(
    session: Session,
    organisation: Annotated[str | None, typer.Option(help="Only to this one, by its register code.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """The latest notices: one for each organisation, topic and day. A board's token sees its own."""
    told = session.services.show_to.notices(session.identity, organisation, limit)
    session.show_rows(told, _columns(session.wording), "Nobody was told anything yet.")
