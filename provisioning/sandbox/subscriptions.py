"""Subscriptions with a life of their own, and the SKU totals that follow from them.

learn.microsoft.com: subscribedSku, companySubscription; "What if my Microsoft business subscription expires".
"""

from collections.abc import Iterable

import msgspec

STATUSES = ("Enabled", "Warning", "Suspended", "LockedOut", "Deleted")


class Change(msgspec.Struct, kw_only=True):
    """What happens to a subscription at a sandbox moment (Unix seconds)."""

    at: float
    status: str | None = None
    totalLicenses: int | None = None


class Subscription(msgspec.Struct, kw_only=True):
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

    def advance(self, now: float) -> None:
        """Carry out the changes that are due."""
        while self.changes and self.changes[0].at <= now:
            due = self.changes.pop(0)
            self.status = due.status or self.status
            self.totalLicenses = self.totalLicenses if due.totalLicenses is None else due.totalLicenses

    def schedule(self, change: Change) -> None:
        self.changes = sorted([*self.changes, change], key=lambda planned: planned.at)

    def is_visible(self, now: float) -> bool:
        return self.appears_at <= now and self.status != "Deleted"


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
