"""What Microsoft's quota allows a campaign at the least, and what its list has to add up to. Pure arithmetic."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

APP_RATE = 35_000 / 300  # writes a second over all tenants, by Microsoft's own numbers
TENANT_RATE = 3_000 / 150  # in one tenant
RIGHT = frozenset({"verified", "already_right"})


class Write(NamedTuple):
    """One call that Microsoft counts: when (seconds of the service's clock) and where."""

    at: float
    tenant: str


class Span(msgspec.Struct, frozen=True):
    """A stretch of time in which the campaign ran, in seconds of the service's clock."""

    begins: float
    ends: float

    @property
    def length(self) -> float:
        return self.ends - self.begins

    def holds(self, write: Write) -> bool:
        return self.begins <= write.at <= self.ends


def up_to_last(spans: Sequence[Span], writes: Iterable[Write]) -> list[Span]:
    """The same, and the last one ends with its last write: reading back costs no quota."""
    *before, last = spans
    ends = max((write.at for write in writes if last.holds(write)), default=last.begins)
    return [*before, Span(last.begins, ends)]


def bound_of(spans: Iterable[Span], writes: Sequence[Write]) -> float:
    """Seconds that the writes within the spans need at the least, span by span: what is saved while nothing runs is
    not counted on.
    """
    return sum(_least([write for write in writes if span.holds(write)]) for span in spans)


def _least(writes: Sequence[Write]) -> float:
    by_tenant = Counter(write.tenant for write in writes)
    return max(len(writes) / APP_RATE, max(by_tenant.values(), default=0) / TENANT_RATE)


def unaccounted(
    people: Iterable[str], listed: Mapping[str, str], held: Mapping[str, frozenset[str]], old: str, new: str
) -> set[str]:
    """Of the people of one tenant those whose line in our list (`listed`: state by person) is not what the witness saw
    (`held`: products by person), or who have no line: served is who has the new product and no longer the old one.
    """
    return {person for person in people if not _agrees(listed.get(person), held.get(person, frozenset()), old, new)}


def _agrees(state: str | None, held: frozenset[str], old: str, new: str) -> bool:
    if state is None:
        return False
    is_served = new in held and old not in held
    return is_served if state in RIGHT else old in held and new not in held
