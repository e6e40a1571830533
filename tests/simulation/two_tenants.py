"""Two tenants behind one gateway."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from provisioning.domain.groups import ObservedGroup
from provisioning.domain.ids import GroupId, SubjectId, TenantId
from provisioning.domain.migration import MatchRule
from provisioning.domain.observation import Census, Membership, Person, Seats, TenantProfile
from provisioning.domain.operation import Attempt, Receipt
from provisioning.domain.worklist import Lease
from tests.simulation.graph import FakeGraph, Write
from tests.simulation.weather import Weather

SOURCE = TenantId("22222222-2222-2222-2222-222222222222")
TARGET = TenantId("33333333-3333-3333-3333-333333333333")

LAGS = (timedelta(0), timedelta(seconds=15), timedelta(minutes=5))


def fair(lag: timedelta) -> Weather:
    return Weather(lag=lag)


def rough(lag: timedelta) -> Weather:
    return Weather(lost_after=0.1, lost_before=0.1, throttled=0.1, lag=lag)


@dataclass
class TwoTenants:
    """The gateway: each tenant's own Graph."""

    source: FakeGraph
    target: FakeGraph
    at_read: Callable[[], None] = lambda: None

    def _read(self, tenant: TenantId) -> FakeGraph:
        self.at_read()
        return self.of(tenant)

    def of(self, tenant: TenantId) -> FakeGraph:
        return {SOURCE: self.source, TARGET: self.target}[tenant]

    @property
    def writes(self) -> list[Write]:
        return sorted((*self.source.writes, *self.target.writes), key=lambda write: write.at)

    def observe_tenant(self, tenant: TenantId) -> TenantProfile:
        return self._read(tenant).observe_tenant(tenant)

    def observe_seats(self, tenant: TenantId) -> Seats:
        return self._read(tenant).observe_seats(tenant)

    def observe_readiness(self, tenant: TenantId) -> tuple[TenantProfile, Seats]:
        return self._read(tenant).observe_readiness(tenant)

    def resolve_subjects(self, tenant: TenantId, references: Sequence[str]) -> dict[str, SubjectId | None]:
        return self._read(tenant).resolve_subjects(tenant, references)

    def observe_census(self, tenant: TenantId) -> Census:
        return self._read(tenant).observe_census(tenant)

    def observe_people(self, tenant: TenantId, subjects: Sequence[SubjectId]) -> dict[SubjectId, Person | None]:
        return self._read(tenant).observe_people(tenant, subjects)

    def observe_memberships(self, tenant: TenantId, keys: Collection[str]) -> Mapping[str, Membership]:
        return self._read(tenant).observe_memberships(tenant, keys)

    def observe_groups(
        self, tenant: TenantId, groups: Collection[GroupId], *, with_members: bool = True
    ) -> dict[GroupId, ObservedGroup | None]:
        return self._read(tenant).observe_groups(tenant, groups, with_members=with_members)

    def find_group(self, tenant: TenantId, nickname: str) -> ObservedGroup | None:
        return self._read(tenant).find_group(tenant, nickname)

    def read_match_keys(self, tenant: TenantId, rule: MatchRule) -> dict[SubjectId, str]:
        return self._read(tenant).read_match_keys(tenant, rule)

    def apply(self, tenant: TenantId, attempts: Sequence[Attempt], lease: Lease) -> list[Receipt]:
        return self.of(tenant).apply(tenant, attempts, lease)
