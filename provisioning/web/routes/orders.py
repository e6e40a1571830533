"""Orders: given in, looked at, let go on, taken back."""

from typing import Annotated, Any

import msgspec
from fastapi import Query

from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import OrderLine
from provisioning.intake.order_files import parse_orders
from provisioning.services.paging import Page
from provisioning.services.show_orders import LineSheet
from provisioning.web.bodies import Content, takes
from provisioning.web.calls import Anybody, Because, Filter, Named, PageWanted, Person, Text
from provisioning.web.routing import router as routes_about

router = routes_about("orders")

_TEXT = {"type": "string"}
_LINE: dict[str, Any] = {
    "type": "object",
    "description": "One line; what its order says too holds for it, unless it says otherwise.",
    "properties": {
        "line_number": _TEXT,
        "organisation_code": _TEXT,
        "article_code": _TEXT,
        "quantity": {"type": "integer"},
        "starts_on": {"type": "string", "format": "date"},
        "subjects": {"type": "array", "items": _TEXT},
    },
}
_ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["order_number", "lines"],
    "properties": {"order_number": _TEXT, "lines": {"type": "array", "items": _LINE}},
}
_ORDERS: dict[str, Any] = {
    "type": "object",
    "required": ["orders"],
    "properties": {"orders": {"type": "array", "items": _ORDER}},
}


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines are new or changed. They are collected within seconds, and then found under /orders."""

    submitted: int


class LineDeed(Because):
    """`line`: the line number, when the order has more than one."""

    line: Text | None = None


@router.post("", openapi_extra=takes("application/json", _ORDERS))
def submit(caller: Anybody, content: Content) -> Submitted:
    """Put orders into the default order database: all of them, or nothing. The columns are those of the shop's view."""
    lines = parse_orders("The request", content, caller.services.clock.now())
    return Submitted(submitted=caller.services.submit_orders(lines, caller.identity))


@router.get("")
def list_all(
    caller: Anybody,
    wanted: PageWanted,
    state: Annotated[list[LineState] | None, Query()] = None,
    order_number: Filter = None,
) -> Page[OrderLine]:
    """Order lines and where they stand, oldest first."""
    return caller.services.browse.orders(caller.identity, wanted, state or (), order_number)


@router.get("/{order}")
def show(caller: Anybody, order: Named) -> list[LineSheet] | list[OrderLine]:
    """Every line of an order; people of ours see all that came of it too."""
    return caller.services.show_to.order(caller.identity, order)


@router.post("/{order}/cancel")
def cancel(caller: Person, order: Named, deed: LineDeed) -> OrderLine:
    """Take back a line that was not accepted yet."""
    key = caller.services.show_orders.only_line(order, deed.line)
    return caller.services.cancel_line(key, caller.identity, deed.reason)


@router.post("/{order}/release")
def release(caller: Person, order: Named, deed: LineDeed) -> OrderLine:
    """Let a suspicion pass, or have a held line judged again."""
    key = caller.services.show_orders.only_line(order, deed.line)
    return caller.services.release_line(key, caller.identity, deed.reason)
