"""One question about Microsoft, as a value that can be shown before it is asked.

A `<word>` in an address or a body stands for something of the tenant at hand; a probe whose word the tenant cannot
fill is not tried.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

LICENCES = "LicenseAssignment.ReadWrite.All"
REFUSAL = ("status", "code", "message")

_ALL_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `items`: those of a batch. `is_open`: without a token, and at the sign-in host if `at_entra`.

    `until`: read again until the person shows so many entries of `<sku>`.
    """

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = {}
    items: tuple["Ask", ...] = ()
    is_open: bool = False
    at_entra: bool = False
    until: int | None = None

    @property
    def writes(self) -> int:
        """What it may cost of Microsoft's quota of writes."""
        if self.items:
            return sum(item.writes for item in self.items)
        return int(self.method in _ALL_WRITES)

    @property
    def words(self) -> frozenset[str]:
        texts = [self.path, *_texts(self.body)]
        own = {part.partition(">")[0] for text in texts for part in text.split("<")[1:]}
        return frozenset(own).union(*(item.words for item in self.items))


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """`first`: what has to be so before; `shows`: which facts of the answer to `ask` are compared.

    `leaves`: what it did stays, because the probe behind it goes on from there.
    """

    name: str
    row: str
    question: str
    ask: Ask
    first: tuple[Ask, ...] = ()
    shows: tuple[str, ...] = REFUSAL
    needs: frozenset[str] = frozenset({LICENCES})  # permissions
    lacks: str | None = None  # a permission that must not be there
    leaves: bool = False

    @property
    def writes(self) -> int:
        return sum(ask.writes for ask in (*self.first, self.ask))

    @property
    def words(self) -> frozenset[str]:
        return self.ask.words.union(*(ask.words for ask in self.first))


class OutOfReach(msgspec.Struct, frozen=True, kw_only=True):
    """A question that no probe may ask, and why."""

    name: str
    row: str
    question: str
    reason: str


def _texts(body: Any) -> Iterator[str]:
    match body:
        case str():
            yield body
        case dict():
            for value in body.values():
                yield from _texts(value)
        case list() | tuple():
            for value in body:
                yield from _texts(value)
