"""Every accepted write, with the state before and after: the witness against which others are checked."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.licensing import is_same
from provisioning.sandbox.model import User

_PLAIN = tuple(name for name in User.__struct_fields__ if name != "assignments")
_TOLD = ("userPrincipalName", "accountEnabled", "usageLocation", "licenseAssignmentStates")


class Author(msgspec.Struct, frozen=True):
    """Who wrote; an empty app is the control API."""

    app: str = ""
    request_id: str = ""
    client_request_id: str = ""
    route: str = "control"


class Entry(msgspec.Struct, frozen=True):
    sequence: int
    time: float
    tenant: str
    user: str
    author: Author
    before: User | None
    after: User | None

    @property
    def changed(self) -> bool:
        """Whether the write made a difference; a repeated add only renews lastUpdatedDateTime and does not."""
        if self.before is None or self.after is None:
            return self.before is not self.after
        return bool(self.changed_properties)

    @property
    def changed_properties(self) -> list[str]:
        """Names of the properties that differ; none for a person who came or went."""
        if self.before is None or self.after is None:
            return []
        differing = [name for name in _PLAIN if getattr(self.before, name) != getattr(self.after, name)]
        if not is_same(self.before.assignments, self.after.assignments):
            differing.append("licenseAssignmentStates")
        return differing

    def to_json(self) -> dict[str, Any]:
        return {
            "sequence": self.sequence,
            "time": self.time,
            "moment": to_moment(self.time),
            "tenant": self.tenant,
            "user": self.user,
            "app": self.author.app,
            "route": self.author.route,
            "requestId": self.author.request_id,
            "clientRequestId": self.author.client_request_id,
            "changed": self.changed,
            "before": to_json(self.before, self.changed_properties),
            "after": to_json(self.after, self.changed_properties),
        }


def to_json(user: User | None, more: Sequence[str] = ()) -> dict[str, Any] | None:
    """A state as the ledger tells it: what licences depend on, and the properties named besides."""
    return None if user is None else {name: getattr(user, name) for name in (*_TOLD, *more)}


class Ledger:
    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_user: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._entries)

    def record(self, time: float, tenant: str, author: Author, before: User | None, after: User | None) -> None:
        user = (after or before).id  # type: ignore[union-attr]  # a write has at least one side
        entry = Entry(len(self._entries) + 1, time, tenant, user, author, before, after)
        self._entries.append(entry)
        self._by_user[tenant, user].append(entry)

    def since(self, sequence: int, limit: int) -> list[Entry]:
        """At most `limit` entries after `sequence`, oldest first."""
        return self._entries[sequence : sequence + limit]

    def of(self, tenant: str, user: str) -> Sequence[Entry]:
        """What was written to one person, oldest first."""
        return self._by_user.get((tenant, user), ())

    def in_tenant(self, tenant: str) -> list[Entry]:
        """What was written in one tenant, oldest first."""
        return [entry for entry in self._entries if entry.tenant == tenant]

    def state_at(self, tenant: str, user: str, time: float, current: User | None) -> User | None:
        """What a person was at `time`; `current` answers for people nobody ever wrote to."""
        state = current
        for entry in reversed(self._by_user.get((tenant, user), ())):
            if entry.time <= time:
                return entry.after
            state = entry.before
        return state

    def writes_per_user(self, tenant: str) -> dict[str, dict[str, int]]:
        return {
            user: {"writes": len(entries), "changed": sum(entry.changed for entry in entries)}
            for (owner, user), entries in self._by_user.items()
            if owner == tenant
        }
