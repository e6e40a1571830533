"""The register of groups that we made: one per product and holder in a tenant."""

from provisioning.database.store import Store, columns_of, row_of, upserted
from provisioning.database.tables.tenants import licensing_groups
from provisioning.domain.groups import LicensingGroup
from provisioning.domain.ids import OrganisationId, SkuId, TenantId


class SqlGroups(Store):
    def find(self, tenant: TenantId, sku: SkuId, holder: OrganisationId) -> LicensingGroup | None:
        table = licensing_groups.c
        is_it = (table.tenant_id == tenant) & (table.sku_id == sku) & (table.holder_id == holder)
        return self._find(columns_of(licensing_groups, LicensingGroup).where(is_it), LicensingGroup)

    def list_in(self, tenant: TenantId) -> list[LicensingGroup]:
        table = licensing_groups.c
        query = columns_of(licensing_groups, LicensingGroup).where(table.tenant_id == tenant)
        return self._list(query.order_by(table.sku_id, table.holder_id), LicensingGroup)

    def save(self, group: LicensingGroup) -> None:
        self._connection.execute(upserted(licensing_groups, [row_of(group)]))
