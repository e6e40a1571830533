"""Seeds: a whole world in one JSON document, complete in itself.

    {
      "randomSeed": 1,
      "apps": [{"id": GUID, "secrets": [{"value": "...", "expires": moment|null}], "certificates": [PEM],
                "requiredRoles": ["User.Read.All"], "redirectUris": []}],
      "catalogue": {"skus": [{"skuId", "skuPartNumber", "appliesTo"?, "servicePlans": [{"servicePlanId",
                    "servicePlanName", "appliesTo"?}]}], "exclusive": [[plan, plan]],
                    "requires": [{"plan", "anyOf": [plan]}]},
      "tenants": [{
        "id": GUID, "displayName": "...", "domains": ["first is default", "x.onmicrosoft.com"],
        "country": "NL", "defaultUsageLocation": "NL"|null,
        "consents": [{"app": GUID, "roles": [...], "enabled": true}],
        "exclusive": [[plan, plan]], "requires": [{"plan", "anyOf"}],
        "subscriptions": [{"skuId", "totalLicenses", "id"?, "status"?, "isTrial"?, "createdDateTime"?,
                           "nextLifecycleDateTime"?, "ownerTenantId"?, "appearsAt"?: moment, "appearsIn"?: seconds,
                           "term"?: "standard"|"multiYear"|"volume"|"openValue"|"trial", "graceDays"?, "suspendedDays"?,
                           "changes"?: [{"at"|"in", "status"?, "totalLicenses"?}]}],
        "users": [{"id"?, "userPrincipalName", any other property of the user resource, "extensions": {name: text},
                   "primaryRole", "assignments": [{"skuId", "disabledPlans", "assignedByGroup"|null, "state", "error",
                   "lastUpdatedDateTime"?}]}],
        "population": [{"count": 500, "prefix": "leerling", "domain"?, "user": {as in users, without names}}],
        "groups": [{"id", "displayName", "members": [user id or UPN], "groupTypes", "membershipRule", ...}],
        "administrativeUnits": [{"id", "displayName", "members"}],
        "schools": [{"id", "displayName", "externalId"?, "schoolNumber"?, "members"}]
      }]
    }

Everything but a tenant's `id`, a subscription's `skuId` and `totalLicenses`, and a user's `userPrincipalName` may be
left out. `catalogue` adds to the twin's own. Moments are ISO 8601 and mean sandbox time. At `nextLifecycleDateTime` a
subscription moves on by itself, for as long as its term says: see `lifecycle.py`.
"""

import sys
import uuid
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from provisioning.sandbox.catalogue import Dependency, PlanRules, Sku
from provisioning.sandbox.clock import from_moment, to_moment
from provisioning.sandbox.consent import grant
from provisioning.sandbox.model import AdministrativeUnit, Assignment, Group, School, User
from provisioning.sandbox.seed_subscriptions import SeedSubscription, add_subscription
from provisioning.sandbox.tenants import App, Secret, Tenant
from provisioning.sandbox.world import World


