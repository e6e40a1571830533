"""An operator takes back a line that was not accepted yet; an agreement that runs cannot be cancelled (R10)."""

from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.errors import InputError
from provisioning.domain.ids import LineKey
from provisioning.domain.lifecycle import LINE_TRANSITIONS, LineState
from provisioning.domain.order import OrderLine
from provisioning.domain.reasons import Reason
from provisioning.domain.rights import Action, require
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.line_deeds import deed, get_line

_BOUGHT = frozenset({LineState.ACCEPTED, LineState.COMPLETED, LineState.PARTIALLY_COMPLETED})


@dataclass(frozen=True, kw_only=True)
class CancelLine:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self, key: LineKey, identity: Identity, because: str) -> OrderLine:
        """The line as it stands afterwards. Raises NotAllowedError, or InputError once it was bought or has ended."""
        require(identity, Action.CANCEL_ORDER)
        now = self.clock.now()
        with self.open_uow() as uow:
            line = get_line(uow, key)
            if line.state in _BOUGHT:
                raise InputError(
                    f"{Reason.CANCELLATION_NOT_ALLOWED}: order line {key} is {line.state}; what was bought stays until "
                    "its term ends. Only the closure of the institution, with proof, ends it earlier."
                )
            if LineState.CANCELLED not in LINE_TRANSITIONS[line.state]:
                raise InputError(f"Order line {key} has ended already: it is {line.state}.")
            uow.orders.set_state(key, LineState.CANCELLED, None, now)
            uow.audit.record([deed(line, "order.cancelled", identity, now, because, LineState.CANCELLED)])
            uow.commit()
            return get_line(uow, key)
