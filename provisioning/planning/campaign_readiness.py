"""What would keep a tenant's remap from succeeding, weeks before: a list that people can work through. Pure.

What is found is said in the reasons that the operation itself would give later, so that both can be compared, and
owner and cure are known. People are judged by the very plan that would be drawn: one truth, not two.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from provisioning.domain.ids import SkuId
from provisioning.domain.lifecycle import SubjectState
from provisioning.domain.observation import Subscription
from provisioning.domain.operation import StepKind
from provisioning.domain.ownership import owner_of
from provisioning.domain.permissions import missing_for
from provisioning.domain.reasons import Reason
from provisioning.domain.tenancy import AssignmentMode, Policy
from provisioning.domain.worklist import Owner
from provisioning.planning.campaign_forecast import Writes, writes_of
from provisioning.planning.losses import kinds_of
from provisioning.planning.plan import Plan
from provisioning.planning.seats import SeatSituation

# worth knowing, and the remap succeeds all the same
NOTES = frozenset({Reason.AGREEMENT_ABSENT, Reason.PLANS_UNDECIDED, Reason.CONCURRENT_WRITE, Reason.DATE_NOT_REACHED})


class ReadinessFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is in the way. `people`: how many it concerns; 0: the tenant as a whole."""

    reason: Reason
    people: int = 0
    details: tuple[str, ...] = ()

    @property
    def is_blocking(self) -> bool:
        return self.reason not in NOTES

    @property
    def owner(self) -> Owner:
        return owner_of(self.reason)


