"""What leaves as one request: the write of one person, or up to twenty people who join a group together.

Writes to one group leave one after the other. Microsoft promises parallel ones nothing, and answers those to one
object with 409 (learn.microsoft.com: "Combine multiple HTTP requests using JSON batching" allows a serial chain).
"""

from collections.abc import Iterable, Sequence

import msgspec

from provisioning.domain.ids import GroupId
from provisioning.domain.operation import Attempt, Change, StepKind

MOST_MEMBERS = 20  # learn.microsoft.com: "Add members", as of one PATCH
_OF_A_GROUP = frozenset({StepKind.LICENSE_GROUP, StepKind.ADD_MEMBERS, StepKind.REMOVE_MEMBER})


class Call(msgspec.Struct, frozen=True):
    """One request and the attempts that it carries; its id is the client-request-id."""

    attempts: tuple[Attempt, ...]

    @property
    def call_id(self) -> str:
        return self.attempts[0].call_id

    @property
    def kind(self) -> StepKind:
        return self.attempts[0].kind

    @property
    def change(self) -> Change:
        return self.attempts[0].change

    @property
    def group_id(self) -> GroupId | None:
        """The group that it writes to."""
        return self.change.group_id if self.kind in _OF_A_GROUP else None

    @property
    def is_sound(self) -> bool:
        """Whether it is one request at all: only who joins the same group shares one."""
        if self.kind in _OF_A_GROUP and not self.change.group_id:
            return False
        if self.kind is StepKind.CREATE_GROUP and not self.change.group_name:
            return False
        return len(self.attempts) == 1 or self._is_one_joining

    @property
    def _is_one_joining(self) -> bool:
        meant = {(attempt.kind, attempt.change.group_id) for attempt in self.attempts}
        return meant == {(StepKind.ADD_MEMBERS, self.change.group_id)} and len(self.attempts) <= MOST_MEMBERS


def calls_of(attempts: Iterable[Attempt]) -> list[Call]:
    """Attempts by the call that they share, in their order. Graph's batch ids do not know capitals."""
    together: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        together.setdefault(attempt.call_id.lower(), []).append(attempt)
    return [Call(tuple(shared)) for shared in together.values()]


def people_of(call: Call) -> list[str]:
    """Those of whom one round holds one write."""
    return [attempt.subject_id for attempt in call.attempts]


def in_lines(calls: Sequence[Call]) -> tuple[list[Call], list[list[Call]]]:
    """Those that may leave side by side, and for each group that is written more than once its line."""
    lines: dict[GroupId, list[Call]] = {}
    alone = [call for call in calls if call.group_id is None]
    for call in calls:
        if call.group_id is not None:
            lines.setdefault(call.group_id, []).append(call)
    alone += [line[0] for line in lines.values() if len(line) == 1]
    return alone, [line for line in lines.values() if len(line) > 1]
