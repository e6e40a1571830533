"""What people type for a ticket, and whether it is theirs to see."""

from provisioning.domain.actors import Identity, Role
from provisioning.domain.errors import InputError
from provisioning.domain.ticket import Ticket
from provisioning.ports import UnitOfWork
from provisioning.services.lookup import prefix_of, the_only


def get_ticket(uow: UnitOfWork, named: str, identity: Identity) -> Ticket:
    """`named`: source/reference, or at least the first 4 characters of its id.

    Raises InputError when there is none, or none that this identity may see: a board must not learn of others'.
    """
    source, _, reference = named.strip().partition("/")
    found = uow.tickets.find_by_reference(source, reference) if reference else None
    if found is None and not reference:
        matches = map(uow.tickets.get, uow.tickets.starting_with(prefix_of(named, "ticket")))
        found = the_only([one for one in matches if may_see(identity, one)], named, "ticket")
    if found is None or not may_see(identity, found):
        raise InputError(f"There is no ticket {named}.")
    return found


def may_see(identity: Identity, ticket: Ticket) -> bool:
    """A board's token sees what is about its board, and what it brought in itself."""
    if Role.BOARD not in identity.roles:
        return True
    return identity.board_id is not None and identity.board_id in {ticket.organisation_id, ticket.board_id}
