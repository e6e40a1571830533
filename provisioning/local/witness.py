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
    """What an event of either kind says; `correlation` is the client-request-id of the call it speaks of.

    Where one call is about several people, each has a line, and `#` and a number may follow the id.
    """

    @property
    def kind(self) -> str: ...
    @property
    def correlation(self) -> str | None: ...


class Testimony(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the comparison; request ids in the order they were found.

    A write that took several people into a group, or out of it, counts once for each of them.
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
    claims = Counter(_call_of(event) for event in told if event.kind in _CLAIMS)
    denied = {_call_of(event) for event in told if event.kind == _DENIAL}
    changes = [entry for entry in writes if entry["changed"]]
    expected = {entry["clientRequestId"]: _lines_due(entry) for entry in writes}
    repeats = [entry for entry in writes if not entry["changed"]]
    excused = _believed_absent(writes, claims, denied)
    return Testimony(
        changes=sum(map(_lines_due, changes)),
        claims=claims.total(),
        repeats=len(repeats),
        believed_absent=len(excused),
        unclaimed=_unclaimed(changes, claims, excused),
        unwritten=tuple(request for request in claims if request not in expected),
        claimed_twice=tuple(request for request, lines in claims.items() if lines > expected.get(request, 1)),
        written_twice=_twice(Counter(entry["clientRequestId"] for entry in changes)),
    )


def _call_of(event: Told) -> str:
    return (event.correlation or "").partition("#")[0]


def _lines_due(entry: Write) -> int:
    """How many lines tell of one write: one per person who joined or left a group by it, else one."""
    return max(1, len(entry.get("added", ())) + len(entry.get("removed", ())))


def _unclaimed(changes: Iterable[Write], claims: Mapping[str, int], excused: Collection[str]) -> tuple[str, ...]:
    """Changes that no line tells of, or too few lines."""
    requests = {entry["clientRequestId"]: _lines_due(entry) for entry in changes}
    return tuple(
        request for request, lines in requests.items() if request not in excused and claims.get(request, 0) < lines
    )


def _believed_absent(writes: Iterable[Write], claims: Collection[str], denied: Collection[str]) -> set[str]:
    """Changes that the log denies, where a later write to the same person is claimed and found them there."""
    open_changes: dict[tuple[str, str], str] = {}
    excused: set[str] = set()
    for entry in writes:
        if entry["user"] is None:
            continue  # a group takes nobody twice, so nothing is repeated there
        person, request = (entry["tenant"], entry["user"]), entry["clientRequestId"]
        if entry["changed"] and request in denied:
            open_changes[person] = request
        elif not entry["changed"] and request in claims and person in open_changes:
            excused.add(open_changes.pop(person))
    return excused


def _twice(found: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(request for request, times in found.items() if times > 1)
