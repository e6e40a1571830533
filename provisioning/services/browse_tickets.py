"""Tickets for whoever asks over the API: in pages, and without what only people of ours may know."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec

from provisioning.domain.actors import Identity
from provisioning.domain.calendar import dutch_day
from provisioning.domain.ids import OrganisationId, TicketId
from provisioning.domain.reasons import Reason
from provisioning.domain.sight import Sight
from provisioning.domain.ticket import Answer, Ticket, TicketKind, TicketState
from provisioning.planning.ticket_turn import Standing
from provisioning.ports import Clock, OpenUnitOfWork, TicketPlace, UnitOfWork
from provisioning.services.assess_ticket import operations_for
from provisioning.services.browse import OperationSummary, summary_of
from provisioning.services.find_ticket import get_ticket, sight_of_tickets
from provisioning.services.paging import Page, Wanted, page_of
from provisioning.services.ticket_authority import may_know
from provisioning.services.ticket_work import Works


class TicketInShort(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as its board and its desk may read it: none of us is named in it, and no free text is."""

    ticket_id: TicketId
    source: str
    reference: str
    kind: TicketKind
    organisation_id: OrganisationId
    requester: str | None
    given: dict[str, object]
    missing: tuple[str, ...]
    state: TicketState
    reason: Reason | None
    digest: str | None
    approved_at: datetime | None
    closing_words: str | None
    created_at: datetime
    entered_at: datetime

    @property
    def key(self) -> str:
        """`desk/2027-0142`."""
        return f"{self.source}/{self.reference}"


class TicketView(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket with its answers, in order, and the operations that work for it, in short."""

    ticket: TicketInShort
    answers: tuple[Answer, ...]
    operations: tuple[OperationSummary, ...]
    standing: Standing | None = None


@dataclass(frozen=True, kw_only=True)
class BrowseTickets:
    open_uow: OpenUnitOfWork
    clock: Clock
    works: Works

    def __call__(
        self,
        identity: Identity,
        wanted: Wanted,
        states: Collection[TicketState] = (),
        reference: str | None = None,
    ) -> Page[TicketInShort]:
        """The latest first."""
        after, limit = wanted.after(TicketPlace), wanted.limit + 1
        with self.open_uow() as uow:
            sight = self._sight(uow, identity)
            found = uow.pages.tickets(sight, states=states, reference=reference, after=after, limit=limit)
        page = page_of(found, wanted.limit, lambda one: TicketPlace(one.created_at, one.ticket_id))
        return Page(items=list(map(in_short, page.items)), next=page.next)

    def one(self, identity: Identity, named: str) -> TicketView:
        """Raises NotFoundError when there is none that the identity may see."""
        now = self.clock.now()
        with self.open_uow() as uow:
            ticket = get_ticket(uow, named, identity, dutch_day(now))
            is_drawn = not ticket.missing and not ticket.has_ended and may_know(uow, identity, ticket, dutch_day(now))
            sight = self._sight(uow, identity)
            return TicketView(
                ticket=in_short(ticket),
                answers=tuple(one for one in uow.outbox.answers(ticket.ticket_id) if _is_for(sight, one)),
                operations=tuple(map(summary_of, operations_for(uow, identity, ticket, dutch_day(now)))),
                standing=self.works[ticket.kind].standing(uow, ticket, now) if is_drawn else None,
            )

    def _sight(self, uow: UnitOfWork, identity: Identity) -> Sight:
        return sight_of_tickets(uow, identity, dutch_day(self.clock.now()))


def in_short(ticket: Ticket) -> TicketInShort:
    return TicketInShort(**{name: getattr(ticket, name) for name in TicketInShort.__struct_fields__})


def _is_for(sight: Sight, answer: Answer) -> bool:
    """What another signatory was asked is not this board's to read; a desk passes all of them on."""
    return sight.organisations is None or answer.organisation_id in sight.organisations
