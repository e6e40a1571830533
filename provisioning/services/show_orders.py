"""Which order lines there are, and the whole story of one order."""

from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.events import Event
from provisioning.domain.ids import LineKey, OrganisationId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.operation import Operation
from provisioning.domain.order import OrderLine
from provisioning.ports import OpenUnitOfWork, UnitOfWork
from provisioning.services.line_deeds import find_lines

_EVENTS = 1000


class LineSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One line with the operations it led to and its audit lines, in order of time."""

    line: OrderLine
    operations: list[Operation]
    events: list[Event]


@dataclass(frozen=True, kw_only=True)
class ShowOrders:
    open_uow: OpenUnitOfWork

    def __call__(self, states: Collection[LineState] = (), limit: int = 100) -> list[OrderLine]:
        """Lines in these states (any when none is given)."""
        with self.open_uow() as uow:
            return uow.orders.list_by(states=states, limit=limit)

    def one(self, order_number: str) -> list[LineSheet]:
        """Every line of the order; raises InputError when there is none."""
        with self.open_uow() as uow:
            return [_sheet(uow, line) for line in find_lines(uow, order_number)]

    def only_line(self, order_number: str, line_number: str | None) -> LineKey:
        """The line that is meant; raises InputError unless it is exactly one."""
        with self.open_uow() as uow:
            keys = [line.shop.key for line in find_lines(uow, order_number)]
        chosen = [key for key in keys if line_number in {None, key.line_number}]
        if len(chosen) != 1:
            numbers = ", ".join(key.line_number for key in keys)
            raise InputError(f"Order {order_number} has the lines {numbers}: name one of them with --line.")
        return chosen[0]


def _sheet(uow: UnitOfWork, line: OrderLine) -> LineSheet:
    operations = uow.operations.list_by(line=line.shop.key)
    written_for = {OrganisationId(line.shop.organisation_code), *(each.wish.holder_id for each in operations)}
    of_line = [
        event
        for organisation in sorted(written_for)
        for event in uow.audit.list_by(organisation=organisation, limit=_EVENTS)
        if event.details.get("line") == str(line.shop.key)
    ]
    of_operations = [
        event
        for operation in operations
        for event in uow.audit.list_by(operation=operation.operation_id, limit=_EVENTS)
        if event not in of_line  # an operation's creation speaks of the line too
    ]
    events = sorted(of_line + of_operations, key=lambda event: event.at)
    return LineSheet(line=line, operations=operations, events=events)
