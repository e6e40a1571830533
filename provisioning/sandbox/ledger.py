"""Every accepted write, with the state before and after: the witness against which others are checked."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from provisioning.sandbox.catalogue import Sku
from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.licensing import enabled_plans, is_same
from provisioning.sandbox.model import Group, User


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
    def changed(self) -> bool:
        """Whether the write made a difference; a repeated add only renews lastUpdatedDateTime and does not."""
        if self.before is None or self.after is None:
            return self.before is not self.after
        rest = msgspec.structs.replace(self.after, assignments=self.before.assignments)
        return rest != self.before or not is_same(self.before.assignments, self.after.assignments)

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
            "before": to_json(self.before),
            "after": to_json(self.after),
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


class Gap(msgspec.Struct, frozen=True):
    """A span in which a person had none of the service plans of a family; `until` None: still so."""

    user: str
    family: tuple[str, ...]
    since: float
    until: float | None


def group_to_json(group: Group | None) -> dict[str, Any] | None:
    """A group as the ledger tells it."""
    if group is None:
        return None
    names = ("displayName", "mailNickname", "groupTypes", "membershipRule", "assignedLicenses")
    return {name: getattr(group, name) for name in names}


def to_json(user: User | None) -> dict[str, Any] | None:
    """A state as the ledger tells it."""
    if user is None:
        return None
    return {
        "userPrincipalName": user.userPrincipalName,
        "accountEnabled": user.accountEnabled,
        "usageLocation": user.usageLocation,
        "licenseAssignmentStates": user.assignments,
    }


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

    def gaps(
        self, tenant: str, user: str, family: tuple[str, ...], skus: Mapping[str, Sku], span: tuple[float, float],
        current: User | None,
    ) -> Iterator[Gap]:  # fmt: skip
        """The spans between the moments of `span` in which no plan of `family` worked for the person."""
        since, until = span
        lacking: float | None = None
        for moment, state in self._timeline(tenant, user, since, until, current):
            has = state is not None and not enabled_plans(state.assignments, skus).isdisjoint(family)
            if has and lacking is not None:
                yield Gap(user, family, lacking, moment)
            lacking = None if has else (moment if lacking is None else lacking)
        if lacking is not None:
            yield Gap(user, family, lacking, None)

    def _timeline(
        self, tenant: str, user: str, since: float, until: float, current: User | None
    ) -> Iterator[tuple[float, User | None]]:
        yield since, self.state_at(tenant, user, since, current)
        for entry in self._by_user.get((tenant, user), ()):
            if since < entry.time <= until:
                yield entry.time, entry.after
