"""What there is, as whoever asks may read it, through whichever door: a client reads its own, in short."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from provisioning.domain.actors import Identity
from provisioning.domain.events import Event
from provisioning.domain.ids import OrganisationId
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.order import OrderLine
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.domain.worklist import Notice
from provisioning.services.browse import Browse, OperationSummary
from provisioning.services.browse_tickets import BrowseTickets, TicketInShort, TicketView, in_short
from provisioning.services.list_events import ListEvents
from provisioning.services.list_notices import ListNotices
from provisioning.services.paging import Wanted
from provisioning.services.show_operations import OperationRow, OperationSheet, ShowOperations
from provisioning.services.show_orders import LineSheet, ShowOrders
from provisioning.services.show_tickets import ShowTickets, TicketSheet
from provisioning.services.sight import is_ours


@dataclass(frozen=True, kw_only=True)
class ShowTo:
    """Of one thing, raises NotFoundError when there is none, or none that is the client's to see."""

    browse: Browse
    browse_tickets: BrowseTickets
    list_events: ListEvents
    list_notices: ListNotices
    show_operations: ShowOperations
    show_orders: ShowOrders
    show_tickets: ShowTickets

    def order(self, identity: Identity, order_number: str) -> list[LineSheet] | list[OrderLine]:
        if is_ours(identity):
            return self.show_orders.one(order_number)
        return self.browse.order(identity, order_number)

    def orders(self, identity: Identity, states: Collection[LineState] = (), limit: int = 100) -> list[OrderLine]:
        if is_ours(identity):
            return self.show_orders(states, limit)
        return self.browse.orders(identity, Wanted(limit=limit), states).items

    def operation(self, identity: Identity, named: str) -> OperationSheet | OperationSummary:
        if is_ours(identity):
            return self.show_operations.one(named)
        return self.browse.operation(identity, named)

    def operations(
        self,
        identity: Identity,
        states: Collection[OperationState] = (),
        tenant: str | None = None,
        limit: int = 100,
    ) -> Sequence[OperationRow | OperationSummary]:
        """`tenant` chooses for people of ours alone: others would learn which tenants there are."""
        if is_ours(identity):
            return self.show_operations(states, tenant, limit)
        return self.browse.operations(identity, Wanted(limit=limit), states).items

    def ticket(self, identity: Identity, named: str) -> TicketSheet | TicketView:
        if is_ours(identity):
            return self.show_tickets.one(identity, named)
        return self.browse_tickets.one(identity, named)

    def tickets(
        self, identity: Identity, states: Collection[TicketState] = (), limit: int = 100
    ) -> Sequence[Ticket | TicketInShort]:
        if is_ours(identity):
            return self.show_tickets(identity, states, limit)
        return self.browse_tickets(identity, Wanted(limit=limit), states).items

    def changed_ticket(self, identity: Identity, ticket: Ticket) -> Ticket | TicketInShort:
        """One that they brought in, completed or took back: to a client nobody of us is named."""
        return ticket if is_ours(identity) else in_short(ticket)

    def notices(self, identity: Identity, organisation: str | None = None, limit: int = 200) -> list[Notice]:
        if is_ours(identity):
            return self.list_notices(OrganisationId(organisation) if organisation else None, limit)
        return self.browse.notices(identity, Wanted(limit=limit), organisation).items

    def events(
        self, identity: Identity, operation: str | None = None, organisation: str | None = None, limit: int = 100
    ) -> list[Event]:
        """The latest, in order of time."""
        if is_ours(identity):
            return self.list_events(operation, OrganisationId(organisation) if organisation else None, limit)
        return self.browse.events(identity, Wanted(limit=limit), operation, organisation).items[::-1]
