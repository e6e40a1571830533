"""Writes that were one too many: accepted, and without effect, or sent twice under one id."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.ledger import Entry

Why = Literal["changed_nothing", "same_client_request_id"]


class Repeat(msgspec.Struct, frozen=True, rename="camel"):
    sequence: int
    moment: str
    tenant: str
    user: str
    app: str
    route: str
    client_request_id: str
    why: Why


def find_repeats(entries: Iterable[Entry]) -> Iterator[Repeat]:
    """Writes of apps, oldest first; what the control API does is nobody's repetition."""
    known: set[tuple[str, ...]] = set()
    for entry in entries:
        if not entry.author.app:
            continue
        attempt = (entry.author.app, entry.author.client_request_id, entry.author.route, entry.tenant, entry.user)
        if attempt in known:
            yield _repeat(entry, "same_client_request_id")
        elif not entry.changed:
            yield _repeat(entry, "changed_nothing")
        known.add(attempt)


def _repeat(entry: Entry, why: Why) -> Repeat:
    author = entry.author
    moment = to_moment(entry.time)
    return Repeat(
        entry.sequence, moment, entry.tenant, entry.user, author.app, author.route, author.client_request_id, why
    )
