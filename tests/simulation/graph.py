"""Graph in the simulation: people with licences, seats, a lag per read, and answers that get lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.errors import GraphError
from provisioning.domain.ids import AttemptId, SkuId, SubjectId, TenantId
from provisioning.domain.observation import (
    Census,
    HeldLicence,
    Membership,
    Person,
    SeatCount,
    Seats,
    TenantProfile,
)
from provisioning.domain.operation import Attempt, Change, Outcome, Receipt
from provisioning.domain.permissions import TIERS
from provisioning.domain.reasons import Reason
from provisioning.domain.worklist import Lease
from provisioning.planning.losses import after_change


@dataclass(frozen=True)
class Write:
    """One accepted write, as an outsider saw it."""

    at: datetime
    attempt: AttemptId
    subject: SubjectId
    before: Person
    after: Person

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass
class Weather:
    """How often a call goes wrong, in shares of one; what the seed rolls decides which."""

    lost_after: float = 0.0  # applied, the answer never came
    lost_before: float = 0.0  # never arrived, and nobody can tell
    throttled: float = 0.0
    lag: timedelta = timedelta(0)


@dataclass
class FakeGraph:
    tenant: TenantId
    now: Callable[[], datetime]
    at_call: Callable[[str], None]
    dice: random.Random
    weather: Weather
    people: dict[SubjectId, Person]
    enabled: dict[SkuId, int]
    trouble: GraphError | None = None  # raised by every read until it is taken away
    stop_at_write: GraphError | None = None  # the tenant refuses every write for this reason
    versions: dict[SubjectId, list[tuple[datetime, Person]]] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)

    def __post_init__(self) -> None:
        beginning = datetime.min.replace(tzinfo=self.now().tzinfo)
        self.versions = {subject: [(beginning, person)] for subject, person in self.people.items()}

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
            permissions=frozenset().union(*TIERS[:3]),
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
            plan_ids=frozenset(),
        )

    def observe_census(self, tenant: TenantId) -> Census:
        self._answer()
        people = tuple(self._as_read(subject) for subject in sorted(self.people))
        return Census(tenant_id=tenant, observed_at=self.now(), is_complete=True, people=people)

    def observe_people(self, tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
        self._answer()
        return {subject: self._as_read(subject) for subject in subjects}

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]:
        return {}

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        return {}

    def _as_read(self, subject: SubjectId) -> Person:
        """What a random replica knows: everything up to some moment within the lag."""
        as_of = self.now() - self.weather.lag * self.dice.random()
        return next(person for at, person in reversed(self.versions[subject]) if at <= as_of)

    # ── writes ───────────────────────────────────────────────────────────────────────────────────────────

    def apply(self, tenant: TenantId, attempts: Sequence[Attempt], lease: Lease) -> list[Receipt]:
        self.at_call("before send")
        receipts = [self._one(attempt) for attempt in attempts]
        self.at_call("after send")
        self.dice.shuffle(receipts)
        return receipts

    def _one(self, attempt: Attempt) -> Receipt:
        if self.stop_at_write:
            return self._receipt(attempt, Outcome.REFUSED, reason=self.stop_at_write.reason, tenant_wide=True)
        roll = self.dice.random()
        if roll < self.weather.throttled:
            return self._receipt(
                attempt, Outcome.REFUSED, reason=Reason.THROTTLED, retryable=True, after=timedelta(seconds=3)
            )
        roll -= self.weather.throttled
        if roll < self.weather.lost_before:
            return self._receipt(attempt, Outcome.UNKNOWN)
        roll -= self.weather.lost_before
        refusal = self._refusal(attempt)
        if refusal is None:
            self._write(attempt)
        if roll < self.weather.lost_after:
            return self._receipt(attempt, Outcome.UNKNOWN)
        return self._receipt(attempt, Outcome.REFUSED, reason=refusal) if refusal else self._accepted(attempt)

    def _refusal(self, attempt: Attempt) -> Reason | None:
        person, change = self.people[attempt.subject_id], attempt.change
        if any(person.direct(sku) is None for sku in change.remove_skus):
            return Reason.LICENCE_NOT_HELD
        if change.add_sku and person.usage_location is None:
            return Reason.USAGE_LOCATION
        if change.add_sku and not person.holds(change.add_sku) and self._is_full(change.add_sku):
            return Reason.COUNT_VIOLATION
        return None

    def _is_full(self, sku: SkuId) -> bool:
        return sum(person.holds(sku) for person in self.people.values()) >= self.enabled.get(sku, 0)

    def _write(self, attempt: Attempt) -> None:
        before = self.people[attempt.subject_id]
        after = _changed(before, attempt.change)
        self.people[attempt.subject_id] = after
        self.versions[attempt.subject_id].append((self.now(), after))
        self.writes.append(Write(self.now(), attempt.attempt_id, attempt.subject_id, before, after))

    def change_by_hand(self, subject: SubjectId, person: Person) -> None:
        """Somebody else's tool, which no ledger of ours knows."""
        self.people[subject] = person
        self.versions[subject].append((self.now(), person))

    def _accepted(self, attempt: Attempt) -> Receipt:
        return self._receipt(attempt, Outcome.ACCEPTED)

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
