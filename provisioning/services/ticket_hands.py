"""Who had a hand in what a ticket rests on: none of them approves it, through whichever door."""

from datetime import datetime

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.ids import Actor
from provisioning.domain.ticket import Ticket
from provisioning.planning.authority import Finding
from provisioning.ports import UnitOfWork
from provisioning.services.ticket_authority import authors_of_authority, find_authority
from provisioning.services.ticket_work import TicketWork


def hands_in(
    uow: UnitOfWork, ticket: Ticket, finding: Finding, work: TicketWork, now: datetime
) -> list[tuple[str, str]]:
    """Each with what they did, as the end of a sentence that begins with "you"."""
    before = [(author, "had a hand in what this ticket rested on before") for author in ticket.grounded_by]
    return [*authors_of_authority(uow, ticket, finding), *work.authors(uow, ticket, now), *before]


def grounded(uow: UnitOfWork, ticket: Ticket, work: TicketWork, now: datetime) -> Ticket:
    """With their names written beside it, so that the database refuses them too.

    Whoever approved it before had no hand in it then; what they have done since does not undo that.
    """
    finding = find_authority(uow, ticket, dutch_day(now))
    hands = {Actor(author) for author, _ in hands_in(uow, ticket, finding, work, now)}
    return msgspec.structs.replace(ticket, grounded_by=tuple(sorted(hands - {ticket.approved_by})))
