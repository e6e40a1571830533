"""What the twin's ledger says of a scene: the truth behind all replicas. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

Write = Mapping[str, Any]  # one entry of the twin's ledger


class Kept(msgspec.Struct, frozen=True):
    """People with a service plan switched off before the first write to them, and after the last."""

    before: frozenset[str]
    after: frozenset[str]


def kept_off(writes: Iterable[Write], plan: str) -> Kept:
    """For whom of those written to the plan was off, and for whom it is."""
    first, last = dict[str, Write](), dict[str, Write]()
    for write in _to_people(writes):
        first.setdefault(write["user"], write)
        last[write["user"]] = write
    return Kept(
        frozenset(user for user, write in first.items() if _is_off(write["before"], plan)),
        frozenset(user for user, write in last.items() if _is_off(write["after"], plan)),
    )


def gained_and_lost(writes: Iterable[Write], sku: str) -> tuple[int, int]:
    """How many writes gave a product to somebody without it, and how many took it."""
    sides = [(_holds(write["before"], sku), _holds(write["after"], sku)) for write in _to_people(writes)]
    return sides.count((False, True)), sides.count((True, False))


def without_licence(writes: Iterable[Write]) -> int:
    """How many writes left somebody without any licence who had one."""
    return sum(bool(_assignments(write["before"])) and not _assignments(write["after"]) for write in _to_people(writes))


def _to_people(writes: Iterable[Write]) -> Iterator[Write]:
    """Without the writes to groups."""
    return (write for write in writes if write["user"] is not None)


def _assignments(state: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return state["licenseAssignmentStates"] if state else []


def _holds(state: Mapping[str, Any] | None, sku: str) -> bool:
    return any(one["skuId"] == sku for one in _assignments(state))


def _is_off(state: Mapping[str, Any] | None, plan: str) -> bool:
    return any(plan in one["disabledPlans"] for one in _assignments(state))
