"""Tenants as Microsoft shows them: who is there, and which subscriptions."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from provisioning.domain.errors import GraphError
from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, ServicePlanId, SkuId, SubjectId, TenantId
from provisioning.domain.migration import MatchRule
from provisioning.domain.observation import (
    Census,
    Membership,
    Person,
    SeatCount,
    Seats,
    Subscription,
    TenantProfile,
)
from provisioning.domain.permissions import TIERS
from provisioning.ports import Clock
from tests.factories import guid

YEAR_END = datetime.fromisoformat("2027-01-01T00:00:00+00:00")


@dataclass
class FakeTenants:
    """`trouble`: what is raised instead of an answer. `asked`: how often each tenant's seats were looked at.

    `names`: sign-in names by which people are known there; `keys`: what they carry under every rule of matching;
    `plans`: of the products that are sold.

    `members`: of groups, units and schools by key. `unreadable`: keys that nobody can read whole.
    """

    clock: Clock
    purchases: dict[TenantId, list[Subscription]] = field(default_factory=dict)
    people: dict[TenantId, list[Person]] = field(default_factory=dict)
    trouble: dict[TenantId, GraphError] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    asked: Counter[TenantId] = field(default_factory=Counter)
    names: dict[TenantId, dict[str, SubjectId]] = field(default_factory=dict)
    keys: dict[TenantId, dict[SubjectId, str]] = field(default_factory=dict)
    plans: dict[SkuId, frozenset[ServicePlanId]] = field(default_factory=dict)
    permissions: frozenset[str] = frozenset().union(*TIERS)
    members: dict[tuple[TenantId, str], frozenset[SubjectId]] = field(default_factory=dict)

    def sell(self, tenant: TenantId, sku: SkuId, total: int, status: str = "Enabled") -> Subscription:
        one = Subscription(subscription_id=guid(), sku_id=sku, status=status, total=total, next_lifecycle_at=YEAR_END)
        self.purchases.setdefault(tenant, []).append(one)
        return one

    def take(self, tenant: TenantId, sku: SkuId) -> list[Subscription]:
        """All of the product leave, as they do when Microsoft moves an agreement."""
        gone = [one for one in self.purchases.get(tenant, []) if one.sku_id == sku]
        self.purchases[tenant] = [one for one in self.purchases.get(tenant, []) if one.sku_id != sku]
        return gone

    def bring(self, tenant: TenantId, purchases: Sequence[Subscription], status: str = "Enabled") -> None:
        arrived = [msgspec.structs.replace(one, subscription_id=guid(), status=status) for one in purchases]
        self.purchases.setdefault(tenant, []).extend(arrived)

    def settle(self, tenant: TenantId, *people: Person) -> None:
        self.people.setdefault(tenant, []).extend(people)

    def _answer(self, tenant: TenantId) -> None:
        if tenant in self.trouble:
            raise self.trouble[tenant]

    def observe_seats(self, tenant: TenantId) -> Seats:
        self.asked[tenant] += 1
        self._answer(tenant)
        found = tuple(self.purchases.get(tenant, []))
        counts = {sku: self._count(tenant, sku, found) for sku in {one.sku_id for one in found}}
        return Seats(tenant_id=tenant, observed_at=self.clock.now(), counts=counts, subscriptions=found)

    def _count(self, tenant: TenantId, sku: SkuId, found: Sequence[Subscription]) -> SeatCount:
        units = Counter({one.status: 0 for one in found})
        for one in found:
            units[one.status] += one.total if one.sku_id == sku else 0
        return SeatCount(
            sku_id=sku,
            part_number="",
            capability="Enabled",
            enabled=units["Enabled"],
            warning=units["Warning"],
            suspended=units["Suspended"],
            locked_out=0,
            consumed=sum(person.holds(sku) for person in self.people.get(tenant, [])),
            plan_ids=self.plans.get(sku, frozenset()),
        )

    def observe_census(self, tenant: TenantId) -> Census:
        self._answer(tenant)
        people = tuple(self.people.get(tenant, []))
        return Census(tenant_id=tenant, observed_at=self.clock.now(), is_complete=True, people=people)

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Membership]:
        self._answer(tenant)
        nobody = frozenset[SubjectId]()
        return {
            key: Membership(
                key=key, is_complete=key not in self.unreadable, members=self.members.get((tenant, key), nobody)
            )
            for key in keys
        }

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        self._answer(tenant)
        return {reference: self.names.get(tenant, {}).get(reference) for reference in references}

    def read_match_keys(self, tenant: TenantId, rule: MatchRule) -> dict[SubjectId, str]:
        self._answer(tenant)
        return self.keys.get(tenant, {})

    def observe_tenant(self, tenant: TenantId) -> TenantProfile:
        self._answer(tenant)
        return TenantProfile(
            tenant_id=tenant,
            initial_domain="x.onmicrosoft.com",
            verified_domains=(),
            country="NL",
            default_usage_location=None,
            permissions=self.permissions,
        )

    def observe_groups(
        self, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool
    ) -> dict[GroupId, ObservedGroup | None]:
        self._answer(tenant)
        return dict.fromkeys(groups)
