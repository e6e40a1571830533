"""Which tenants we know, and what was decided about one."""

from dataclasses import dataclass

import msgspec

from provisioning.domain.calendar import dutch_day
from provisioning.domain.operation import Operation
from provisioning.domain.tenancy import Binding, Policy, Tenant
from provisioning.domain.worklist import Stop
from provisioning.ports import Clock, OpenUnitOfWork
from provisioning.services.lookup import get_tenant

_LATEST = 20


class TenantSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant with all that hangs on it today."""

    tenant: Tenant
    bindings: list[Binding]
    policy: Policy
    proposals: list[Policy]
    stops: list[Stop]
    operations: list[Operation]


@dataclass(frozen=True, kw_only=True)
class ShowTenants:
    open_uow: OpenUnitOfWork
    clock: Clock

    def __call__(self) -> list[Tenant]:
        """All of them, by domain."""
        with self.open_uow() as uow:
            return sorted(uow.tenants.list_all(), key=lambda tenant: tenant.initial_domain)

    def one(self, named: str) -> TenantSheet:
        """The sheet of the tenant with this domain or id; raises InputError when there is none."""
        today = dutch_day(self.clock.now())
        with self.open_uow() as uow:
            tenant = get_tenant(uow, named)
            scopes = {"all", f"tenant:{tenant.tenant_id}"}
            return TenantSheet(
                tenant=tenant,
                bindings=uow.tenants.bindings_in(tenant.tenant_id, today),
                policy=uow.tenants.policy_on(tenant.tenant_id, today),
                proposals=[x for x in uow.tenants.list_policies(tenant.tenant_id) if x.approved_by is None],
                stops=[stop for stop in uow.stops.list_all() if stop.scope in scopes],
                operations=uow.operations.list_by(tenant=tenant.tenant_id, limit=_LATEST),
            )
