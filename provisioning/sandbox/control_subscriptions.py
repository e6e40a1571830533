"""Control of subscriptions: what Microsoft and its partners do to them, on time, late, twice or in the wrong tenant."""

import math
from typing import Literal

import msgspec

from provisioning.sandbox.clock import from_moment, to_moment
from provisioning.sandbox.control_settings import Answer, get_tenant, needed
from provisioning.sandbox.errors import AbsentError
from provisioning.sandbox.lifecycle import YEAR, Term
from provisioning.sandbox.seed_subscriptions import (
    Days,
    Seconds,
    SeedChange,
    SeedSubscription,
    Units,
    add_subscription,
    to_change,
)
from provisioning.sandbox.subscriptions import Change, Subscription
from provisioning.sandbox.tenants import Tenant
from provisioning.sandbox.wire import Request
from provisioning.sandbox.world import World


def list_all(world: World, request: Request) -> Answer:
    """`?tenant=`: all there are, also those to come and those that are gone."""
    tenant = get_tenant(world, needed(request.options, "tenant"))
    tenant.visible_subscriptions(world.clock.now())
    return {"value": list(tenant.subscriptions.values())}


class NewSubscription(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str
    subscription: SeedSubscription


def add(world: World, request: Request) -> Subscription:
    """Seats, now or later: `appearsIn` seconds, as when Microsoft takes its time."""
    wanted = msgspec.json.decode(request.body, type=NewSubscription)
    return add_subscription(world, get_tenant(world, wanted.tenant), wanted.subscription, world.clock.now())


class SubscriptionChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    tenant: str
    id: str
    change: SeedChange = msgspec.field(default_factory=SeedChange)
    nextLifecycleDateTime: str | None = None
    term: Term | None = None
    graceDays: Days | None = None
    suspendedDays: Days | None = None


def change(world: World, request: Request) -> Subscription:
    """Change the status or the number of seats, now or at a sandbox moment; the end of its state, or its durations."""
    wanted = msgspec.json.decode(request.body, type=SubscriptionChange)
    subscription = _find(get_tenant(world, wanted.tenant), wanted.id)
    now = world.clock.now()
    planned = to_change(wanted.change, now)
    ends = None if wanted.nextLifecycleDateTime is None else from_moment(wanted.nextLifecycleDateTime)
    subscription.advance(now)
    subscription.schedule(planned)
    subscription.advance(now)
    _set_durations(subscription, wanted, now)
    if ends is not None:
        subscription.nextLifecycleDateTime = to_moment(ends)
    subscription.advance(now)
    return subscription


def _find(tenant: Tenant, subscription_id: str) -> Subscription:
    subscription = tenant.subscriptions.get(subscription_id)
    if subscription is None:
        raise AbsentError(f"Tenant {tenant.id} has no subscription {subscription_id}.")
    return subscription


def _set_durations(subscription: Subscription, wanted: SubscriptionChange, now: float) -> None:
    """Also the state that it is in now lasts as long as it is told, from its own beginning."""
    given = {
        name: value for name in ("term", "graceDays", "suspendedDays") if (value := getattr(wanted, name)) is not None
    }
    for name, value in given.items():
        setattr(subscription, name, value)
    if given and subscription.status != "Enabled":
        since = subscription.history[-1][0] if subscription.history else now
        subscription.nextLifecycleDateTime = subscription.next_moment(since)


class Renewal(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"after": "in"}):
    """Another product or number than before when given; `overlapDays` replaces the grace of the old one."""

    tenant: str
    id: str
    at: str | None = None
    after: Seconds | None = None
    skuId: str | None = None
    totalLicenses: Units | None = None
    overlapDays: Days | None = None
    lateBy: Seconds = 0.0


def renew(world: World, request: Request) -> Answer:
    """The old subscription goes into grace and a new one is there: for a while there are twice as many seats.

    `lateBy` seconds pass before the new one shows.
    """
    wanted = msgspec.json.decode(request.body, type=Renewal)
    tenant = get_tenant(world, wanted.tenant)
    old = _find(tenant, wanted.id)
    now = world.clock.now()
    old.advance(now)
    if old.status != "Enabled":
        raise ValueError(
            f"Subscription {old.id} is {old.status}: only an Enabled one is renewed; add a new one instead."
        )
    # To the second, as its end is written: old and new shall change places at the same instant.
    at = math.floor(to_change(SeedChange(at=wanted.at, after=wanted.after), now).at)
    new = _successor(world, tenant, old, wanted, at)
    old.graceDays = old.graceDays if wanted.overlapDays is None else wanted.overlapDays
    old.nextLifecycleDateTime = to_moment(at)
    tenant.visible_subscriptions(now)
    return {"old": old, "new": new}


def _successor(world: World, tenant: Tenant, old: Subscription, wanted: Renewal, at: float) -> Subscription:
    total = old.totalLicenses if wanted.totalLicenses is None else wanted.totalLicenses
    seed = SeedSubscription(
        skuId=wanted.skuId or old.skuId,
        totalLicenses=total,
        createdDateTime=to_moment(at),
        nextLifecycleDateTime=to_moment(at + YEAR),
        ownerTenantId=old.ownerTenantId,
        term=old.term,
    )
    return add_subscription(world, tenant, seed, at + wanted.lateBy)


class Move(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"after": "in"}):
    """`lost`: it leaves and arrives nowhere; `doubled`: it arrives, and stays where it was as well."""

    tenant: str
    id: str
    to: str
    at: str | None = None
    after: Seconds | None = None
    arrivesIn: Seconds = 0.0
    outcome: Literal["moved", "lost", "doubled"] = "moved"


def move(world: World, request: Request) -> Answer:
    """Remap a subscription to another tenant: people where it leaves lose the service at that moment.

    It arrives `arrivesIn` seconds after it left, as itself: same purchase, same end.
    """
    wanted = msgspec.json.decode(request.body, type=Move)
    source, target = get_tenant(world, wanted.tenant), get_tenant(world, wanted.to)
    held = _find(source, wanted.id)
    if source is target:
        raise ValueError("A subscription moves to another tenant: name that one in to.")
    now = world.clock.now()
    held.advance(now)
    at = to_change(SeedChange(at=wanted.at, after=wanted.after), now).at
    arrived = None if wanted.outcome == "lost" else _arrival(target, held, at + wanted.arrivesIn)
    if wanted.outcome != "doubled":
        held.schedule(Change(at=at, status="Deleted"))
    held.advance(now)
    return {"from": held, "to": arrived}


def _arrival(target: Tenant, held: Subscription, at: float) -> Subscription:
    """The same purchase under an id of its own."""
    arrived = msgspec.structs.replace(
        held,
        id=target.new_id(f"moved {held.id} {len(target.subscriptions)}"),
        appears_at=at,
        changes=list(held.changes),
        history=[],
    )
    target.subscriptions[arrived.id] = arrived
    return arrived
