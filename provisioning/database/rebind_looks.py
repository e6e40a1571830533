"""Whom a rebind would choose, as each look showed it."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from provisioning.database.store import Store
from provisioning.database.tables.rebind_looks import rebind_looks as table
from provisioning.database.tables.tickets import tickets
from provisioning.domain.ids import TicketId
from provisioning.domain.rebind_look import RebindLook
from provisioning.domain.ticket import TICKET_ENDS


class SqlRebindLooks(Store):
    def find(self, ticket: TicketId) -> RebindLook | None:
        query = select(table.c.look).where(table.c.ticket_id == ticket).order_by(table.c.look_id.desc()).limit(1)
        found: RebindLook | None = self._connection.scalar(query)
        return found

    def find_for_work(self, ticket: TicketId) -> RebindLook | None:
        # The ticket's row is what a worker and an approver meet at: who comes second reads what the first one wrote.
        self._connection.execute(select(tickets.c.ticket_id).where(tickets.c.ticket_id == ticket).with_for_update())
        return self.find(ticket)

    def save(self, ticket: TicketId, look: RebindLook, at: datetime) -> None:
        self._connection.execute(insert(table).values(ticket_id=ticket, look=look, seen_at=at))

    def purge(self, before: datetime) -> int:
        has_ended = tickets.c.state.in_(TICKET_ENDS) & (tickets.c.entered_at < before)
        old = select(tickets.c.ticket_id).where(has_ended)
        return self._changed(delete(table).where(table.c.ticket_id.in_(old)))
