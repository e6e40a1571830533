"""What is kept of an answer for the case that its request comes again: no secret, and nobody by name.

A token is shown once. A person's address rests in `subject_references` alone, and their object id where forgetting them
finds it: an answer that repeats either is kept without it.
"""

from typing import Any, Protocol, runtime_checkable

from msgspec.structs import replace

from provisioning.domain.migration import Migration, MigrationDefinition
from provisioning.domain.operation import Operation
from provisioning.domain.order import OrderLine
from provisioning.domain.tenancy import Binding
from provisioning.services.browse_tickets import TicketInShort
from provisioning.services.create_migration import CreatedMigration

_OF_PEOPLE = frozenset({"people", "selectors"})


@runtime_checkable
class Telling(Protocol):
    """An answer of our own that tells what may be kept of it."""

    def to_keep(self) -> Any: ...


def bare(answer: Any) -> Any:
    """The answer as it may rest in the database for a day; of several, each."""
    return [_bare(one) for one in answer] if isinstance(answer, list) else _bare(answer)


def _bare(answer: Any) -> Any:
    match answer:
        case Telling():
            return answer.to_keep()
        case OrderLine():
            return replace(answer, shop=replace(answer.shop, subjects=(), requester_reference=None))
        case Operation():
            return replace(answer, wish=replace(answer.wish, named=()))
        case Binding():
            return replace(answer, selectors={})
        case Migration():
            return replace(answer, definition=_nameless(answer.definition))
        case CreatedMigration():
            return replace(answer, migration=bare(answer.migration), unknown=())
        case TicketInShort():
            return replace(answer, requester=None, given=_about_nobody(answer.given))
        case _:
            return answer


def _about_nobody(given: dict[str, object]) -> dict[str, object]:
    """Selectors can hold the ids of people."""
    return {name: value for name, value in given.items() if name not in _OF_PEOPLE}


def _nameless(definition: MigrationDefinition) -> MigrationDefinition:
    waves = tuple(replace(wave, selector="") for wave in definition.waves)
    return replace(definition, identity=(), people="", waves=waves)
