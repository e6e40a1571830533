"""How far agreements are on their way to another tenant."""

from datetime import datetime

from sqlalchemy import insert, select

from provisioning.database.store import Store
from provisioning.database.tables.agreement_moves import agreement_moves as table
from provisioning.database.tables.tickets import tickets
from provisioning.domain.agreement_move import AgreementMove
from provisioning.domain.ids import TicketId


class SqlAgreementMoves(Store):
    def find(self, ticket: TicketId) -> AgreementMove | None:
        query = select(table.c.move).where(table.c.ticket_id == ticket).order_by(table.c.look_id.desc()).limit(1)
        found: AgreementMove | None = self._connection.scalar(query)
        return found

    def find_for_work(self, ticket: TicketId) -> AgreementMove | None:
        # The ticket's row is what two workers meet at: who comes second reads what the first one wrote.
        self._connection.execute(select(tickets.c.ticket_id).where(tickets.c.ticket_id == ticket).with_for_update())
        return self.find(ticket)

    def save(self, ticket: TicketId, move: AgreementMove, at: datetime) -> None:
        self._connection.execute(insert(table).values(ticket_id=ticket, move=move, seen_at=at))

    def looks(self, ticket: TicketId) -> list[AgreementMove]:
        query = select(table.c.move).where(table.c.ticket_id == ticket).order_by(table.c.look_id)
        return list(self._connection.scalars(query))
