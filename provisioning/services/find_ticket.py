"""What people type for a ticket, and whether it is theirs to see."""

from datetime import date

from provisioning.domain.actors import Identity
from provisioning.domain.errors import NotFoundError
from provisioning.domain.sight import EVERYTHING, Sight
from provisioning.domain.ticket import Ticket
from provisioning.ports import UnitOfWork
from provisioning.services.lookup import prefix_of, the_only
from provisioning.services.sight import is_ours, sight_of


def get_ticket(uow: UnitOfWork, named: str, identity: Identity, today: date) -> Ticket:
    """`named`: source/reference, or at least the first 4 characters of its id.

    Raises NotFoundError when there is none, or none that this identity may see: nobody learns of others' tickets.
    """
    sight = sight_of_tickets(uow, identity, today)
    source, _, reference = named.strip().partition("/")
    if not reference:
        found = uow.pages.ticket_ids(sight, prefix_of(named, "ticket"))
        return uow.tickets.get(the_only(found, named, "ticket"))
    ticket = uow.tickets.find_by_reference(source, reference)
    if ticket is None or not uow.pages.ticket_ids(sight, ticket.ticket_id):
        raise NotFoundError(f"There is no ticket {named}.")
    return ticket


def sight_of_tickets(uow: UnitOfWork, identity: Identity, today: date) -> Sight:
    """A board sees what is about it and its schools and what it brought in itself, a desk what it brought in."""
    return EVERYTHING if is_ours(identity) else sight_of(uow, identity, today)
