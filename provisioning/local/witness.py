"""The twin's ledger against the audit log: whatever was changed is on record once, whatever is on record was done.

Both are read, neither is trusted. Pure: the ledger's entries as the twin's control API tells them, events as the log
or an export of it holds them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

import msgspec

Write = Mapping[str, Any]  # one entry of the twin's ledger

_CLAIMS = frozenset({"attempt.accepted", "attempt.found_done"})
_DENIAL = "attempt.found_absent"


class Told(Protocol):
    """What an event of either kind says; `correlation` is the client-request-id of the call it speaks of."""

    @property
    def kind(self) -> str: ...
    @property
    def correlation(self) -> str | None: ...


class Testimony(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the comparison; request ids in the order they were found.

    `changes`: writes that changed something. `claims`: lines that say a write was done. `repeats`: writes that changed
    nothing, because the first was there already. `believed_absent`: changes that a look took for absent and repeated,
    so that the line stands under the repeat; none while replicas are faster than the time to settle.
    """

    changes: int
    claims: int
    repeats: int
    believed_absent: int = 0
    unclaimed: tuple[str, ...] = ()  # changed the twin, and no line says so
    unwritten: tuple[str, ...] = ()  # a line says so, and the twin never saw it
    claimed_twice: tuple[str, ...] = ()
    written_twice: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        return not (self.unclaimed or self.unwritten or self.claimed_twice or self.written_twice)


def compare(ledger: Iterable[Write], events: Iterable[Told], *, app: str) -> Testimony:
    """Hold what `app` wrote against what the log says; writes of others and of the control API are not ours."""
    writes = [entry for entry in ledger if entry["app"] == app]
    told = list(events)
    claims = Counter(event.correlation or "" for event in told if event.kind in _CLAIMS)
    denied = {event.correlation for event in told if event.kind == _DENIAL}
    changes = Counter(entry["clientRequestId"] for entry in writes if entry["changed"])
    repeats = [entry for entry in writes if not entry["changed"]]
    excused = _believed_absent(writes, claims, denied)
    return Testimony(
        changes=changes.total(),
        claims=claims.total(),
        repeats=len(repeats),
        believed_absent=len(excused),
        unclaimed=_beyond(changes, claims.keys() | excused),
        unwritten=_beyond(claims, {entry["clientRequestId"] for entry in writes}),
        claimed_twice=_twice(claims),
        written_twice=_twice(changes),
    )


def _believed_absent(writes: Iterable[Write], claims: Collection[str], denied: Collection[str | None]) -> set[str]:
    """Changes that the log denies, where a later write to the same person is claimed and found them there."""
    open_changes: dict[tuple[str, str], str] = {}
    excused: set[str] = set()
    for entry in writes:
        person, request = (entry["tenant"], entry["user"]), entry["clientRequestId"]
        if entry["changed"] and request in denied:
            open_changes[person] = request
        elif not entry["changed"] and request in claims and person in open_changes:
            excused.add(open_changes.pop(person))
    return excused


def _beyond(found: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    return tuple(request for request in found if request not in known)


def _twice(found: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(request for request, times in found.items() if times > 1)
