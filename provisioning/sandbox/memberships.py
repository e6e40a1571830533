"""The groups of one tenant and who is in them.

Groups keep the order of their creation and members that of their joining, and who goes leaves their place behind, so
that pages keep their positions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from provisioning.sandbox.model import Group


class Members:
    """`order` holds every id that ever joined; where somebody joined anew, their old place is empty."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self._present: dict[str, None] = {}
        self._former: set[str] = set()

    def __contains__(self, member_id: str) -> bool:
        return member_id in self._present

    def __iter__(self) -> Iterator[str]:
        return iter(self._present)

    def __len__(self) -> int:
        return len(self._present)

    @property
    def is_whole(self) -> bool:
        """Whether everybody in `order` is a member."""
        return len(self.order) == len(self._present)

    def add(self, member_id: str) -> None:
        if member_id in self._former:
            self._former.remove(member_id)
            self.order[self.order.index(member_id)] = ""
        self.order.append(member_id)
        self._present[member_id] = None

    def remove(self, member_id: str) -> None:
        del self._present[member_id]
        self._former.add(member_id)


class Groups:
    def __init__(self) -> None:
        self.by_id: dict[str, Group | None] = {}
        self.created_at: dict[str, float] = {}
        self._members: defaultdict[str, Members] = defaultdict(Members)
        self._dynamic: dict[str, None] = {}
        self._of: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def __iter__(self) -> Iterator[Group]:
        return (group for group in self.by_id.values() if group is not None)

    @property
    def order(self) -> list[str]:
        return list(self.by_id)

    @property
    def dynamic(self) -> list[Group]:
        """Those whose rule says who is in."""
        return [group for group_id in self._dynamic if (group := self.by_id[group_id])]

    def get(self, group_id: str) -> Group | None:
        return self.by_id.get(group_id)

    def put(self, group: Group, now: float = 0.0) -> Group | None:
        """Store `group` and return the state it replaces; `now`: when a new one came to be."""
        before = self.by_id.get(group.id)
        if before is None:
            self.created_at[group.id] = now
        self.by_id[group.id] = group
        if group.is_dynamic:
            self._dynamic[group.id] = None
        else:
            self._dynamic.pop(group.id, None)
        return before

    def remove(self, group_id: str) -> Group | None:
        """Forget the group and that anybody was in it; returns its last state."""
        before = self.by_id.get(group_id)
        if before is not None:
            self.leave(group_id, list(self._members[group_id]))
            self.by_id[group_id] = None
            self._dynamic.pop(group_id, None)
        return before

    def members(self, group_id: str) -> Members:
        return self._members[group_id]

    def of(self, member_id: str) -> list[str]:
        """The groups that have this member, in the order of joining."""
        return list(self._of.get(member_id, ()))

    def join(self, group_id: str, member_ids: Iterable[str]) -> list[str]:
        """Add those who are not members yet, and return them."""
        members = self._members[group_id]
        added = [member for member in dict.fromkeys(member_ids) if member not in members]
        for member in added:
            members.add(member)
            self._of[member][group_id] = None
        return added

    def leave(self, group_id: str, member_ids: Iterable[str]) -> list[str]:
        """Remove those who are members, and return them."""
        members = self._members[group_id]
        removed = [member for member in dict.fromkeys(member_ids) if member in members]
        for member in removed:
            members.remove(member)
            del self._of[member][group_id]
        return removed
