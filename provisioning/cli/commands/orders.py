"""Orders: given in, looked at, let go on, taken back."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioning.cli.command import command, noun, one_of
from provisioning.cli.operation_screen import EVENT_COLUMNS, operation_columns
from provisioning.cli.output import Column, paragraph, sheet, table
from provisioning.cli.session import Session
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import OrderLine

if TYPE_CHECKING:
    from provisioning.cli.wording import Wording
    from provisioning.services.show_orders import LineSheet

group = noun("Order lines, from the shop's row to the verified licence.")

_Order = Annotated[str, typer.Argument(help="The shop's order number.")]
_Line = Annotated[str | None, typer.Option(help="The line number, when the order has more than one.")]

_STATES = typer.Option(metavar="STATE", help=f"{one_of(LineState)} Repeat for more.")


def _columns(wording: "Wording") -> tuple[Column, ...]:
    return (
        Column("Order", lambda x: x.shop.key.order_number),
        Column("Line", lambda x: x.shop.key.line_number),
        Column("Organisation", lambda x: x.shop.organisation_code),
        Column("Article", lambda x: x.shop.article_code),
        Column("Seats", lambda x: str(x.shop.quantity), right=True),
        Column("State", lambda x: wording.standing(x.state, x.reason)),
    )


@command(group, "submit", examples=("provisioning orders submit orders.csv", "provisioning orders submit orders.json"))
def submit(session: Session, file: Annotated[Path, typer.Argument(help="CSV or JSON.")]) -> None:
    """Put orders from a file into the default order database.

    All of the file, or nothing.
    """
    from provisioning.intake.order_files import read_orders

    lines = read_orders(file, session.services.clock.now())
    number = session.services.submit_orders(lines, session.identity)
    told = f"{number:,} order lines are in the order database; they are collected now."
    session.tell({"submitted": number}, told if number else "Nothing in this file is new: every line is there already.")


@command(group, "list", examples=("provisioning orders list --state held",))
def list_all(
    session: Session,
    state: Annotated[list[LineState] | None, _STATES] = None,
    limit: Annotated[int, typer.Option(min=1)] = 100,
) -> None:
    """Order lines and where they stand. A client's token sees its own."""
    rows = session.services.show_to.orders(session.identity, state or (), limit)
    session.show_rows(rows, _columns(session.wording), "There is no such order line.")


@command(group, "show", examples=("provisioning orders show 1042",))
def show(session: Session, order: _Order) -> None:
    """Every line of an order, and all that came of it. A client's token sees its own lines, and where they stand."""
    found = session.services.show_to.order(session.identity, order)
    session.show(found, "\n\n".join(block for one in found for block in _blocks(one, session.wording)))


def _blocks(one: "LineSheet | OrderLine", wording: "Wording") -> Iterator[str]:
    line = one if isinstance(one, OrderLine) else one.line
    shop = line.shop
    facts = [
        ("Line", str(shop.key)),
        ("Organisation", shop.organisation_code),
        ("Article", f"{shop.article_code}, {shop.quantity} seats"),
        ("State", wording.name(line.state)),
    ]
    yield sheet(facts)
    if line.reason:
        yield paragraph(wording.why_and_how(line.reason))
    if isinstance(one, OrderLine):
        return
    if one.operations:
        yield table(one.operations, operation_columns(wording))
    if one.events:
        yield table(one.events, EVENT_COLUMNS)


@command(group, "cancel", examples=('provisioning orders cancel 1042 --line 2 --reason "typed twice"',), ours=True)
def cancel(
    session: Session,
    order: _Order,
    reason: Annotated[str, typer.Option(help="Why; it must not name anybody.")],
    line: _Line = None,
) -> None:
    """Take back a line that was not accepted yet."""
    key = session.services.show_orders.only_line(order, line)
    cancelled = session.services.cancel_line(key, session.identity, reason)
    session.tell(cancelled, f"Order line {cancelled.shop.key} is {session.wording.name(cancelled.state)}.")


@command(
    group, "release", examples=('provisioning orders release 1042 --reason "two schools, not one twice"',), ours=True
)
def release(
    session: Session,
    order: _Order,
    reason: Annotated[str, typer.Option(help="Why; it must not name anybody.")],
    line: _Line = None,
) -> None:
    """Let a suspicion pass, or have a held line judged again."""
    key = session.services.show_orders.only_line(order, line)
    judged = session.services.release_line(key, session.identity, reason)
    why = f" {session.wording.why_and_how(judged.reason)}" if judged.reason else ""
    session.tell(judged, f"Order line {judged.shop.key} is {session.wording.name(judged.state)}.{why}")
