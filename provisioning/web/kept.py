"""What is kept of an answer for the case that its request comes again: no secret, and nobody by name.

A token is shown once. A person's address rests in `subject_references` alone, so an answer that repeats one is kept
without it.
"""

from typing import Any, Protocol, runtime_checkable

from msgspec.structs import replace

from provisioning.domain.order import OrderLine
from provisioning.services.create_migration import CreatedMigration


@runtime_checkable
class Telling(Protocol):
    """An answer of our own that tells what may be kept of it."""

    def to_keep(self) -> Any: ...


def bare(answer: Any) -> Any:
    """The answer as it may rest in the database for a day."""
    match answer:
        case Telling():
            return answer.to_keep()
        case OrderLine():
            return replace(answer, shop=replace(answer.shop, subjects=(), requester_reference=None))
        case CreatedMigration():
            return replace(answer, unknown=())
        case _:
            return answer