class SeedStruct(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A misspelt name in a seed is an error, never silence."""


class SeedSecret(SeedStruct):
    value: str
    expires: str | None = None


class SeedApp(SeedStruct):
    id: str
    secrets: list[SeedSecret] = []
    certificates: list[str] = []
    requiredRoles: list[str] = []
    redirectUris: list[str] = []


class SeedCatalogue(SeedStruct):
    skus: list[Sku] = []
    exclusive: list[tuple[str, str]] = []
    requires: list[Dependency] = []


class SeedConsent(SeedStruct):
    app: str
    roles: list[str] = []
    enabled: bool = True


class SeedPopulation(SeedStruct):
    count: int
    prefix: str
    domain: str | None = None
    user: dict[str, Any] = {}

    @property
    def names(self) -> Iterator[str]:
        """The user principal names, where the domain is given."""
        return (f"{self.prefix}-{number:04}@{self.domain}" for number in range(1, self.count + 1))


class SeedTenant(SeedStruct):
    id: str
    displayName: str = ""
    domains: list[str] = []
    country: str = "NL"
    defaultUsageLocation: str | None = "NL"
    consents: list[SeedConsent] = []
    exclusive: list[tuple[str, str]] = []
    requires: list[Dependency] = []
    subscriptions: list[SeedSubscription] = []
    users: list[dict[str, Any]] = []
    population: list[SeedPopulation] = []
    groups: list[Group] = []
    administrativeUnits: list[AdministrativeUnit] = []
    schools: list[School] = []


class Seed(SeedStruct):
    randomSeed: int = 1
    apps: list[SeedApp] = []
    catalogue: SeedCatalogue = msgspec.field(default_factory=SeedCatalogue)
    tenants: list[SeedTenant] = []


def read_seed(document: bytes) -> Seed:
    """The seed in a JSON document; raises msgspec.DecodeError naming the field that is wrong."""
    return msgspec.json.decode(document, type=Seed)


def plant(world: World, seed: Seed) -> None:
    """Add everything in `seed` to the world; raises ValueError or msgspec.ValidationError for what cannot be."""
    _extend_catalogue(world, seed.catalogue)
    for app in seed.apps:
        register_app(world, app)
    for tenant in seed.tenants:
        _plant_tenant(world, tenant)


def _extend_catalogue(world: World, added: SeedCatalogue) -> None:
    world.catalogue.skus.update({sku.skuId: sku for sku in added.skus})
    world.catalogue.rules = world.catalogue.rules.extended(added.exclusive, added.requires)


def register_app(world: World, seed: SeedApp) -> App:
    """Register an app, or replace its registration."""
    secrets = [
        Secret(value=held.value, expires=from_moment(held.expires) if held.expires else None) for held in seed.secrets
    ]
    app = App(
        id=seed.id.lower(),
        secrets=secrets,
        certificates=seed.certificates,
        requiredRoles=seed.requiredRoles,
        redirectUris=seed.redirectUris,
    )
    world.apps[app.id] = app
    return app


def _plant_tenant(world: World, seed: SeedTenant) -> None:
    domains = seed.domains or [f"t{seed.id[:8]}.onmicrosoft.com"]
    tenant = world.add_tenant(seed.id.lower(), seed.displayName or domains[0], domains)
    tenant.country, tenant.default_usage_location = seed.country, seed.defaultUsageLocation
    rules: PlanRules = tenant.rules
    tenant.rules = rules.extended(seed.exclusive, seed.requires)
    for consent in seed.consents:
        grant(world, tenant, consent.app.lower(), frozenset(consent.roles)).is_enabled = consent.enabled
    for subscription in seed.subscriptions:
        add_subscription(world, tenant, subscription)
    for user in _users(world, tenant, seed):
        tenant.directory.put(user)
    _plant_collections(tenant, seed)


def _users(world: World, tenant: Tenant, seed: SeedTenant) -> Iterator[User]:
    moment = to_moment(world.clock.now())
    for properties in seed.users:
        yield new_user(tenant, properties, moment)
    for population in seed.population:
        yield from _population(tenant, population, moment)


def new_user(tenant: Tenant, properties: dict[str, Any], moment: str) -> User:
    """A user from the properties in a seed; raises msgspec.ValidationError. Without an id one follows from the UPN."""
    upn = str(properties.get("userPrincipalName", ""))
    generated = {"id": str(uuid.uuid5(uuid.UUID(tenant.id), upn.lower())), "createdDateTime": moment}
    complete = {**generated, **properties, "assignments": to_assignments(properties.get("assignments", ()), moment)}
    user = msgspec.convert(complete, User)
    return msgspec.structs.replace(user, id=user.id.lower(), **_interned(user))


def to_assignments(rows: Any, moment: str) -> tuple[Assignment, ...]:
    """Assignments as seeds and the control API write them."""
    complete = [{"lastUpdatedDateTime": moment, **row} for row in rows]
    return msgspec.convert(complete, tuple[Assignment, ...])


_SHARED_NAMES = (
    *("usageLocation", "userType", "department", "companyName", "officeLocation", "jobTitle", "employeeType"),
    *("preferredLanguage", "createdDateTime", "primaryRole"),
)


def _interned(user: User) -> dict[str, Any]:
    """Values that many people share are kept once."""
    shared = {name: sys.intern(value) for name in _SHARED_NAMES if (value := getattr(user, name)) is not None}
    mail = user.userPrincipalName if user.mail == user.userPrincipalName else user.mail
    return {**shared, "mail": mail, "assignments": _kept_once(user.assignments)}


@lru_cache(maxsize=4096)
def _kept_once(assignments: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
    """The first of equal ones: in a school most people hold the same."""
    return assignments


def _population(tenant: Tenant, population: SeedPopulation, moment: str) -> Iterator[User]:
    domain = population.domain or tenant.domains[0]
    first = new_user(tenant, {"userPrincipalName": f"x@{domain}", **population.user}, moment)
    namespace = uuid.UUID(tenant.id)
    for number in range(1, population.count + 1):
        name = f"{population.prefix}-{number:04}"
        upn = f"{name}@{domain}"
        user_id = str(uuid.uuid5(namespace, upn))
        yield msgspec.structs.replace(first, id=user_id, userPrincipalName=upn, displayName=name, mail=upn)


def _plant_collections(tenant: Tenant, seed: SeedTenant) -> None:
    for collection, rows in (
        (tenant.groups, seed.groups),
        (tenant.units, seed.administrativeUnits),
        (tenant.schools, seed.schools),
    ):
        for row in rows:
            row.members = [_member(tenant, member) for member in row.members]
            collection[row.id] = row  # type: ignore[assignment]  # each collection meets its own rows


def _member(tenant: Tenant, id_or_upn: str) -> str:
    user_id = tenant.directory.find_id(id_or_upn)
    if user_id is None:
        raise ValueError(f"The seed names a member {id_or_upn} that tenant {tenant.id} does not have.")
    return user_id
