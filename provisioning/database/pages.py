"""Long lists in pages. What somebody may not see is left out by the statement itself, not afterwards."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, Text, any_, exists, false, literal, or_, select, text, true, tuple_
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.audit_log import event_of
from provisioning.database.orders import line_of, lines_with_people
from provisioning.database.store import Store, columns_of
from provisioning.database.tables.audit import audit_events
from provisioning.database.tables.operations import operations
from provisioning.database.tables.orders import brought_in, order_lines
from provisioning.database.tables.organisations import organisations
from provisioning.database.tables.outbox import notices
from provisioning.database.tables.tickets import tickets
from provisioning.domain.ids import Actor, LineKey, OperationId, OrganisationId, TenantId, TicketId
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.order import OrderLine
from provisioning.domain.sight import Sight
from provisioning.domain.tenancy import Organisation
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.domain.worklist import Notice
from provisioning.ports import LinePlace, NoticePlace, Numbered, OperationPlace, TicketPlace

_KEY = LineKey.__struct_fields__
_UNDER = text("""
    WITH RECURSIVE under (organisation_id) AS (
        SELECT CAST(:board AS text)
        UNION
        SELECT child_id FROM organisation_relations JOIN under ON parent_id = organisation_id
        WHERE kind = 'hierarchical' AND valid_from <= :day AND (valid_until IS NULL OR valid_until >= :day))
    SELECT organisation_id FROM under""")


class SqlPages(Store):
    def organisations_under(self, board: OrganisationId, on: date) -> frozenset[OrganisationId]:
        return frozenset(self._connection.scalars(_UNDER, {"board": board, "day": on}))

    def order_lines(
        self,
        sight: Sight,
        *,
        states: Collection[LineState] = (),
        order_number: str | None = None,
        after: LinePlace | None = None,
        limit: int,
    ) -> list[OrderLine]:
        lines = order_lines.c
        place = (lines.received_at, lines.source, lines.order_number, lines.line_number)
        query = lines_with_people().where(_is_of(sight, lines.organisation_code, _columns_of_line()))
        if states:
            query = query.where(lines.state.in_(states))
        if order_number is not None:
            query = query.where(lines.order_number == order_number)
        return [line_of(row) for row in self._rows(_page(query, place, after, limit))]

    def operations(
        self,
        sight: Sight,
        *,
        states: Collection[OperationState] = (),
        tenant: TenantId | None = None,
        after: OperationPlace | None = None,
        limit: int,
    ) -> list[Operation]:
        table = operations.c
        query = columns_of(operations, Operation).where(_sees_operation(sight))
        if states:
            query = query.where(table.state.in_(states))
        if tenant is not None:
            query = query.where(table.tenant_id == tenant)
        return self._list(_page(query, (table.created_at, table.operation_id), after, limit), Operation)

    def operation_ids(self, sight: Sight, prefix: str, limit: int = 3) -> list[OperationId]:
        table = operations.c
        begins_so = table.operation_id.startswith(prefix, autoescape=True)
        query = select(table.operation_id).where(begins_so, _sees_operation(sight))
        return list(self._connection.scalars(query.order_by(table.operation_id).limit(limit)))

    def tickets(
        self,
        sight: Sight,
        *,
        states: Collection[TicketState] = (),
        reference: str | None = None,
        after: TicketPlace | None = None,
        limit: int,
    ) -> list[Ticket]:
        query = columns_of(tickets, Ticket).where(_sees_ticket(sight))
        if states:
            query = query.where(tickets.c.state.in_(states))
        if reference is not None:
            query = query.where(tickets.c.reference == reference)
        place = (tickets.c.created_at, tickets.c.ticket_id)
        return self._list(_page(query, place, after, limit, latest_first=True), Ticket)

    def ticket_ids(self, sight: Sight, prefix: str, limit: int = 3) -> list[TicketId]:
        begins_so = tickets.c.ticket_id.startswith(prefix, autoescape=True)
        query = select(tickets.c.ticket_id).where(begins_so, _sees_ticket(sight))
        return list(self._connection.scalars(query.order_by(tickets.c.ticket_id).limit(limit)))

    def organisations(
        self, kind: str | None = None, *, after: OrganisationId | None = None, limit: int
    ) -> list[Organisation]:
        query = columns_of(organisations, Organisation)
        if kind is not None:
            query = query.where(organisations.c.kind == kind)
        last = None if after is None else (after,)
        return self._list(_page(query, (organisations.c.organisation_id,), last, limit), Organisation)

    def notices(self, sight: Sight, *, after: NoticePlace | None = None, limit: int) -> list[Notice]:
        columns = (notices.c[name] for name in Notice.__struct_fields__ if name != "references")
        query = select(*columns, notices.c.references_made.label("references"))
        place = (notices.c.day, notices.c.organisation_id, notices.c.topic)
        query = query.where(_is_of(sight, notices.c.organisation_id))
        return self._list(_page(query, place, after, limit, latest_first=True), Notice)

    def events(
        self, sight: Sight, *, operation: OperationId | None = None, after: int | None = None, limit: int
    ) -> list[Numbered]:
        table = audit_events.c
        query = select(table.event_id, table.body).where(_is_of(sight, table.organisation_id))
        if operation is not None:
            query = query.where(table.operation_id == operation)
        last = None if after is None else (after,)
        rows = self._connection.execute(_page(query, (table.event_id,), last, limit, latest_first=True))
        return [Numbered(number, event_of(body)) for number, body in rows]

    def who_brought_in(self, lines: Collection[LineKey]) -> dict[LineKey, Actor]:
        if not lines:
            return {}
        keys = [tuple(getattr(line, name) for name in _KEY) for line in lines]
        query = select(brought_in).where(tuple_(*(brought_in.c[name] for name in _KEY)).in_(keys))
        return {LineKey(*key): Actor(client) for *key, client in self._connection.execute(query)}

    def note_brought_in(self, lines: Collection[LineKey], client: Actor) -> None:
        rows = [{name: getattr(line, name) for name in _KEY} | {"client": client} for line in lines]
        if rows:
            self._connection.execute(insert(brought_in).values(rows).on_conflict_do_nothing())


def _page(
    query: Select[Any],
    place: Sequence[ColumnElement[Any]],
    after: Iterable[Any] | None,
    limit: int,
    *,
    latest_first: bool = False,
) -> Select[Any]:
    if after is not None:
        last = tuple_(*(literal(value, column.type) for value, column in zip(after, place, strict=True)))
        query = query.where(tuple_(*place) < last if latest_first else tuple_(*place) > last)
    return query.order_by(*(column.desc() if latest_first else column for column in place)).limit(limit)


def _is_of(
    sight: Sight, organisation: ColumnElement[Any], line: Sequence[ColumnElement[Any]] = ()
) -> ColumnElement[bool]:
    """Whether the sight takes in a row of this organisation, about this order line if it is about one."""
    if sight.organisations is not None:
        return organisation == any_(literal(sorted(sight.organisations), ARRAY(Text)))
    if sight.brought_in_by is None:
        return true()
    if not line:
        return false()
    same = (brought_in.c[name] == column for name, column in zip(_KEY, line, strict=True))
    return exists().where(brought_in.c.client == sight.brought_in_by, *same)


def _sees_operation(sight: Sight) -> ColumnElement[bool]:
    wish = operations.c.wish
    holder = wish.op("->>")(literal("holder_id", Text))
    line = wish.op("->")(literal("line", Text))
    return _is_of(sight, holder, [line.op("->>")(literal(name, Text)) for name in _KEY])


def _sees_ticket(sight: Sight) -> ColumnElement[bool]:
    if sight.brought_in_by is not None:
        return tickets.c.requested_by == sight.brought_in_by
    return or_(_is_of(sight, tickets.c.organisation_id), _is_of(sight, tickets.c.board_id))


def _columns_of_line() -> list[ColumnElement[Any]]:
    return [order_lines.c[name] for name in _KEY]
