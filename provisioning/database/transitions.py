"""The domain's tables of transitions as stores need them: not where a state leads, but from where it is entered."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

_S = TypeVar("_S", bound=StrEnum)


def sources_of(table: Mapping[_S, frozenset[_S]]) -> dict[_S, list[_S]]:
    """From where each state may be entered."""
    return {state: [source for source, following in table.items() if state in following] for state in table}


def sources_or_itself(table: Mapping[_S, frozenset[_S]]) -> dict[_S, list[_S]]:
    """The same for what may be written again where it stands."""
    return {state: sorted({*sources, state}) for state, sources in sources_of(table).items()}
