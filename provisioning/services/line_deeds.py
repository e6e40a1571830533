"""Finding order lines, and the audit lines that say what became of them and by whom."""

from datetime import datetime

from provisioning.domain.actors import Identity
from provisioning.domain.errors import NotFoundError
from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, LineKey, OrganisationId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import OrderLine
from provisioning.domain.reasons import Reason
from provisioning.ports import UnitOfWork


def get_line(uow: UnitOfWork, key: LineKey) -> OrderLine:
    """Raises InputError when there is no such line."""
    line = uow.orders.find(key)
    if line is None:
        raise NotFoundError(f"There is no order line {key}; `provisioning orders list` shows what there is.")
    return line


def find_lines(uow: UnitOfWork, order_number: str) -> list[OrderLine]:
    """All lines of an order. Raises InputError when there are none."""
    lines = uow.orders.list_by(order_number=order_number.strip())
    if not lines:
        raise NotFoundError(f"There is no order {order_number}; `provisioning orders list` shows what there is.")
    return sorted(lines, key=lambda line: line.shop.key)


def line_event(
    line: OrderLine,
    state: LineState,
    now: datetime,
    *,
    reason: Reason | None = None,
    organisation: OrganisationId | None = None,
    details: dict[str, str] | None = None,
) -> Event:
    """The audit line of a line's change of state by the service itself."""
    return Event(
        at=now,
        actor=SYSTEM,
        kind=f"order.{state}",
        organisation=organisation or OrganisationId(line.shop.organisation_code),
        before=line.state,
        after=state,
        reason=reason,
        details={"line": str(line.shop.key), **(details or {})},
    )


def deed(
    line: OrderLine, kind: str, identity: Identity, now: datetime, because: str, after: LineState | None = None
) -> Event:
    """`because` is what the person gave as a reason; it must not name anybody."""
    return Event(
        at=now,
        actor=identity.actor,
        kind=kind,
        organisation=OrganisationId(line.shop.organisation_code),
        before=line.state,
        after=after or line.state,
        reason=line.reason,
        details={"line": str(line.shop.key), "because": because},
    )
