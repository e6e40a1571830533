"""Pieces of work in tenants."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli.command import command, noun, one_of
from provisioning.cli.output import Column, moment, paragraph, sheet, short, spaced, table
from provisioning.cli.session import Session
from provisioning.domain.lifecycle import OperationState
from provisioning.domain.operation import Wish
from provisioning.domain.ownership import owner_of

if TYPE_CHECKING:
    from provisioning.cli.wording import Wording

group = noun("Pieces of work, each one thing done in one tenant.")

Named = Annotated[str, typer.Argument(metavar="OPERATION", help="Its id, or at least the first 4 characters.")]

_STATES = typer.Option(metavar="STATE", help=f"{one_of(OperationState)} Repeat for more.")

EVENT_COLUMNS = (
    Column("When (UTC)", lambda x: f"{x.at:%Y-%m-%d %H:%M:%S}", fixed=True),
    Column("Who", lambda x: x.actor),
    Column("What", lambda x: x.kind),
    Column("Result", lambda x: spaced(x.reason).lower() if x.reason else spaced(x.after or " ").strip()),
    Column("Request", lambda x: short(x.correlation), fixed=True),
)


def columns(wording: "Wording") -> tuple[Column, ...]:
    """How operations are listed."""
    return (
        Column("Operation", lambda x: short(x.operation_id), fixed=True),
        Column("Kind", lambda x: x.kind, fixed=True),
        Column("Tenant", lambda x: short(x.tenant_id), fixed=True),
        Column("Organisation", lambda x: x.wish.holder_id),
        Column("State", lambda x: wording.standing(x.state, x.reason)),
        Column("Since (UTC)", lambda x: moment(x.entered_at), fixed=True),
    )


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
    """Operations and where they stand."""
    rows = session.services.show_operations(state or (), tenant, limit)
    shown = columns(session.wording)
    if any(row.writes_done_at for row in rows):
        shown = (*shown, _UNTIL)
    session.show_rows(rows, shown, "There is no such operation.")


def _wanted(wish: Wish) -> tuple[str, str]:
    """What was ordered; of a remap, which product becomes which, and for whom."""
    if wish.remap is None:
        return "Article", f"{wish.article_code}, {wish.seats_wanted:,} seats"
    asked = f"ticket {wish.remap.ticket_id}" if wish.remap.ticket_id else f"campaign {wish.remap.campaign_id}"
    return "Remap", f"{wish.remap.from_sku} becomes {wish.sku_id}, for {asked}"


@command(group, "show", examples=("provisioning operations show 77aa1234",))
def show(session: Session, operation: Named) -> None:
    """One operation, its people, and what was written down."""
    found = session.services.show_operations.one(operation)
    it = found.operation
    facts = [
        ("Operation", it.operation_id),
        ("Kind", it.kind),
        ("State", session.wording.name(it.state)),
        ("Since", f"{moment(it.entered_at)} UTC"),
        ("Tenant", f"{it.tenant_id}{f' ({found.tenant.initial_domain})' if found.tenant else ''}"),
        ("Holder", it.wish.holder_id),
        _wanted(it.wish),
        ("Looked at", f"{moment(it.due_at)} UTC" if it.due_at else "when a person acts"),
        ("People", _counts({session.wording.name(state): number for state, number in found.people.items()})),
        ("Steps", _counts({spaced(state): number for state, number in found.steps.items()})),
    ]
    if it.seats_seen is not None:
        facts.insert(-2, ("Seats", f"{it.seats_seen:,} visible, {it.wish.seats_before or 0:,} there before the order"))
    if found.writes_done_at:
        facts.append(("Written by", f"about {moment(found.writes_done_at)} UTC, then read back"))
    if it.reason:
        facts.insert(4, ("Owner", session.wording.name(owner_of(it.reason))))
    if it.unreadable_since:
        facts.insert(4, ("Not readable", f"since {moment(it.unreadable_since)} UTC"))
    why = f"\n\n{paragraph(session.wording.why_and_how(it.reason))}" if it.reason else ""
    log = f"\n\n{table(found.events, EVENT_COLUMNS)}" if found.events else ""
    session.show(found, f"{sheet(facts)}{why}{log}")


@command(group, "retry", examples=('provisioning operations retry 77aa1234 --reason "seats arrived"',))
def retry(
    session: Session, operation: Named, reason: Annotated[str, typer.Option(help="What is different now.")]
) -> None:
    """Let it go on, or look again at whom it left out."""
    going = session.services.retry_operation(session.identity, operation, reason)
    session.tell(going, f"Operation {short(going.operation_id)} goes on: {session.wording.name(going.state)}.")


def _counts(of: Mapping[str, int]) -> str:
    """`12 verified, 3 waiting`; a dash for nothing."""
    return ", ".join(f"{number:,} {state}" for state, number in of.items() if number) or "-"
