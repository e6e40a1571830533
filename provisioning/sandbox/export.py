"""The world as a seed: planted again it answers as it does now. The ledger, faults and counters are not part of it."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from provisioning.sandbox.catalogue import PlanRules, read_catalogue
from provisioning.sandbox.clock import to_moment
from provisioning.sandbox.model import AdministrativeUnit, Assignment, Group, School, SeedGroup, User
from provisioning.sandbox.seed import (
    Seed,
    SeedApp,
    SeedCatalogue,
    SeedConsent,
    SeedSecret,
    SeedTenant,
)
from provisioning.sandbox.seed_subscriptions import SeedChange, SeedSubscription
from provisioning.sandbox.subscriptions import Subscription
from provisioning.sandbox.tenants import App, Tenant
from provisioning.sandbox.world import World

_Rule = TypeVar("_Rule")
_Collection = TypeVar("_Collection", AdministrativeUnit, School)

_DEFAULTS = {
    kind: tuple((field.encode_name, field.name, field.default) for field in msgspec.structs.fields(kind))
    for kind in (User, Assignment)
}


def export_seed(world: World) -> Seed:
    """Complete in itself; moments to the second, subscriptions as they are now."""
    now = world.clock.now()
    for tenant in world.tenants.values():
        tenant.visible_subscriptions(now)  # moves them on to where they are now
    return Seed(
        apps=[_app(app) for app in world.apps.values()],
        catalogue=_catalogue(world),
        tenants=[_tenant(tenant, world.catalogue.rules) for tenant in world.tenants.values()],
    )


def _app(app: App) -> SeedApp:
    return SeedApp(
        id=app.id,
        secrets=[
            SeedSecret(value=held.value, expires=None if held.expires is None else to_moment(held.expires))
            for held in app.secrets
        ],
        certificates=app.certificates,
        requiredRoles=app.requiredRoles,
        redirectUris=app.redirectUris,
    )


def _catalogue(world: World) -> SeedCatalogue:
    """What was added to the twin's own, or took the place of something there."""
    own = read_catalogue()
    return SeedCatalogue(
        skus=[sku for sku_id, sku in world.catalogue.skus.items() if own.skus.get(sku_id) != sku],
        exclusive=_added(world.catalogue.rules.exclusive, own.rules.exclusive),
        requires=_added(world.catalogue.rules.requires, own.rules.requires),
    )


def _tenant(tenant: Tenant, rules: PlanRules) -> SeedTenant:
    return SeedTenant(
        id=tenant.id,
        displayName=tenant.name,
        domains=list(tenant.domains),
        country=tenant.country,
        defaultUsageLocation=tenant.default_usage_location,
        consents=[
            SeedConsent(app=held.app_id, roles=sorted(held.roles), enabled=held.is_enabled)
            for held in tenant.principals.values()
        ],
        exclusive=_added(tenant.rules.exclusive, rules.exclusive),
        requires=_added(tenant.rules.requires, rules.requires),
        subscriptions=[_subscription(held) for held in tenant.subscriptions.values()],
        users=list(_users(tenant)),
        groups=[to_seed(tenant, group) for group in tenant.groups],
        administrativeUnits=_collection(tenant, tenant.units.values()),
        schools=_collection(tenant, tenant.schools.values()),
        contracts=list(tenant.contracts),
        planStatuses=tenant.plan_statuses,
    )


def _subscription(held: Subscription) -> SeedSubscription:
    return SeedSubscription(
        id=held.id,
        commerceSubscriptionId=held.commerceSubscriptionId,
        skuId=held.skuId,
        totalLicenses=held.totalLicenses,
        status=held.status,
        isTrial=held.isTrial,
        createdDateTime=held.createdDateTime,
        nextLifecycleDateTime=held.nextLifecycleDateTime,
        ownerTenantId=held.ownerTenantId,
        appearsAt=to_moment(held.appears_at) if held.appears_at else None,
        term=held.term,
        graceDays=held.graceDays,
        suspendedDays=held.suspendedDays,
        changes=[
            SeedChange(at=to_moment(due.at), status=due.status, totalLicenses=due.totalLicenses) for due in held.changes
        ],
    )


def _users(tenant: Tenant) -> Iterator[dict[str, Any]]:
    """Without what a seed may leave out: of a large world that is two thirds."""
    present: Iterable[User] = filter(None, (tenant.directory.users[user] for user in tenant.directory.order))
    for user in present:
        told = _sparse(user)
        if user.assignments:
            told["assignments"] = [_sparse(held) for held in user.assignments]
        yield told


def _sparse(state: User | Assignment) -> dict[str, Any]:
    """The properties that differ from their defaults."""
    return {told: value for told, name, default in _DEFAULTS[type(state)] if (value := getattr(state, name)) != default}


def to_seed(tenant: Tenant, group: Group) -> SeedGroup:
    """A group with its members."""
    properties = {name: getattr(group, name) for name in Group.__struct_fields__}
    return SeedGroup(**properties, members=tuple(tenant.groups.members(group.id)))


def _collection(tenant: Tenant, rows: Iterable[_Collection]) -> list[_Collection]:
    """Without members who were deleted: a seed cannot name them."""
    users = tenant.directory.users
    return [
        msgspec.structs.replace(row, members=[member for member in row.members if users.get(member)]) for row in rows
    ]


def _added(known: Iterable[_Rule], own: Iterable[_Rule]) -> list[_Rule]:
    already = list(own)
    return [rule for rule in known if rule not in already]