class Readiness(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one look at a member found. `people`: who holds the product that goes; `short`: seats that are missing."""

    checked_at: datetime
    findings: tuple[ReadinessFinding, ...] = ()
    people: int = 0
    short: int = 0
    writes: Writes = Writes()
    losses: frozenset[str] = frozenset()  # kinds of them, as `kinds_of` says
    ends_at: datetime | None = None  # when seats of the product that goes first end
    warn_at: datetime | None = None  # from then on whoever is still on it is on the work list

    @property
    def is_ready(self) -> bool:
        return not any(finding.is_blocking for finding in self.findings)

    @property
    def at_stake(self) -> int:
        """How many people would be left: everybody where the tenant as a whole is not ready."""
        blocking = [one for one in self.findings if one.is_blocking]
        return self.people if any(not one.people for one in blocking) else sum(one.people for one in blocking)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What Graph showed of a tenant: what we may do, seats of the new product, and the plan that would be drawn.

    `seats` as they are for the new product; `undecided`: service plans of it that the policy does not know.
    """

    permissions: frozenset[str]
    seats: SeatSituation
    plan: Plan
    undecided: tuple[str, ...] = ()
    trouble: Reason | None = None  # why no plan may follow: its group, or whom its selectors match
    ends_at: datetime | None = None  # when seats of the product that goes first end


class MemberFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that readiness is judged from. `seen` None: the tenant could not be read, `unread` says why."""

    now: datetime
    policy: Policy
    hold: Reason | None  # what speaks against planning at all: bindings, selectors
    entitlement: int
    processing: frozenset[str] = frozenset()
    is_stopped: bool = False
    in_the_way: tuple[str, ...] = ()  # operations of the tenant that go on
    migrations: tuple[str, ...] = ()  # migrations that go on and name the tenant
    seen: Seen | None = None
    unread: Reason | None = None
    begins_at: datetime | None = None  # of the campaign
    end_warning: timedelta = timedelta(0)


def readiness_of(facts: MemberFacts) -> Readiness:
    """Everything that was found, what is in the way first."""
    found = [*_known(facts), *_observed(facts)]
    seen, order = facts.seen, list(Reason)
    return Readiness(
        checked_at=facts.now,
        findings=tuple(sorted(found, key=lambda one: (not one.is_blocking, bool(one.people), order.index(one.reason)))),
        people=_people(seen.plan) if seen else 0,
        short=sum(one.state is SubjectState.WAITING for one in seen.plan.subjects) if seen else 0,
        writes=writes_of(seen.plan) if seen else Writes(),
        losses=kinds_of(seen.plan.losses) if seen else frozenset(),
        ends_at=seen.ends_at if seen else None,
        warn_at=seen.ends_at - facts.end_warning if seen and seen.ends_at else None,
    )


def first_end(subscriptions: Iterable[Subscription], product: SkuId) -> datetime | None:
    """When the first seats of a product stop: what Microsoft calls its next state, also where grace would follow.

    For volume licences of schools the end date is hard (G8.1: services stop as soon as it has passed).
    """
    ends = [
        one.next_lifecycle_at
        for one in subscriptions
        if one.sku_id == product and one.status in _IN_USE and one.next_lifecycle_at is not None
    ]
    return min(ends, default=None)


_IN_USE = frozenset({"Enabled", "Warning"})


def _known(facts: MemberFacts) -> Iterator[ReadinessFinding]:
    """What the database says."""
    said = (
        (facts.hold, ()),
        (_if(facts.policy.assignment_mode is AssignmentMode.NONE, Reason.REMAP_SCHOOL_ASSIGNS), ()),
        (_if(facts.entitlement <= 0, Reason.REMAP_NOT_ORDERED), ()),
        (_processing(facts.processing), ()),
        (_if(facts.is_stopped, Reason.STOPPED), ()),
        (_if(bool(facts.migrations), Reason.MIGRATION_UNDER_WAY), facts.migrations),
        (_if(bool(facts.in_the_way), Reason.CONCURRENT_WRITE), facts.in_the_way),
    )
    return (ReadinessFinding(reason=reason, details=details) for reason, details in said if reason)


def _if(is_so: bool, reason: Reason) -> Reason | None:
    return reason if is_so else None


def _processing(states: frozenset[str]) -> Reason | None:
    """Refused by the school: nothing is written there. Not on record: told, as for orders."""
    if "refused" in states:
        return Reason.AGREEMENT_REFUSED
    return None if "agreed" in states else Reason.AGREEMENT_ABSENT


def _observed(facts: MemberFacts) -> Iterator[ReadinessFinding]:
    seen = facts.seen
    if seen is None:
        if facts.unread:
            yield ReadinessFinding(reason=facts.unread)
        return
    if missing := missing_for({StepKind.ASSIGN, *(step.kind for step in seen.plan.steps)}, seen.permissions):
        yield ReadinessFinding(reason=Reason.CONSENT_INSUFFICIENT, details=tuple(sorted(missing)))
    if seen.trouble:
        yield ReadinessFinding(reason=seen.trouble)
    if not seen.plan.is_complete:
        yield ReadinessFinding(reason=Reason.SELECTION_INCOMPLETE)
    if seen.seats.enabled <= 0 and _people(seen.plan):
        yield ReadinessFinding(reason=Reason.SEATS_NOT_VISIBLE)
    yield from _about_people(seen.plan)
    yield from _about_the_end(facts, seen)
    if seen.undecided:
        yield ReadinessFinding(reason=Reason.PLANS_UNDECIDED, details=seen.undecided)


def _about_the_end(facts: MemberFacts, seen: Seen) -> Iterator[ReadinessFinding]:
    """Who would be without a product before the campaign has begun."""
    is_too_late = seen.ends_at and facts.begins_at and seen.ends_at <= facts.begins_at
    if is_too_late and (people := _people(seen.plan)):
        yield ReadinessFinding(reason=Reason.OLD_PRODUCT_ENDS, people=people)


def _about_people(plan: Plan) -> Iterator[ReadinessFinding]:
    """Who would be refused, or wait for a seat, by reason."""
    left = [one for one in plan.subjects if not one.is_group and one.reason and one.state in _LEFT]
    counted = Counter(one.reason for one in left)
    for reason, people in counted.items():
        notes = sorted({note for one in left if one.reason is reason for note in one.notes})
        if reason:
            yield ReadinessFinding(reason=reason, people=people, details=tuple(notes[:_NAMED]))


_LEFT = frozenset({SubjectState.REFUSED, SubjectState.WAITING, SubjectState.FAILED})
_NAMED = 5


def _people(plan: Plan) -> int:
    return sum(not one.is_group for one in plan.subjects)
