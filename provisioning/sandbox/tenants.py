"""One tenant of the twin, and the registrations of the apps that visit it."""

import uuid
from collections.abc import Iterable, Iterator

import msgspec

from provisioning.sandbox.catalogue import PlanRules
from provisioning.sandbox.model import AdministrativeUnit, Directory, Group, School, ServicePrincipal
from provisioning.sandbox.replicas import Replicas
from provisioning.sandbox.subscriptions import SERVING, PrepaidUnits, Subscription, prepaid_units


class Tenant:
    def __init__(self, tenant_id: str, name: str, domains: Iterable[str], replicas: Replicas, rules: PlanRules) -> None:
        self.id = tenant_id
        self.name = name
        self.domains = tuple(domains)
        self.country = "NL"
        self.default_usage_location: str | None = "NL"
        self.created = "2020-01-01T00:00:00Z"
        self.rules = rules
        self.replicas = replicas
        self.directory = Directory()
        self.groups: dict[str, Group] = {}
        self.units: dict[str, AdministrativeUnit] = {}
        self.schools: dict[str, School] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.principals: dict[str, ServicePrincipal] = {}

    def new_id(self, name: str) -> str:
        """A GUID that is the same whenever a tenant with this id needs one for `name`."""
        return str(uuid.uuid5(uuid.UUID(self.id), name))

    def visible_subscriptions(self, now: float) -> list[Subscription]:
        for subscription in self.subscriptions.values():
            subscription.advance(now)
        return [subscription for subscription in self.subscriptions.values() if subscription.is_visible(now)]

    def listed_subscriptions(self, now: float, *, with_deleted: bool) -> list[Subscription]:
        """What the tenant has, and on demand what it had."""
        visible = self.visible_subscriptions(now)
        return [held for held in self.subscriptions.values() if held.has_appeared(now)] if with_deleted else visible

    def units_of(self, sku_id: str, now: float) -> PrepaidUnits:
        return prepaid_units(held for held in self.visible_subscriptions(now) if held.skuId == sku_id)

    def owned_skus(self, now: float) -> Iterator[str]:
        return (subscription.skuId for subscription in self.visible_subscriptions(now))

    def dormant_skus(self, now: float) -> frozenset[str]:
        """What the tenant has, but only suspended or locked out."""
        visible = self.visible_subscriptions(now)
        return frozenset(held.skuId for held in visible) - {held.skuId for held in visible if held.status in SERVING}


class Secret(msgspec.Struct, kw_only=True):
    value: str
    expires: float | None = None


class App(msgspec.Struct, kw_only=True):
    """An app registration: its credentials, what it asks for at consent, where consent may return to."""

    id: str
    secrets: list[Secret] = []
    certificates: list[str] = []
    requiredRoles: list[str] = []
    redirectUris: list[str] = []
