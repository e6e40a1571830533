"""The ledger of entitlements: deltas, added and never changed."""

from collections.abc import Collection, Iterable
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select

from provisioning.database.store import Store, columns_of, inserted, row_of
from provisioning.database.tables.orders import ledger
from provisioning.domain.ids import OrganisationId, SkuId, TenantId
from provisioning.domain.order import LedgerEntry


class SqlLedger(Store):
    def append(self, entries: Iterable[LedgerEntry]) -> None:
        rows = [row_of(entry) for entry in entries]
        if rows:
            self._connection.execute(inserted(ledger, rows))

    def list_by(self, holder: OrganisationId) -> list[LedgerEntry]:
        query = columns_of(ledger, LedgerEntry).where(ledger.c.holder_id == holder)
        return self._list(query.order_by(ledger.c.entry_id), LedgerEntry)

    def entitlement(self, holder: OrganisationId, tenant: TenantId, sku: SkuId, on: date) -> int:
        return self._sum(
            ledger.c.holder_id == holder, ledger.c.tenant_id == tenant, ledger.c.sku_id == sku, _in_force(on)
        )

    def holdings(self, skus: Collection[SkuId], on: date) -> dict[tuple[OrganisationId, TenantId, SkuId], int]:
        table, total = ledger.c, func.sum(ledger.c.delta)
        place = (table.holder_id, table.tenant_id, table.sku_id)
        query = select(*place, total).where(table.sku_id.in_(skus), table.tenant_id.is_not(None), _in_force(on))
        rows = self._connection.execute(query.group_by(*place).having(total > 0))
        return {(holder, tenant, sku): int(seats) for holder, tenant, sku, seats in rows}

    def tenant_total(self, tenant: TenantId, sku: SkuId, on: date) -> int:
        return self._sum(ledger.c.tenant_id == tenant, ledger.c.sku_id == sku, _in_force(on))

    def _sum(self, *conditions: ColumnElement[bool]) -> int:
        total = select(func.coalesce(func.sum(ledger.c.delta), 0)).where(*conditions)
        return int(self._connection.execute(total).scalar_one())


def _in_force(on: date) -> ColumnElement[bool]:
    return (ledger.c.effective_on <= on) & or_(ledger.c.ends_on.is_(None), ledger.c.ends_on >= on)
