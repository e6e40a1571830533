"""Pieces of work in tenants."""

from typing import Annotated

import typer

from provisioning.cli.command import command, noun, one_of
from provisioning.cli.operation_screen import operation_columns, render_in_short, render_operation
from provisioning.cli.output import Column, moment, short
from provisioning.cli.session import Session
from provisioning.domain.lifecycle import OperationState

group = noun("Pieces of work, each one thing done in one tenant.")

Named = Annotated[str, typer.Argument(metavar="OPERATION", help="Its id, or at least the first 4 characters.")]

_STATES = typer.Option(metavar="STATE", help=f"{one_of(OperationState)} Repeat for more.")
_UNTIL = Column("Until", lambda x: moment(x.writes_done_at)[-5:], fixed=True)


@command(
    group,
    "list",
    examples=("provisioning operations list --state held", "provisioning operations list --tenant school.nl"),
)
def list_all(
    session: Session,
    state: Annotated[list[OperationState] | None, _STATES] = None,
    tenant: Annotated[str | None, typer.Option(help="A domain or the beginning of an id.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
) -> None:
    """Operations and where they stand. A client's token sees its own."""
    rows = session.services.show_to.operations(session.identity, state or (), tenant, limit)
    shown = operation_columns(session.wording)
    if any(getattr(row, "writes_done_at", None) for row in rows):  # to a client nothing is foretold
        shown = (*shown, _UNTIL)
    session.show_rows(rows, shown, "There is no such operation.")


@command(group, "show", examples=("provisioning operations show 77aa1234",))
def show(session: Session, operation: Named) -> None:
    """One operation, its people, and what was written down. A client's token sees its own, in short."""
    from provisioning.services.browse import OperationSummary

    found = session.services.show_to.operation(session.identity, operation)
    if isinstance(found, OperationSummary):
        session.show(found, render_in_short(found, session.wording))
    else:
        session.show(found, render_operation(found, session.wording))


@command(group, "retry", examples=('provisioning operations retry 77aa1234 --reason "seats arrived"',))
def retry(
    session: Session, operation: Named, reason: Annotated[str, typer.Option(help="What is different now.")]
) -> None:
    """Let it go on, or look again at whom it left out."""
    going = session.services.retry_operation(session.identity, operation, reason)
    session.tell(going, f"Operation {short(going.operation_id)} goes on: {session.wording.name(going.state)}.")
