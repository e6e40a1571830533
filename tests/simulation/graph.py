"""Graph in the simulation: people with licences, groups, seats, a lag per read, and answers that get lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.errors import GraphError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import AttemptId, GroupId, ServicePlanId, SkuId, SubjectId, TenantId
from provisioning.domain.migration import MatchRule
from provisioning.domain.observation import (
    Census,
    HeldLicence,
    Membership,
    Person,
    SeatCount,
    Seats,
    TenantProfile,
)
from provisioning.domain.operation import Attempt, Change, Outcome, Receipt, StepKind
from provisioning.domain.permissions import TIERS
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.planning.losses import after_change
from tests.simulation.boundaries import Where
from tests.simulation.groups import GROUP_KINDS, FakeGroups
from tests.simulation.weather import Weather

TOO_NEW = timedelta(seconds=5)  # what the gateway says of a group that not every replica knows


@dataclass(frozen=True)
class Write:
    """One accepted write, as an outsider saw it: of a person, of a group, or of whether one is in the other."""

    at: datetime
    attempt: AttemptId
    subject: SubjectId
    before: Person | ObservedGroup | bool | None
    after: Person | ObservedGroup | bool | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass
class FakeGraph:
    tenant: TenantId
    now: Callable[[], datetime]
    at_call: Callable[[Where], None]
    dice: random.Random
    weather: Weather
    people: dict[SubjectId, Person]
    enabled: dict[SkuId, int]
    trouble: GraphError | None = None  # raised by every read until it is taken away
    stop_at_write: GraphError | None = None  # the tenant refuses every write for this reason
    permissions: frozenset[str] = frozenset().union(*TIERS[:3])
    exclusive: frozenset[frozenset[SkuId]] = frozenset()  # SKUs that nobody can hold together
    offered: dict[SkuId, frozenset[ServicePlanId]] = field(default_factory=dict)  # else what the lists say
    unwilling: frozenset[SubjectId] = frozenset()  # people whose every write is refused, for something we do not know
    match_keys: dict[MatchRule, dict[SubjectId, str]] = field(default_factory=dict)
    versions: dict[SubjectId, list[tuple[datetime, Person]]] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)

    def __post_init__(self) -> None:
        beginning = datetime.min.replace(tzinfo=self.now().tzinfo)
        self.versions = {subject: [(beginning, person)] for subject, person in self.people.items()}
        self.groups = FakeGroups(self, self.now, self.dice, self.weather.processing, self.weather.lag)

    # ── reads ────────────────────────────────────────────────────────────────────────────────────────────

    def _answer(self) -> None:
        if self.trouble:
            raise self.trouble

    def observe_tenant(self, tenant: TenantId) -> TenantProfile:
        self._answer()
        return TenantProfile(
            tenant_id=tenant,
            initial_domain="school.example",
            verified_domains=("school.example",),
            country="NL",
            default_usage_location="NL",
            permissions=self.permissions,
        )

    def observe_seats(self, tenant: TenantId) -> Seats:
        self._answer()
        return Seats(
            tenant_id=tenant,
            observed_at=self.now(),
            counts={sku: self._count(sku) for sku in self.enabled},
            subscriptions=(),
        )

    def observe_readiness(self, tenant: TenantId) -> tuple[TenantProfile, Seats]:
        return self.observe_tenant(tenant), self.observe_seats(tenant)

    def _count(self, sku: SkuId) -> SeatCount:
        return SeatCount(
            sku_id=sku,
            part_number=sku,
            capability="Enabled",
            enabled=self.enabled[sku],
            warning=0,
            suspended=0,
            locked_out=0,
            consumed=sum(self._as_read(subject).holds(sku) for subject in self.people),
            plan_ids=self.offered.get(sku, frozenset()),
        )

    def observe_census(self, tenant: TenantId) -> Census:
        self._answer()
        people = tuple(self._as_read(subject) for subject in sorted(self.people))
        return Census(tenant_id=tenant, observed_at=self.now(), is_complete=True, people=people)

    def observe_people(self, tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
        self._answer()
        return {subject: self._as_read(subject) for subject in subjects}

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]:
        groups = {key: GroupId(key.removeprefix("group:")) for key in keys if key.startswith("group:")}
        seen = {key: group for key, group_id in groups.items() if (group := self._group_as_read(group_id))}
        return {key: Membership(key=key, is_complete=True, members=group.members) for key, group in seen.items()}

    def observe_groups(
        self, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool = True
    ) -> dict[GroupId, ObservedGroup | None]:
        return {group: self._group_as_read(group, with_members=with_members) for group in groups}

    def find_group(self, tenant: TenantId, nickname: str) -> ObservedGroup | None:
        if self.trouble:
            raise self.trouble
        self.groups.settle()
        return self.groups.named(nickname)

    def _group_as_read(self, group: GroupId, *, with_members: bool = True) -> ObservedGroup | None:
        if self.trouble:
            raise self.trouble
        self.groups.settle()
        return self.groups.as_read(group, with_members=with_members)

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        return {}

    def read_match_keys(self, tenant: TenantId, rule: MatchRule) -> dict[SubjectId, str]:
        self._answer()
        return dict(self.match_keys.get(rule, {}))

    def _as_read(self, subject: SubjectId) -> Person:
        """What a random replica knows: everything up to some moment within the lag."""
        self.groups.settle()
        as_of = self.now() - self.weather.lag * self.dice.random()
        return next(person for at, person in reversed(self.versions[subject]) if at <= as_of)

    # ── writes ───────────────────────────────────────────────────────────────────────────────────────────

    def apply(self, tenant: TenantId, attempts: Sequence[Attempt], lease: Lease) -> list[Receipt]:
        self.at_call(Where.BEFORE_SEND)
        self.groups.settle()
        calls: dict[str, list[Attempt]] = {}
        for attempt in attempts:
            calls.setdefault(attempt.call_id, []).append(attempt)
        receipts: list[Receipt] = []
        for number, call in enumerate(calls.values()):
            if number and number == len(calls) // 2:
                self.at_call(Where.HALF_SENT)
            receipts += self._call(call)
        self.at_call(Where.BEFORE_RECEIVE)
        self.dice.shuffle(receipts)
        return receipts

    def _call(self, call: Sequence[Attempt]) -> list[Receipt]:
        """One fate for all in a call; when one of them is gone, the others may come again without them."""
        shared = self._one(*call)
        receipts = [msgspec.structs.replace(shared, attempt_id=attempt.attempt_id) for attempt in call]
        if shared.reason is not Reason.NOT_FOUND:
            return receipts
        innocent = {"reason": Reason.TRANSIENT, "retryable": True}
        return [
            msgspec.structs.replace(receipt, **innocent)
            if len(call) > 1 and attempt.subject_id in self.people
            else receipt
            for attempt, receipt in zip(call, receipts, strict=True)
        ]

    def _one(self, attempt: Attempt, *company: Attempt) -> Receipt:
        """One call; `company` are those who travel in it too."""
        if self.stop_at_write:
            return self._receipt(attempt, Outcome.REFUSED, reason=self.stop_at_write.reason, tenant_wide=True)
        fate = self.weather.fate(self.dice)
        if fate == "throttled":
            return self._refused(attempt, Reason.THROTTLED, after=timedelta(seconds=3))
        if fate == "lost before":
            return self._receipt(attempt, Outcome.UNKNOWN)
        receipt = self._for_groups((attempt, *company)) if attempt.kind in GROUP_KINDS else self._for_person(attempt)
        return self._receipt(attempt, Outcome.UNKNOWN) if fate == "lost after" else receipt

    def _for_person(self, attempt: Attempt) -> Receipt:
        if refusal := self._refusal(attempt):
            return self._refused(attempt, refusal)
        self._write(attempt)
        return self._accepted(attempt)

    def _for_groups(self, call: Sequence[Attempt]) -> Receipt:
        if refusal := self.groups.refusal(call):
            return self._refused(call[0], refusal, after=TOO_NEW if refusal is Reason.GROUP_TOO_NEW else None)
        return self._accepted(call[0], created=self._write_group(call))

    def _refusal(self, attempt: Attempt) -> Reason | None:
        person, change = self.people[attempt.subject_id], attempt.change
        if attempt.subject_id in self.unwilling:
            return Reason.MUTUALLY_EXCLUSIVE
        if lacking := [sku for sku in change.remove_skus if person.direct(sku) is None]:
            return Reason.INHERITED_FROM_GROUP if any(map(person.holds, lacking)) else Reason.LICENCE_NOT_HELD
        if change.add_sku and person.usage_location is None:
            return Reason.USAGE_LOCATION
        if change.add_sku and self.excluded(_changed(person, change), change.add_sku):
            return Reason.MUTUALLY_EXCLUSIVE
        if any(not person.holds(one.sku_id) and self._is_full(one.sku_id) for one in change.added):
            return Reason.COUNT_VIOLATION
        return None

    def excluded(self, person: Person, sku: SkuId) -> bool:
        """Whether something that they hold forbids it."""
        return any(sku in pair and any(map(person.holds, pair - {sku})) for pair in self.exclusive)

    def is_full(self, sku: SkuId) -> bool:
        return self._is_full(sku)

    def _is_full(self, sku: SkuId) -> bool:
        return sum(person.holds(sku) for person in self.people.values()) >= self.enabled.get(sku, 0)

    def _write(self, attempt: Attempt) -> None:
        before = self.people[attempt.subject_id]
        after = _changed(before, attempt.change)
        self.put(attempt.subject_id, after, self.now())
        self.writes.append(Write(self.now(), attempt.attempt_id, attempt.subject_id, before, after))

    def _write_group(self, call: Sequence[Attempt]) -> GroupId | None:
        before = [self._concerned(attempt) for attempt in call]
        created = self.groups.write(call)
        for attempt, was in zip(call, before, strict=True):
            after = self.groups.current(created) if created else self._concerned(attempt)
            self.writes.append(Write(self.now(), attempt.attempt_id, attempt.subject_id, was, after))
        return created

    def _concerned(self, attempt: Attempt) -> Person | ObservedGroup | bool | None:
        """What a write through a group changes at once."""
        match attempt.kind:
            case StepKind.CREATE_GROUP:
                return None
            case StepKind.REPROCESS:
                return self.people[attempt.subject_id]
            case StepKind.LICENSE_GROUP:
                return self.groups.current(attempt.change.group_id)
        return attempt.subject_id in self.groups.current(attempt.change.group_id).members

    def put(self, subject: SubjectId, person: Person, at: datetime) -> None:
        self.people[subject] = person
        self.versions[subject].append((at, person))

    def change_by_hand(self, subject: SubjectId, person: Person) -> None:
        """Somebody else's tool, which no ledger of ours knows."""
        self.put(subject, person, self.now())

    def _refused(self, attempt: Attempt, reason: Reason, after: timedelta | None = None) -> Receipt:
        return self._receipt(attempt, Outcome.REFUSED, reason=reason, retryable=after is not None, after=after)

    def _accepted(self, attempt: Attempt, **known: object) -> Receipt:
        return self._receipt(attempt, Outcome.ACCEPTED, **known)

    def _receipt(self, attempt: Attempt, outcome: Outcome, **known: object) -> Receipt:
        moment = self.now()
        return msgspec.structs.replace(
            Receipt(attempt_id=attempt.attempt_id, outcome=outcome, sent_at=moment, finished_at=moment), **known
        )


def _changed(person: Person, change: Change) -> Person:
    licences = sorted(after_change(person.licences, change), key=lambda one: one.sku_id)
    return msgspec.structs.replace(
        person, licences=tuple(licences), usage_location=change.usage_location or person.usage_location
    )


def licence(sku: SkuId, *disabled: str) -> HeldLicence:
    return HeldLicence(sku, frozenset(disabled))
