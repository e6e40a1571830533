"""Every accepted write, with the state before and after: the witness against which others are checked."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.licensing import is_same
from provisioning.sandbox.model import Group, User

_PLAIN = tuple(name for name in User.__struct_fields__ if name != "assignments")
_TOLD = ("userPrincipalName", "accountEnabled", "usageLocation", "licenseAssignmentStates")


class Author(msgspec.Struct, frozen=True):
    """Who wrote. Without an app it was the control API, or the tenant itself, for the sake of a group."""

    app: str = ""
    request_id: str = ""
    client_request_id: str = ""
    route: str = "control"
    group: str | None = None


class Entry(msgspec.Struct, frozen=True):
    sequence: int
    time: float
    tenant: str
    user: str
    author: Author
    before: User | None
    after: User | None

    @property
    def group(self) -> None:
        """A person is no group; the group that brought a licence is the author's."""

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
            **({"byGroup": self.author.group} if self.author.group else {}),
        }


class GroupEntry(msgspec.Struct, frozen=True):
    """A write to a group: what it was and became, and who joined and left by it."""

    sequence: int
    time: float
    tenant: str
    group: str
    author: Author
    before: Group | None
    after: Group | None
    added: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def user(self) -> None:
        """A group is nobody."""

    @property
    def changed(self) -> bool:
        return self.before != self.after or bool(self.added or self.removed)

    def to_json(self) -> dict[str, Any]:
        return {
            "sequence": self.sequence,
            "time": self.time,
            "moment": to_moment(self.time),
            "tenant": self.tenant,
            "user": None,
            "group": self.group,
            "app": self.author.app,
            "route": self.author.route,
            "requestId": self.author.request_id,
            "clientRequestId": self.author.client_request_id,
            "changed": self.changed,
            "added": self.added,
            "removed": self.removed,
            "before": group_to_json(self.before),
            "after": group_to_json(self.after),
        }


def to_json(user: User | None, more: Sequence[str] = ()) -> dict[str, Any] | None:
    """A state as the ledger tells it: what licences depend on, and the properties named besides."""
    return None if user is None else {name: getattr(user, name) for name in (*_TOLD, *more)}


def group_to_json(group: Group | None) -> dict[str, Any] | None:
    """A group as the ledger tells it."""
    if group is None:
        return None
    names = ("displayName", "mailNickname", "groupTypes", "membershipRule", "assignedLicenses")
    return {name: getattr(group, name) for name in names}


class Ledger:
    def __init__(self) -> None:
        self._entries: list[Entry | GroupEntry] = []
        self._by_user: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._entries)

    def record(self, time: float, tenant: str, author: Author, before: User | None, after: User | None) -> None:
        user = (after or before).id  # type: ignore[union-attr]  # a write has at least one side
        entry = Entry(len(self._entries) + 1, time, tenant, user, author, before, after)
        self._entries.append(entry)
        self._by_user[tenant, user].append(entry)

    def record_group(
        self, time: float, tenant: str, author: Author, before: Group | None, after: Group | None,
        added: Sequence[str], removed: Sequence[str],
    ) -> None:  # fmt: skip
        group = (after or before).id  # type: ignore[union-attr]  # a write has at least one side
        number, moves = len(self._entries) + 1, (tuple(added), tuple(removed))
        self._entries.append(GroupEntry(number, time, tenant, group, author, before, after, *moves))

    def since(self, sequence: int, limit: int) -> list[Entry | GroupEntry]:
        """At most `limit` entries after `sequence`, oldest first."""
        return self._entries[sequence : sequence + limit]

    def of(self, tenant: str, user: str) -> Sequence[Entry]:
        """What was written to one person, oldest first."""
        return self._by_user.get((tenant, user), ())

    def in_tenant(self, tenant: str) -> list[Entry | GroupEntry]:
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
        """Per person the accepted writes; what a group brought them is none."""
        written = {
            user: [entry for entry in entries if not entry.author.group]
            for (owner, user), entries in self._by_user.items()
            if owner == tenant
        }
        return {
            user: {"writes": len(entries), "changed": sum(entry.changed for entry in entries)}
            for user, entries in written.items()
            if entries
        }
