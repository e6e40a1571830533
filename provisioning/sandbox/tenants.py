"""One tenant of the twin, and the registrations of the apps that visit it."""

from collections.abc import Iterable, Iterator

import msgspec

from provisioning.sandbox.catalogue import PlanRules
from provisioning.sandbox.memberships import Groups
from provisioning.sandbox.model import AdministrativeUnit, Directory, School, ServicePrincipal
from provisioning.sandbox.processing import Queue
from provisioning.sandbox.replicas import Replicas
from provisioning.sandbox.subscriptions import PrepaidUnits, Subscription, prepaid_units


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
        self.groups = Groups()
        self.queue = Queue()
        self.units: dict[str, AdministrativeUnit] = {}
        self.schools: dict[str, School] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.principals: dict[str, ServicePrincipal] = {}

    def visible_subscriptions(self, now: float) -> list[Subscription]:
        for subscription in self.subscriptions.values():
            subscription.advance(now)
        return [subscription for subscription in self.subscriptions.values() if subscription.is_visible(now)]

    def units_of(self, sku_id: str, now: float) -> PrepaidUnits:
        return prepaid_units(held for held in self.visible_subscriptions(now) if held.skuId == sku_id)

    def owned_skus(self, now: float) -> Iterator[str]:
        return (subscription.skuId for subscription in self.visible_subscriptions(now))


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
