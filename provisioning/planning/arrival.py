"""Whether the seats of an order are there. Microsoft counts seats, it does not say whose they are (decision 0024)."""

from collections.abc import Iterable
from datetime import date

import msgspec

from provisioning.domain.ids import OperationId, SkuId
from provisioning.domain.lifecycle import OPERATION_WAITS, OperationState
from provisioning.domain.operation import Operation, OperationKind
from provisioning.domain.tenancy import AssignmentMode

_NOT_BEGUN = OPERATION_WAITS | {OperationState.NEW}


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of one product in one tenant whose seats nobody has seen yet, in the order in which they came."""

    outstanding: tuple[Operation, ...]

    def wanted(self) -> int:
        return sum(operation.wish.seats_wanted for operation in self.outstanding)

    def before(self, operation: Operation) -> int:
        """Seats that go to earlier orders; one that waits for a person takes none meanwhile."""
        earlier = (one for one in self.outstanding if _place(one) < _place(operation))
        return sum(one.wish.seats_wanted for one in earlier if one.state is not OperationState.HELD)

    def after(self, operation: Operation) -> int:
        return sum(one.wish.seats_wanted for one in self.outstanding if _place(one) > _place(operation))


def queue_for(operations: Iterable[Operation], sku: SkuId, on: date) -> Queue:
    """Of these operations of a tenant: deliveries of the product that are in force on the day and have not begun."""
    waiting = [one for one in operations if _is_outstanding(one, sku, on)]
    return Queue(outstanding=tuple(sorted(waiting, key=_place)))


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the seats for one order. `expected`: all that was bought up to and including this order."""

    enabled: int
    free: int  # neither in use, nor reserved, nor awaited by an earlier order
    expected: int
    wanted: int
    before: int  # what stood there without an order of ours
    serves_people: bool  # else the school assigns, and the seats are the whole delivery
    stood_still: bool  # for a day: nothing more is on its way

    @property
    def is_covered(self) -> bool:
        return self.enabled >= self.expected > 0

    @property
    def has_risen(self) -> bool:
        """The number rose by what was bought, over what was there before."""
        return self.is_covered and self.enabled - self.before >= self.expected

    @property
    def may_begin(self) -> bool:
        """The order's seats are there, or there is no point in waiting for them any longer."""
        if self.has_risen or (self.serves_people and self.is_covered and self.free >= self.wanted):
            return True
        return self.stood_still and (self.is_covered or (self.serves_people and self.free > 0))


def unexplained(enabled: int, bought: int) -> int:
    """Seats that no order of ours accounts for."""
    return max(0, enabled - bought)


def baseline(known: int | None, enabled: int, bought: int, outstanding: int, mode: AssignmentMode) -> int | None:
    """What stood there before the order, after this look. `bought`: all orders together, `outstanding` among them.

    Seats that are gone were no baseline. Nobody looked before, and the school assigns: when there are more seats than
    all orders explain, ours may not be among them, and only a rise or a day of rest can tell.
    """
    if known is not None:
        return min(known, enabled)
    is_ambiguous = mode is AssignmentMode.NONE and enabled > bought
    return unexplained(enabled, bought - outstanding) if is_ambiguous else None


def _is_outstanding(operation: Operation, sku: SkuId, on: date) -> bool:
    wish = operation.wish
    state = operation.resume_state if operation.state is OperationState.HELD else operation.state
    is_delivery = operation.kind is OperationKind.DELIVER and wish.sku_id == sku and wish.seats_wanted > 0
    return is_delivery and state in _NOT_BEGUN and (wish.starts_on is None or wish.starts_on <= on)


def _place(operation: Operation) -> tuple[object, OperationId]:
    return operation.created_at, operation.operation_id
