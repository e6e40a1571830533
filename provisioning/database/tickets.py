"""Tickets of boards. As with operations, `due_at` is the only queue of record."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Text, case, cast, delete, literal_column, select, text, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from provisioning.database.store import Store, columns_of, row_of
from provisioning.database.tables.operations import operations
from provisioning.database.tables.tickets import texts
from provisioning.database.tables.tickets import tickets as table
from provisioning.database.transitions import sources_or_itself
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import TicketId
from provisioning.domain.operation import Operation
from provisioning.domain.ticket import TICKET_ENDS, TICKET_TRANSITIONS, Ticket, TicketState, advance_ticket

_SOURCES = sources_or_itself(TICKET_TRANSITIONS)
_ALL = columns_of(table, Ticket)
_FIXED = frozenset(
    {"ticket_id", "source", "reference", "kind", "organisation_id", "requested_by", "board_id", "created_at", "version"}
)


# What follows an operation of a moved agreement has an id of its own, and tenant, holder and product of that one.
_MOVED = text("""
    SELECT DISTINCT ticket_id FROM agreement_moves
    CROSS JOIN LATERAL jsonb_array_elements_text(
        coalesce(move -> 'serving', '[]') || coalesce(move -> 'releasing', '[]')) AS named (operation_id)
    JOIN operations USING (operation_id)
    WHERE operations.kind = :kind AND operations.tenant_id = :tenant
      AND operations.wish ->> 'holder_id' = :holder AND operations.wish ->> 'sku_id' = :sku""")

# A school that moves becomes a migration, which says by whom it was asked for.
_MIGRATED = text("""
    SELECT ticket_id FROM tickets
    JOIN migrations ON migrations.definition ->> 'asked_by' = 'ticket ' || source || '/' || reference
    WHERE tickets.kind = 'move_school' AND migrations.migration_id = :migration""")


class SqlTickets(Store):
    def add(self, ticket: Ticket) -> bool:
        # Who comes second with the same reference waits here until the first has committed.
        added = insert(table).values(row_of(ticket)).on_conflict_do_nothing(constraint="one_ticket_for_a_reference")
        return bool(self._changed(added))

    def find(self, ticket: TicketId) -> Ticket | None:
        return self._find(_ALL.where(table.c.ticket_id == ticket), Ticket)

    def get(self, ticket: TicketId) -> Ticket:
        found = self.find(ticket)
        if found is None:
            raise InputError(f"There is no ticket {ticket}.")
        return found

    def find_by_reference(self, source: str, reference: str) -> Ticket | None:
        return self._find(_ALL.where(table.c.source == source, table.c.reference == reference), Ticket)

    def list_by(self, states: Collection[TicketState] = (), limit: int = 1000) -> list[Ticket]:
        query = _ALL.where(table.c.state.in_(states)) if states else _ALL
        return self._list(query.order_by(table.c.created_at.desc(), table.c.ticket_id).limit(limit), Ticket)

    def save(self, ticket: Ticket) -> Ticket:
        is_ours = (table.c.ticket_id == ticket.ticket_id) & (table.c.version == ticket.version)
        may_go = table.c.state.in_(_SOURCES[ticket.state])
        news = {name: value for name, value in row_of(ticket).items() if name not in _FIXED}
        news["version"] = ticket.version + 1
        if not self._changed(update(table).where(is_ours, may_go).values(news)):
            raise self._refused(ticket)
        return msgspec.structs.replace(ticket, version=ticket.version + 1)

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[TicketId]:
        return self._claimed(table.c.ticket_id, now, again_at, limit)

    def postpone(self, ticket: TicketId, until: datetime) -> None:
        self._postpone(table.c.ticket_id, ticket, until)

    def operations_of(self, ticket: TicketId) -> list[Operation]:
        query = columns_of(operations, Operation).where(_is_for(ticket))
        return self._list(query.order_by(operations.c.created_at, operations.c.operation_id), Operation)

    def behind(self, operation: Operation) -> list[Ticket]:
        wish = operation.wish
        if wish.remap is not None:
            ticket = self.find(wish.remap.ticket_id) if wish.remap.ticket_id else None
            return [ticket] if ticket else []
        if wish.line is not None:
            return []
        part = wish.part or wish.follows
        if part is not None:
            return self._named(list(self._connection.scalars(_MIGRATED, {"migration": part.migration_id})))
        bound = {"kind": operation.kind, "tenant": operation.tenant_id, "holder": wish.holder_id, "sku": wish.sku_id}
        return self._named(list(self._connection.scalars(_MOVED, bound)))

    def _named(self, found: Collection[str]) -> list[Ticket]:
        return self._list(_ALL.where(table.c.ticket_id.in_(found)).order_by(table.c.ticket_id), Ticket)

    def keep_text(self, ticket: TicketId, text: str, at: datetime) -> None:
        if text not in self.texts(ticket):
            self._connection.execute(insert(texts).values(ticket_id=ticket, body=text, kept_at=at))

    def texts(self, ticket: TicketId) -> list[str]:
        query = select(texts.c.body).where(texts.c.ticket_id == ticket).order_by(texts.c.text_id)
        return list(self._connection.scalars(query))

    def purge_texts(self, before: datetime) -> int:
        return self._changed(delete(texts).where(texts.c.kept_at < before))

    def purge_people(self, before: datetime) -> int:
        asked = type_coerce(table.c.given, JSONB)
        is_old = table.c.state.in_(TICKET_ENDS) & (table.c.entered_at < before)
        names_somebody = (
            table.c.requester.is_not(None)
            | asked.has_key("selectors")
            | (asked["people"].astext != "")  # it stays as a field: without it the wish could not be read
        )
        given = case(
            (asked.has_key("people"), asked.op("||")(cast({"people": ""}, JSONB))),
            else_=asked,
        )
        blanked = {"requester": None, "given": given.op("-")("selectors"), "version": table.c.version + 1}
        return self._changed(update(table).where(is_old, names_somebody).values(blanked))

    def _refused(self, ticket: Ticket) -> ConflictError:
        present = self.get(ticket.ticket_id)
        if present.version == ticket.version:
            advance_ticket(present.state, ticket.state)
        return ConflictError(f"Ticket {ticket.ticket_id} changed since it was read. Read it again.")


def _is_for(ticket: TicketId) -> ColumnElement[bool]:
    """To the letter as in the index that finds it."""
    works_for: ColumnElement[str] = literal_column("operations.wish -> 'remap' ->> 'ticket_id'", Text)
    return works_for == ticket
