"""Operations: the only queue of record is their `due_at`."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import Text, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from provisioning.database.jsonb import JsonOf
from provisioning.database.store import Store, columns_of, row_of
from provisioning.database.tables.operations import WRITING, operations
from provisioning.domain.errors import ConflictError, InputError
from provisioning.domain.ids import LineKey, OperationId, TenantId
from provisioning.domain.lifecycle import OPERATION_ENDS, OperationState
from provisioning.domain.operation import Lane, Operation
from provisioning.domain.reasons import Reason


class SqlOperations(Store):
    def add(self, operation: Operation) -> None:
        self._connection.execute(insert(operations).values(row_of(operation)))

    def find(self, operation: OperationId) -> Operation | None:
        return self._find(columns_of(operations, Operation).where(operations.c.operation_id == operation), Operation)

    def get(self, operation: OperationId) -> Operation:
        found = self.find(operation)
        if found is None:
            raise InputError(f"There is no operation {operation}.")
        return found

    def save(self, operation: Operation) -> Operation:
        news = row_of(operation) | {"version": operation.version + 1}
        is_ours = (operations.c.operation_id == operation.operation_id) & (operations.c.version == operation.version)
        if not self._changed(update(operations).where(is_ours).values(news)):
            raise ConflictError(f"Operation {operation.operation_id} changed since it was read. Read it again.")
        return msgspec.structs.replace(operation, version=operation.version + 1)

    def list_by(
        self,
        states: Collection[OperationState] = (),
        tenant: TenantId | None = None,
        line: LineKey | None = None,
        limit: int = 1000,
    ) -> list[Operation]:
        query = columns_of(operations, Operation)
        if states:
            query = query.where(operations.c.state.in_(states))
        if tenant is not None:
            query = query.where(operations.c.tenant_id == tenant)
        if line is not None:
            query = query.where(operations.c.wish.op("->")(literal("line", Text)) == literal(line, JsonOf(LineKey)))
        return self._list(query.order_by(operations.c.created_at, operations.c.operation_id).limit(limit), Operation)

    def starting_with(self, prefix: str, limit: int = 3) -> list[OperationId]:
        return self._ids(operations.c.operation_id, prefix, limit)

    def postpone(self, operation: OperationId, until: datetime) -> None:
        self._postpone(operations.c.operation_id, operation, until)

    def claim_due(self, now: datetime, again_at: datetime, limit: int) -> list[tuple[OperationId, Lane]]:
        """Orders pass: they are claimed before bulk work, however old that is."""
        table = operations.c
        due = (
            select(table.operation_id)
            .where(table.due_at <= now, table.state.not_in(OPERATION_ENDS))
            .order_by(table.lane != Lane.ORDER, table.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            # Worked out once: as a subquery it may be asked anew for each row, and its limit then limits nothing.
            .cte("due")
            .prefix_with("MATERIALIZED")
        )
        claimed = update(operations).where(table.operation_id == due.c.operation_id).values(due_at=again_at)
        rows = self._connection.execute(claimed.returning(table.operation_id, table.lane)).all()
        found = [(OperationId(operation), Lane(lane)) for operation, lane in rows]
        return sorted(found, key=lambda each: each[1] is not Lane.ORDER)

    def due_by_lane(self, now: datetime) -> dict[Lane, tuple[int, datetime]]:
        table = operations.c
        query = select(table.lane, func.count(), func.min(table.due_at)).group_by(table.lane)
        waiting = query.where(table.due_at <= now, table.state.not_in(OPERATION_ENDS))
        return {Lane(lane): (number, since) for lane, number, since in self._connection.execute(waiting)}

    def held_by_reason(self) -> dict[Reason, int]:
        table = operations.c
        held = select(table.reason, func.count()).where(table.state == OperationState.HELD, table.reason.is_not(None))
        rows = self._connection.execute(held.group_by(table.reason).order_by(table.reason))
        return {Reason(reason): number for reason, number in rows}

    def order_is_due(self, tenant: TenantId, now: datetime) -> bool:
        table = operations.c
        waits = (table.tenant_id == tenant) & (table.lane == Lane.ORDER) & (table.due_at <= now)
        query = select(table.operation_id).where(waits, table.state.not_in(OPERATION_ENDS)).limit(1)
        return self._connection.scalar(query) is not None

    def writers_in(self, tenant: TenantId) -> list[OperationId]:
        table = operations.c
        query = select(table.operation_id).where(table.tenant_id == tenant, table.state.in_(WRITING))
        return list(self._connection.scalars(query.order_by(table.created_at, table.operation_id)))
