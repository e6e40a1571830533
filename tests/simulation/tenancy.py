"""Tenants of the simulation: what was agreed for them, who was promised a seat there, and groups of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime

import msgspec

from provisioning.domain.catalogue import Audience
from provisioning.domain.groups import LicensingGroup
from provisioning.domain.ids import BindingId, OperationId, OrganisationId, SkuId, SubjectId, TenantId
from provisioning.domain.order import LedgerEntry
from provisioning.domain.tenancy import Binding, Policy, Tenant
from provisioning.ports import WaitingList
from tests.simulation.rows import Store


class Tenants(Store):
    def find(self, tenant: TenantId) -> Tenant | None:
        return self.rows.tenants.get(tenant)

    def save(self, tenant: Tenant) -> None:
        self.rows.tenants[tenant.tenant_id] = tenant

    def note_first_write(self, tenant: TenantId, at: datetime) -> None:
        found = self.rows.tenants[tenant]
        if found.first_write_at is None:
            self.save(msgspec.structs.replace(found, first_write_at=at))

    def note_proven(self, tenant: TenantId, at: datetime) -> None:
        self.save(msgspec.structs.replace(self.rows.tenants[tenant], proven_at=at))

    def bindings_in(self, tenant: TenantId, on: date) -> list[Binding]:
        return [one for one in self.rows.bindings if one.tenant_id == tenant and one.is_valid_on(on)]

    def policy_on(self, tenant: TenantId, on: date) -> Policy:
        coming = [one for one in self.rows.coming_policies if one.valid_from <= on]
        return coming[-1] if coming else self.rows.policies[tenant]

    def list_policies(self, tenant: TenantId) -> list[Policy]:
        return [*reversed(self.rows.coming_policies), self.rows.policies[tenant]]

    def selection_size(self, binding: BindingId, audience: Audience) -> int | None:
        return self.rows.selection_sizes.get((binding, audience))

    def note_selection(self, binding: BindingId, audience: Audience, size: int, at: datetime) -> None:
        self.rows.selection_sizes[binding, audience] = size


class Ledger(Store):
    def tenant_total(self, tenant: TenantId, sku: SkuId, on: date) -> int:
        return self.rows.entitlements.get((tenant, sku), 0)

    def list_by(self, holder: str) -> list[LedgerEntry]:
        return list(self.rows.ledger)

    def entitlement(self, holder: str, tenant: TenantId, sku: SkuId, on: date) -> int:
        return self.tenant_total(tenant, sku, on)


class Seats(Store):
    def reserved(self, tenant: TenantId, sku: SkuId, apart_from: OperationId | None = None) -> set[SubjectId]:
        return {
            subject
            for (where, what, subject), operation in self.rows.reserved.items()
            if (where, what) == (tenant, sku) and operation != apart_from
        }

    def release(self, operation: OperationId) -> None:
        for seat in [seat for seat, owner in self.rows.reserved.items() if owner == operation]:
            del self.rows.reserved[seat]

    def waiting(self, tenant: TenantId, sku: SkuId) -> list[SubjectId]:
        return [subject for where, what, subject in self.rows.waiting if (where, what) == (tenant, sku)]

    def waiting_lists(self, tenant: TenantId | None = None) -> list[WaitingList]:
        lists = Counter((where, sku) for where, sku, _ in self.rows.waiting if tenant in {None, where})
        latest = {(tenant, sku): operation for (tenant, sku, _), operation in self.rows.waiting.items()}
        return [
            WaitingList(
                tenant_id=where,
                sku_id=sku,
                operation_id=latest[where, sku],
                people=people,
                since=self.rows.operations[latest[where, sku]].created_at,
            )
            for (where, sku), people in lists.items()
        ]

    def served(self, tenant: TenantId, sku: SkuId, subjects: Collection[SubjectId], at: datetime) -> None:
        for subject in subjects:
            self.rows.waiting.pop((tenant, sku, subject), None)

    def stop_waiting(self, operation: OperationId, at: datetime) -> None:
        for place in [place for place, listing in self.rows.waiting.items() if listing == operation]:
            del self.rows.waiting[place]

    def note_unexplained(self, tenant: TenantId, sku: SkuId, number: int, at: datetime) -> None:
        if self.unexplained_before(tenant, sku, at) != number:
            self.rows.baselines.append((tenant, sku, at, number))

    def unexplained_before(self, tenant: TenantId, sku: SkuId, moment: datetime) -> int | None:
        known = [(at, number) for where, what, at, number in self.rows.baselines if (where, what) == (tenant, sku)]
        return max((one for one in known if one[0] <= moment), default=(moment, None))[1]


class Groups(Store):
    def find(self, tenant: TenantId, sku: SkuId, holder: OrganisationId) -> LicensingGroup | None:
        return self.rows.groups.get((tenant, sku, holder))

    def list_in(self, tenant: TenantId) -> list[LicensingGroup]:
        return [group for (where, _, _), group in self.rows.groups.items() if where == tenant]

    def save(self, group: LicensingGroup) -> None:
        self.rows.groups[group.tenant_id, group.sku_id, group.holder_id] = group
