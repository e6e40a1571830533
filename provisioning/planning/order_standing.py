"""Whether an accepted line still stands after a long wait: customer, declaration, supplier, processing agreement.

Amounts and duplicates are not asked again: the ledger has the line in it, and seats are never taken back.
"""

from collections.abc import Callable

from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import OrderLine
from provisioning.domain.reasons import Reason
from provisioning.planning.order_context import Case, Halt, OrderContext
from provisioning.planning.order_customer import (
    authority,
    board_declaration,
    membership,
    processing_agreement,
    supplier,
)
from provisioning.planning.order_rules import identify

STANDING: tuple[Callable[[Case], Halt | None], ...] = (
    membership,
    authority,
    board_declaration,
    supplier,
    processing_agreement,
)


_BOUGHT = frozenset({LineState.ACCEPTED, LineState.COMPLETED, LineState.PARTIALLY_COMPLETED})


def objection(line: OrderLine, context: OrderContext) -> Reason | None:
    """Why the line would not be accepted today, or None."""
    if line.state not in _BOUGHT:
        return line.reason or Reason.LINE_CHANGED
    case = identify(line, context)
    if isinstance(case, Halt):
        return case.reason
    return next((halt.reason for rule in STANDING if (halt := rule(case))), None)
