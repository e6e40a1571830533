"""Tenants; with their bindings and policies they make one store."""

from datetime import datetime

from sqlalchemy import func, or_, update

from provisioning.database.bindings import SqlBindings
from provisioning.database.policies import SqlPolicies
from provisioning.database.store import columns_of, row_of, upserted
from provisioning.database.tables.tenants import tenants
from provisioning.domain.ids import TenantId
from provisioning.domain.tenancy import Tenant


class SqlTenants(SqlBindings, SqlPolicies):
    def find(self, tenant: TenantId) -> Tenant | None:
        return self._find(columns_of(tenants, Tenant).where(tenants.c.tenant_id == tenant), Tenant)

    def find_by_domain(self, domain: str) -> Tenant | None:
        wanted = domain.strip().lower()
        is_theirs = or_(tenants.c.initial_domain == wanted, tenants.c.verified_domains.contains([wanted]))
        return self._find(columns_of(tenants, Tenant).where(is_theirs).limit(1), Tenant)

    def list_all(self) -> list[Tenant]:
        return self._list(columns_of(tenants, Tenant).order_by(tenants.c.tenant_id), Tenant)

    def save(self, tenant: Tenant) -> None:
        row = row_of(tenant) | {
            "initial_domain": tenant.initial_domain.lower(),
            "verified_domains": [domain.lower() for domain in tenant.verified_domains],
        }
        # What once was written or proven stays so, whatever an older copy of the tenant says.
        for name in ("first_write_at", "proven_at"):
            if row[name] is None:
                del row[name]
        self._connection.execute(upserted(tenants, [row]))

    def note_first_write(self, tenant: TenantId, at: datetime) -> None:
        self._note(tenant, "first_write_at", at)

    def note_proven(self, tenant: TenantId, at: datetime) -> None:
        self._note(tenant, "proven_at", at)

    def _note(self, tenant: TenantId, name: str, at: datetime) -> None:
        first = func.coalesce(tenants.c[name], at)
        self._connection.execute(update(tenants).where(tenants.c.tenant_id == tenant).values({name: first}))
