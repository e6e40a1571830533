"""Groups in the simulation: members and licences at once, what these bring to people some time later."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from provisioning.domain.errors import ActionRequiredError
from provisioning.domain.groups import GroupLicence, ObservedGroup
from provisioning.domain.ids import GroupId, SkuId, SubjectId
from provisioning.domain.observation import HeldLicence, LicenceState, Person
from provisioning.domain.operation import Attempt, Change, StepKind
from provisioning.domain.reasons import Reason

GROUP_KINDS = frozenset(
    {StepKind.CREATE_GROUP, StepKind.LICENSE_GROUP, StepKind.ADD_MEMBERS, StepKind.REMOVE_MEMBER, StepKind.REPROCESS}
)
_REASONS = {"CountViolation": Reason.COUNT_VIOLATION, "MutuallyExclusiveViolation": Reason.MUTUALLY_EXCLUSIVE}


class Directory(Protocol):
    """The people whom groups give licences to."""

    people: dict[SubjectId, Person]

    def put(self, subject: SubjectId, person: Person, at: datetime) -> None: ...
    def is_full(self, sku: SkuId) -> bool: ...
    def excluded(self, person: Person, sku: SkuId) -> bool: ...


@dataclass
class FakeGroups:
    """`processing`: how long Graph takes at least to bring a change to one member; twice as long at most."""

    directory: Directory
    now: Callable[[], datetime]
    dice: random.Random
    processing: timedelta
    lag: timedelta
    versions: dict[GroupId, list[tuple[datetime, ObservedGroup]]] = field(default_factory=dict)
    deleted: dict[GroupId, datetime] = field(default_factory=dict)
    _due: list[tuple[datetime, int, GroupId, SubjectId]] = field(default_factory=list)
    _numbers: int = 0

    # ── reads ────────────────────────────────────────────────────────────────────────────────────────────

    def current(self, group_id: GroupId | None) -> ObservedGroup:
        assert group_id is not None
        return self.versions[group_id][-1][1]

    def as_read(self, group_id: GroupId, *, with_members: bool = True) -> ObservedGroup | None:
        """What a random replica knows; None: it has not heard of the group."""
        as_of = self.now() - self.lag * self.dice.random()
        if group_id in self.deleted and self.deleted[group_id] <= as_of:
            return None
        known = next((seen for at, seen in reversed(self.versions.get(group_id, [])) if at <= as_of), None)
        if known is None or with_members:
            return known
        return msgspec.structs.replace(known, members=frozenset(), is_complete=False)

    def named(self, nickname: str) -> ObservedGroup | None:
        seen = [group for group in map(self.as_read, self.versions) if group and group.nickname == nickname]
        if len(seen) > 1:
            raise ActionRequiredError(f"Several groups are called '{nickname}'.", Reason.GROUP_CHANGED)
        return seen[0] if seen else None

    # ── writes ───────────────────────────────────────────────────────────────────────────────────────────

    def refusal(self, call: Sequence[Attempt]) -> Reason | None:
        """Why Graph refuses the call as a whole; of a reprocessing it is what stands in the way."""
        kind, change = call[0].kind, call[0].change
        if kind is StepKind.CREATE_GROUP:
            return None
        if kind is StepKind.REPROCESS:
            return self._obstacle(call[0].subject_id)
        if change.group_id not in self.versions or change.group_id in self.deleted:
            return Reason.GROUP_GONE
        if self.as_read(change.group_id) is None:
            return Reason.GROUP_TOO_NEW if kind is StepKind.ADD_MEMBERS else Reason.GROUP_GONE
        return None if kind is StepKind.LICENSE_GROUP else self._member_refusal(call)

    def _member_refusal(self, call: Sequence[Attempt]) -> Reason | None:
        group, people = self.current(call[0].change.group_id), {attempt.subject_id for attempt in call}
        if not group.takes_members:
            return Reason.GROUP_READ_ONLY
        if call[0].kind is StepKind.REMOVE_MEMBER:
            return None if people <= group.members else Reason.NOT_FOUND
        if people - self.directory.people.keys():
            return Reason.NOT_FOUND
        return Reason.MEMBER_ALREADY if people & group.members else None

    def write(self, call: Sequence[Attempt]) -> GroupId | None:
        """The call takes effect; of a new group its id."""
        kind, change = call[0].kind, call[0].change
        people = {attempt.subject_id for attempt in call}
        match kind:
            case StepKind.CREATE_GROUP:
                return self._create(change.group_name or "")
            case StepKind.LICENSE_GROUP:
                self._license(self.current(change.group_id), change)
            case StepKind.ADD_MEMBERS:
                group = self.current(change.group_id)
                self._members(group, group.members | people, people)
            case StepKind.REMOVE_MEMBER:
                group = self.current(change.group_id)
                self._members(group, group.members - people, people)
            case StepKind.REPROCESS:
                for subject in people:
                    self._reprocess(subject)
        return None

    def add(self, group: ObservedGroup) -> None:
        """A group that is there already, as its people will soon see."""
        self._put(group, self.now())
        self._enqueue(group, group.members)

    def delete(self, group_id: GroupId) -> None:
        """By others: everybody in it loses what it brought, at the usual pace."""
        group = self.current(group_id)
        self._members(group, frozenset(), set(group.members))
        self.deleted[group_id] = self.now()

    def _create(self, nickname: str) -> GroupId:
        """A second one of the same name is a second group: Graph holds no nickname unique."""
        group_id = GroupId(f"group-{len(self.versions) + 1}")
        self._put(ObservedGroup(group_id=group_id, nickname=nickname), self.now())
        return group_id

    def _license(self, group: ObservedGroup, change: Change) -> None:
        staying = [held for held in group.licences if held.sku_id not in {*change.remove_skus, change.add_sku}]
        new = [GroupLicence(change.add_sku, change.disabled_plans)] if change.add_sku else []
        licensed = msgspec.structs.replace(group, licences=tuple(sorted([*staying, *new])))
        self._put(licensed, self.now())
        self._enqueue(licensed, group.members)

    def _members(self, group: ObservedGroup, members: frozenset[SubjectId], moved: set[SubjectId]) -> None:
        changed = msgspec.structs.replace(group, members=members)
        self._put(changed, self.now())
        if changed.licences:
            self._enqueue(changed, moved)

    def _put(self, group: ObservedGroup, at: datetime) -> None:
        self.versions.setdefault(group.group_id, []).append((at, group))

    # ── background ───────────────────────────────────────────────────────────────────────────────────────

    def _enqueue(self, group: ObservedGroup, people: Iterable[SubjectId]) -> None:
        for subject in sorted(people):
            self._numbers += 1
            due = self.now() + self.processing * (1 + self.dice.random())
            heapq.heappush(self._due, (due, self._numbers, group.group_id, subject))
        if any(group_id == group.group_id for _, _, group_id, _ in self._due):
            self._put(msgspec.structs.replace(group, is_processing=True), self.now())

    def settle(self) -> None:
        """What was due by now has happened, at its time; everything that looks or writes calls this first."""
        while self._due and self._due[0][0] <= self.now():
            at, _, group_id, subject = heapq.heappop(self._due)
            self._recompute(subject, group_id, at)
            if not any(waiting == group_id for _, _, waiting, _ in self._due):
                self._put(msgspec.structs.replace(self.current(group_id), is_processing=False), at)

    def _recompute(self, subject: SubjectId, group_id: GroupId, at: datetime) -> None:
        if subject in self.directory.people:
            person = self._with_licences_of(self.directory.people[subject], self.current(group_id))
            self.directory.put(subject, person, at)

    def _with_licences_of(self, person: Person, group: ObservedGroup) -> Person:
        """All of a group's licences or none of them."""
        rest = tuple(held for held in person.licences if held.group_id != group.group_id)
        bare = msgspec.structs.replace(person, licences=rest)
        if person.subject_id not in group.members:
            return bare
        errors = {held.sku_id: self._error(bare, person, held.sku_id) for held in group.licences}
        has_failed = any(errors.values())
        inherited = tuple(
            HeldLicence(
                held.sku_id,
                held.disabled_plans,
                group.group_id,
                LicenceState.ERROR if has_failed else LicenceState.ACTIVE,
                (errors[held.sku_id] or "Other") if has_failed else None,
            )
            for held in group.licences
        )
        return msgspec.structs.replace(person, licences=(*rest, *inherited))

    def _error(self, bare: Person, before: Person, sku: SkuId) -> str | None:
        if self.directory.excluded(bare, sku):
            return "MutuallyExclusiveViolation"
        return "CountViolation" if not before.holds(sku) and self.directory.is_full(sku) else None

    def _reprocess(self, subject: SubjectId) -> None:
        for group_id in self._groups_of(subject):
            self._recompute(subject, group_id, self.now())

    def _obstacle(self, subject: SubjectId) -> Reason | None:
        """Graph looks again, and says at once what is still wrong; then nothing has changed."""
        if subject not in self.directory.people:
            return Reason.NOT_FOUND
        person = self.directory.people[subject]
        seen = [self._with_licences_of(person, self.current(group_id)) for group_id in self._groups_of(subject)]
        wrong = [held.error for each in seen for held in each.licences if held.error and held.error != "Other"]
        return _REASONS[wrong[0]] if wrong else None

    def _groups_of(self, subject: SubjectId) -> list[GroupId]:
        return [group_id for group_id in self.versions if subject in self.current(group_id).members]
