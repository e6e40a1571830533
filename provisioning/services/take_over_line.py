"""What the shop's row of today makes of the line in our keeping; the caller's transaction."""

from datetime import datetime
from enum import StrEnum

import msgspec

from provisioning.domain.events import Event
from provisioning.domain.ids import SYSTEM, OrganisationId
from provisioning.domain.lifecycle import LineState
from provisioning.domain.order import OrderLine, ShopLine
from provisioning.domain.worklist import Intent, Topic
from provisioning.planning.order_rules import after_acceptance
from provisioning.ports import UnitOfWork

_CORRECTABLE = frozenset({LineState.RECEIVED, LineState.HELD})


class TakenOver(StrEnum):
    """What came of one row."""

    NEW = "new"
    SAME = "same"
    CORRECTED = "corrected"  # not yet judged for good: judge it (again)
    TOO_LATE = "too_late"  # noted and answered; seats stay


def take_over(uow: UnitOfWork, shop: ShopLine, now: datetime) -> TakenOver:
    """Insert, correct or note. Any number of collectors may do this with the same row: only the first has an effect."""
    if uow.orders.receive(shop, now):
        uow.audit.record([_event(shop, "order.received", now, after=LineState.RECEIVED)])
        return TakenOver.NEW
    line = uow.orders.find(shop.key)
    if line is None or line.shop.digest == shop.digest:
        return TakenOver.SAME
    if line.state in _CORRECTABLE:
        uow.orders.replace_shop(shop)
        uow.audit.record([_event(shop, "order.corrected", now, details=_changes(line.shop, shop))])
        return TakenOver.CORRECTED
    _answer(uow, line, shop, now)
    return TakenOver.TOO_LATE


def _answer(uow: UnitOfWork, line: OrderLine, shop: ShopLine, now: datetime) -> None:
    """R10: kept and answered; what was bought stays bought."""
    reason = after_acceptance(shop)
    uow.orders.note_late_change(shop, reason)
    event = _event(shop, "order.change_refused", now, after=line.state, details=_changes(line.shop, shop))
    uow.audit.record([msgspec.structs.replace(event, reason=reason)])
    organisation = OrganisationId(shop.organisation_code)
    uow.outbox.add(
        [Intent(topic=Topic.ORDER_CHANGE_REFUSED, organisation_id=organisation, reference=str(shop.key), at=now)]
    )


def _changes(before: ShopLine, after: ShopLine) -> dict[str, str]:
    """The names of the columns that differ; their values may name people."""
    names = [name for name in ShopLine.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    return {"columns": " ".join(sorted(set(names) - {"digest", "changed_at"}))}


def _event(
    shop: ShopLine, kind: str, now: datetime, *, after: LineState | None = None, details: dict[str, str] | None = None
) -> Event:
    return Event(
        at=now,
        actor=SYSTEM,
        kind=kind,
        organisation=OrganisationId(shop.organisation_code),
        after=after,
        details={"line": str(shop.key), **(details or {})},
    )
