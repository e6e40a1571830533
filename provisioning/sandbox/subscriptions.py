"""Subscriptions with a life of their own, and the SKU totals that follow from them.

learn.microsoft.com: subscribedSku, companySubscription; "What if my Microsoft business subscription expires".
"""

import math
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from provisioning.sandbox.clock import from_moment, to_moment
from provisioning.sandbox.lifecycle import YEAR, Durations, Term, durations, next_status, stays

# Every assignment asks whether a subscription has moved, and the moments hardly ever change.
_seconds = lru_cache(maxsize=4096)(from_moment)
STATUSES = ("Enabled", "Warning", "Suspended", "LockedOut", "Deleted")


SERVING = frozenset({"Enabled", "Warning"})  # with which people keep working


class Change(msgspec.Struct, kw_only=True):
    """What happens to a subscription at a sandbox moment (Unix seconds)."""

    at: float
    status: str | None = None
    totalLicenses: int | None = None


class Subscription(msgspec.Struct, kw_only=True):
    """`history`: since when it has been in which status, oldest first; what it was before counts as the first."""

    id: str
    commerceSubscriptionId: str
    skuId: str
    totalLicenses: int
    status: str = "Enabled"
    createdDateTime: str
    nextLifecycleDateTime: str | None = None
    isTrial: bool = False
    ownerTenantId: str | None = None
    appears_at: float = 0.0
    changes: list[Change] = []
    term: Term = "standard"
    graceDays: float | None = None
    suspendedDays: float | None = None
    history: list[tuple[float, str]] = []

    @property
    def durations(self) -> Durations:
        return durations(self.term, self.graceDays, self.suspendedDays)

    def advance(self, now: float) -> None:
        """Carry out what is due, planned or by the course of its life, each at its own moment."""
        while self._due_at <= now:
            self._become(self._take())

    def schedule(self, change: Change) -> None:
        self.changes = sorted([*self.changes, change], key=lambda planned: planned.at)

    def is_visible(self, now: float) -> bool:
        return self.has_appeared(now) and self.status != "Deleted"

    def has_appeared(self, now: float) -> bool:
        return self.appears_at <= now

    def status_at(self, moment: float) -> str | None:
        """What it was at a moment not later than it was advanced to; None before it appeared."""
        if moment < self.appears_at:
            return None
        found = self.history[0][1] if self.history else self.status
        for since, status in self.history:
            if since > moment:
                break
            found = status
        return found

    @property
    def _planned_at(self) -> float:
        return self.changes[0].at if self.changes else math.inf

    @property
    def _moves_at(self) -> float:
        """When it moves by itself."""
        if self.nextLifecycleDateTime is None or self.status == "Deleted":
            return math.inf
        return _seconds(self.nextLifecycleDateTime)

    @property
    def _due_at(self) -> float:
        return min(self._planned_at, self._moves_at)

    def _take(self) -> Change:
        if self._planned_at <= self._moves_at:
            return self.changes.pop(0)
        return Change(at=self._moves_at, status=next_status(self.status, self.durations))

    def _become(self, due: Change) -> None:
        self.totalLicenses = self.totalLicenses if due.totalLicenses is None else due.totalLicenses
        if due.status is not None and due.status != self.status:
            self._move(due.status, due.at)

    def _move(self, status: str, at: float) -> None:
        if not self.history:
            self.history = [(self.appears_at, self.status)]
        since = max(at, self.history[-1][0])  # a moment is whole seconds, and may lie a little before the last one
        self.history = [*self.history, (since, status)]
        self.status = status
        self.nextLifecycleDateTime = self.next_moment(at)

    def next_moment(self, since: float) -> str | None:
        """When the state that began at `since` ends by itself: a reactivated one has another year."""
        lasts = YEAR if self.status == "Enabled" else stays(self.status, self.durations)
        return None if lasts is None else to_moment(since + lasts)


class PrepaidUnits(msgspec.Struct):
    enabled: int = 0
    suspended: int = 0
    warning: int = 0
    lockedOut: int = 0

    @property
    def capabilityStatus(self) -> str:  # noqa: N802 - a wire name
        """Enabled as soon as one unit is."""
        if self.enabled:
            return "Enabled"
        if self.warning:
            return "Warning"
        if self.suspended:
            return "Suspended"
        return "LockedOut" if self.lockedOut else "Suspended"


_UNIT_FIELDS = {"Enabled": "enabled", "Warning": "warning", "Suspended": "suspended", "LockedOut": "lockedOut"}


def prepaid_units(subscriptions: Iterable[Subscription]) -> PrepaidUnits:
    """The units of several subscriptions of one SKU, summed by state."""
    units = PrepaidUnits()
    for subscription in subscriptions:
        field = _UNIT_FIELDS[subscription.status]
        setattr(units, field, getattr(units, field) + subscription.totalLicenses)
    return units
