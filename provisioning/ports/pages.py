"""Long lists, page by page, as far as the asker may see them: what they may not is not even read."""

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple, Protocol

from provisioning.domain.events import Event
from provisioning.domain.ids import Actor, LineKey, OperationId, OrganisationId, TenantId, TicketId
from provisioning.domain.lifecycle import LineState, OperationState
from provisioning.domain.operation import Operation
from provisioning.domain.order import OrderLine
from provisioning.domain.sight import Sight
from provisioning.domain.tenancy import Organisation
from provisioning.domain.ticket import Ticket, TicketState
from provisioning.domain.worklist import Notice


class LinePlace(NamedTuple):
    received_at: datetime
    source: str
    order_number: str
    line_number: str


class OperationPlace(NamedTuple):
    created_at: datetime
    operation_id: OperationId


class NoticePlace(NamedTuple):
    day: date
    organisation_id: OrganisationId
    topic: str


class TicketPlace(NamedTuple):
    created_at: datetime
    ticket_id: TicketId


class Numbered(NamedTuple):
    """An audit line with its number in the log."""

    number: int
    event: Event


class Pages(Protocol):
    """Each list has an order of its own that no later row changes; `after` is the place of the row before the page."""

    def organisations_under(self, board: OrganisationId, on: date) -> frozenset[OrganisationId]:
        """The board itself and whoever stands under it on the day, at any depth."""

    def order_lines(
        self,
        sight: Sight,
        *,
        states: Collection[LineState] = (),
        order_number: str | None = None,
        after: LinePlace | None = None,
        limit: int,
    ) -> list[OrderLine]:
        """Oldest first."""

    def operations(
        self,
        sight: Sight,
        *,
        states: Collection[OperationState] = (),
        tenant: TenantId | None = None,
        after: OperationPlace | None = None,
        limit: int,
    ) -> list[Operation]:
        """Oldest first."""

    def operation_ids(self, sight: Sight, prefix: str, limit: int = 3) -> list[OperationId]:
        """Operations whose id begins so."""

    def tickets(
        self,
        sight: Sight,
        *,
        states: Collection[TicketState] = (),
        reference: str | None = None,
        after: TicketPlace | None = None,
        limit: int,
    ) -> list[Ticket]:
        """The latest first: about these organisations or brought in for them, or brought in by this client."""

    def ticket_ids(self, sight: Sight, prefix: str, limit: int = 3) -> list[TicketId]:
        """Tickets whose id begins so."""

    def organisations(
        self, kind: str | None = None, *, after: OrganisationId | None = None, limit: int
    ) -> list[Organisation]:
        """By code."""

    def notices(self, sight: Sight, *, after: NoticePlace | None = None, limit: int) -> list[Notice]:
        """The latest day first."""

    def events(
        self, sight: Sight, *, operation: OperationId | None = None, after: int | None = None, limit: int
    ) -> list[Numbered]:
        """The latest first."""

    def who_brought_in(self, lines: Collection[LineKey]) -> dict[LineKey, Actor]:
        """The client that each line came from; lines that came otherwise are not in it."""

    def note_brought_in(self, lines: Collection[LineKey], client: Actor) -> None:
        """Whoever was first stays."""
