"""What a person decides is not lost because a worker looked at the same thing in that moment."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from provisioning.domain.errors import ConflictError
from provisioning.ports import OpenUnitOfWork, UnitOfWork

_TRIES = 5  # a look by a worker may come in between, never five times in a row

Decided = TypeVar("Decided")


def decide(open_uow: OpenUnitOfWork, decision: Callable[[UnitOfWork], Decided]) -> Decided:
    """Carry a decision out in one transaction; taken anew when a worker moved what it is about in between.

    What cannot be done in the state that this is in raises InputError, which nothing is tried again for. A
    ConflictError that is still there after fresh looks is raised.
    """
    for _ in range(_TRIES - 1):
        with suppress(ConflictError):
            return _once(open_uow, decision)
    return _once(open_uow, decision)


def _once(open_uow: OpenUnitOfWork, decision: Callable[[UnitOfWork], Decided]) -> Decided:
    with open_uow() as uow:
        decided = decision(uow)
        uow.commit()
    return decided
