"""Looks at every ticket whose time has come, and at all that wait for somebody's authority when records arrive."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from provisioning.domain.errors import ConflictError
from provisioning.domain.ids import TicketId
from provisioning.domain.limits import Limits
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.ports import Clock, OpenUnitOfWork

_AT_ONCE = 100
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class SweepTickets:
    """Returns how many went on."""

    open_uow: OpenUnitOfWork
    clock: Clock
    limits: Limits
    advance: Callable[[TicketId], Ticket]

    def __call__(self) -> int:
        now = self.clock.now()
        with self.open_uow() as uow:
            due = uow.tickets.claim_due(now, now + self.limits.ticket_poll, _AT_ONCE)
            before = {one: uow.tickets.get(one).version for one in due}
            uow.commit()
        return sum(self._advance(one, version) for one, version in before.items())

    def authority_arrived(self) -> int:
        """Records came in: who waited for them is judged again, and so is who was authorised by them until now."""
        states = {TicketState.AWAITING_AUTHORITY, TicketState.ASSESSING, TicketState.AWAITING_APPROVAL}
        with self.open_uow() as uow:
            waiting = uow.tickets.list_by(states)
        return sum(self._advance(one.ticket_id, one.version) for one in reversed(waiting))

    def _advance(self, ticket: TicketId, version: int) -> bool:
        try:
            return self.advance(ticket).version != version
        except ConflictError:  # a person decided something in between: the next look knows it
            _log.info("ticket.overtaken", ticket_id=ticket)
            return False
