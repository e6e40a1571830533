"""Subscriptions as seeds and the control API write them."""

from typing import Annotated

import msgspec

from provisioning.sandbox.clock import from_moment, to_moment
from provisioning.sandbox.lifecycle import Term
from provisioning.sandbox.subscriptions import STATUSES, Change, Subscription
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.world import World

Units = Annotated[int, msgspec.Meta(ge=0)]
Days = Annotated[float, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class SeedChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"after": "in"}):
    at: str | None = None
    after: Seconds | None = None
    status: str | None = None
    totalLicenses: Units | None = None


class SeedSubscription(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    skuId: str
    totalLicenses: Units
    id: str | None = None
    commerceSubscriptionId: str | None = None
    status: str = "Enabled"
    isTrial: bool = False
    createdDateTime: str | None = None
    nextLifecycleDateTime: str | None = None
    ownerTenantId: str | None = None
    appearsAt: str | None = None
    appearsIn: Seconds | None = None
    term: Term | None = None
    graceDays: Days | None = None
    suspendedDays: Days | None = None
    changes: list[SeedChange] = []


def add_subscription(world: World, tenant: Tenant, seed: SeedSubscription, since: float = 0.0) -> Subscription:
    """Give the tenant a subscription, from `since` on or when it says itself.

    Raises ValueError for a SKU nobody knows, for a status that does not exist and for an id that is taken.
    """
    _require_sense(world, tenant, seed)
    now = world.clock.now()
    subscription = _made(tenant, seed, _moment(seed.appearsAt, seed.appearsIn, now, since), now)
    for change in seed.changes:
        subscription.schedule(to_change(change, now))
    tenant.subscriptions[subscription.id] = subscription
    return subscription


def _require_sense(world: World, tenant: Tenant, seed: SeedSubscription) -> None:
    if seed.skuId.lower() not in world.catalogue.skus:
        raise ValueError(f"SKU {seed.skuId} is not in the catalogue of the sandbox: add it under catalogue.skus.")
    if seed.id in tenant.subscriptions:
        raise ValueError(f"Tenant {tenant.id} already has a subscription {seed.id}.")
    _require_status(seed.status)


def _require_status(status: str | None) -> None:
    if status not in {None, *STATUSES}:
        raise ValueError(f"A subscription cannot be {status}: choose from {', '.join(STATUSES)}.")


def _made(tenant: Tenant, seed: SeedSubscription, appears_at: float, now: float) -> Subscription:
    number = len(tenant.subscriptions)
    made = Subscription(
        id=seed.id or tenant.new_id(f"subscription {number}"),
        commerceSubscriptionId=seed.commerceSubscriptionId or tenant.new_id(f"commerce {number}"),
        skuId=seed.skuId.lower(),
        totalLicenses=seed.totalLicenses,
        status=seed.status,
        isTrial=seed.isTrial,
        createdDateTime=seed.createdDateTime or to_moment(appears_at or now),
        nextLifecycleDateTime=_valid(seed.nextLifecycleDateTime),
        ownerTenantId=seed.ownerTenantId,
        appears_at=appears_at,
        term=seed.term or ("trial" if seed.isTrial else "standard"),
        graceDays=seed.graceDays,
        suspendedDays=seed.suspendedDays,
    )
    if seed.nextLifecycleDateTime is None and seed.status != "Enabled":
        made.nextLifecycleDateTime = made.next_moment(max(now, appears_at))
    return made


def _valid(moment: str | None) -> str | None:
    """The moment itself; raises ValueError here, not at the first look, when it is none."""
    if moment is not None:
        from_moment(moment)
    return moment


def to_change(change: SeedChange, now: float) -> Change:
    """The change at its sandbox moment; raises ValueError for a status that does not exist."""
    _require_status(change.status)
    at = _moment(change.at, change.after, now, now)
    return Change(at=at, status=change.status, totalLicenses=change.totalLicenses)


def _moment(at: str | None, after: float | None, now: float, otherwise: float) -> float:
    if at is not None:
        return from_moment(at)
    return now + after if after is not None else otherwise
