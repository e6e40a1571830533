"""Who has a seat reserved, and who waits for one."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ARRAY, Text, any_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from provisioning.database.store import Store
from provisioning.database.tables.operations import operations, reservations, seat_baselines, waiting_list
from provisioning.domain.ids import OperationId, SkuId, SubjectId, TenantId
from provisioning.ports import WaitingList

_WHOSE = ("holder_id", "audience", "organisations", "part", "remap")


class SqlSeats(Store):
    def reserved(self, tenant: TenantId, sku: SkuId, apart_from: OperationId | None = None) -> set[SubjectId]:
        table = reservations.c
        query = select(table.subject_id).where(table.tenant_id == tenant, table.sku_id == sku)
        if apart_from is not None:
            query = query.where(table.operation_id != apart_from)
        return set(self._connection.scalars(query))

    def release(self, operation: OperationId) -> None:
        self._connection.execute(delete(reservations).where(reservations.c.operation_id == operation))

    def waiting(self, tenant: TenantId, sku: SkuId) -> list[SubjectId]:
        table = waiting_list.c
        query = select(table.subject_id).where(
            table.tenant_id == tenant, table.sku_id == sku, table.served_at.is_(None)
        )
        return list(self._connection.scalars(query.order_by(table.place)))

    def waiting_lists(self, tenant: TenantId | None = None) -> list[WaitingList]:
        table, wish = waiting_list.c, operations.c.wish
        latest = func.array_agg(aggregate_order_by(table.operation_id, table.listed_at.desc(), table.place.desc()))
        query = (
            select(
                table.tenant_id,
                table.sku_id,
                latest[1].label("operation_id"),
                func.count().label("people"),
                func.min(table.since).label("since"),
            )
            .join_from(waiting_list, operations, table.operation_id == operations.c.operation_id)
            .where(table.served_at.is_(None), *([] if tenant is None else [table.tenant_id == tenant]))
            # two boards in one tenant are two lists: whom one operation speaks of, another may not know
            .group_by(table.tenant_id, table.sku_id, *(wish.op("->")(literal(part, Text)) for part in _WHOSE))
            .order_by(func.min(table.since))
        )
        return self._list(query, WaitingList)

    def served(self, tenant: TenantId, sku: SkuId, subjects: Collection[SubjectId], at: datetime) -> None:
        table = waiting_list.c
        waits = (table.tenant_id == tenant) & (table.sku_id == sku) & table.served_at.is_(None)
        theirs = table.subject_id == any_(literal(sorted(subjects), ARRAY(Text)))
        self._connection.execute(update(waiting_list).where(waits, theirs).values(served_at=at))

    def stop_waiting(self, operation: OperationId, at: datetime) -> None:
        table = waiting_list.c
        waits = (table.operation_id == operation) & table.served_at.is_(None)
        self._connection.execute(update(waiting_list).where(waits).values(served_at=at))

    def note_unexplained(self, tenant: TenantId, sku: SkuId, number: int, at: datetime) -> None:
        if self.unexplained_before(tenant, sku, at) == number:
            return
        row = {"tenant_id": tenant, "sku_id": sku, "seen_at": at, "unexplained": number}
        self._connection.execute(insert(seat_baselines).values(row).on_conflict_do_nothing())

    def unexplained_before(self, tenant: TenantId, sku: SkuId, moment: datetime) -> int | None:
        table = seat_baselines.c
        known = (table.tenant_id == tenant) & (table.sku_id == sku) & (table.seen_at <= moment)
        query = select(table.unexplained).where(known).order_by(table.seen_at.desc()).limit(1)
        found: int | None = self._connection.scalar(query)
        return found
