"""Who sees what: people of ours everything, a board what is its own, another client what it brought in."""

from datetime import date

from provisioning.domain.actors import ANONYMOUS, Identity, Role
from provisioning.domain.errors import NotFoundError
from provisioning.domain.sight import EVERYTHING, NOTHING, Sight
from provisioning.ports import UnitOfWork


def is_ours(identity: Identity) -> bool:
    """People of ours, and whoever types here without a token: they may look at everything.

    The API lets nobody in without one.
    """
    return identity.is_person or identity == ANONYMOUS


def require_ours(identity: Identity) -> None:
    """For clients what is not theirs to read is a place that does not exist: raises NotFoundError."""
    if not is_ours(identity):
        raise NotFoundError("There is nothing here.")


def sight_of(uow: UnitOfWork, identity: Identity, today: date) -> Sight:
    """A client that acts for a board sees that board's alone, whatever other roles it has."""
    if identity.is_person:
        return EVERYTHING
    if identity.board_id is not None:
        return Sight(organisations=uow.pages.organisations_under(identity.board_id, today))
    is_lost = not identity.roles or Role.BOARD in identity.roles  # for a board, and nobody knows which
    return NOTHING if is_lost else Sight(brought_in_by=identity.actor)
