"""What all stores share: rows become frozen values, values become rows, and many rows go in one statement."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Executable,
    Select,
    Table,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.selectable import TableValuedAlias

from provisioning.database.jsonb import as_rows

_ROWS_AT_ONCE = 5000  # bounds the memory of one statement
T = TypeVar("T")
Row = Mapping[str, Any]


class Store:
    """A store belongs to one connection, and so to one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _rows(self, query: Executable, bound: Row | None = None) -> list[dict[str, Any]]:
        result = self._connection.execute(query, bound)
        # Labels are a kind of str that msgspec does not take for one; `keys` is a method, a result is no dictionary.
        names = [str(name) for name in result.keys()]  # noqa: SIM118
        return [dict(zip(names, row, strict=True)) for row in result]

    def _list(self, query: Executable, kind: type[T]) -> list[T]:
        return [msgspec.convert(row, kind) for row in self._rows(query)]

    def _find(self, query: Executable, kind: type[T]) -> T | None:
        return next(iter(self._list(query, kind)), None)

    def _ids(self, key: Column[Any], prefix: str, limit: int) -> list[Any]:
        """Of the rows whose id begins so."""
        query = select(key).where(key.startswith(prefix, autoescape=True))
        return list(self._connection.scalars(query.order_by(key).limit(limit)))

    def _claimed(self, key: Column[Any], now: datetime, again_at: datetime, limit: int) -> list[Any]:
        """The ids of rows whose `due_at` has come, the longest due first; nobody else claims them until `again_at`."""
        table = key.table
        due = (
            select(key, table.c.due_at)
            .where(table.c.due_at <= now)
            .order_by(table.c.due_at, key)
            .limit(limit)
            .with_for_update(skip_locked=True)
            # Worked out once: as a subquery it may be asked anew for each row, and its limit then limits nothing.
            .cte("due")
            .prefix_with("MATERIALIZED")
        )
        claimed = update(table).where(key == due.c[key.name]).values(due_at=again_at)
        rows = self._connection.execute(claimed.returning(due.c.due_at, key)).all()
        return [one for _, one in sorted((was_due, one) for was_due, one in rows)]

    def _postpone(self, key: Column[Any], one: str, until: datetime) -> None:
        """What waits for a person, or has ended, has no `due_at` and gets none."""
        is_due = (key == one) & key.table.c.due_at.is_not(None)
        self._connection.execute(update(key.table).where(is_due).values(due_at=until))

    def _changed(self, statement: Executable, bound: Row | None = None) -> int:
        """How many rows the statement inserted, updated or deleted."""
        return self._connection.execute(statement, bound).rowcount


def row_of(value: msgspec.Struct) -> dict[str, Any]:
    """A value as a row: PostgreSQL's arrays are Python's lists."""
    return {name: as_list(field) for name, field in msgspec.structs.asdict(value).items()}


def as_list(field: Any) -> Any:
    if isinstance(field, frozenset):
        return sorted(field)
    return list(field) if isinstance(field, tuple) else field


def recordset(table: Table, names: Sequence[str], rows: Iterable[Any]) -> TableValuedAlias:
    """These rows as something to select from, typed like the table's columns."""
    columns = [column(name, table.c[name].type) for name in names]
    rowset = func.json_to_recordset(cast(literal(as_rows(rows)), JSON))
    return rowset.table_valued(*columns, name="given").render_derived(with_types=True)


def inserted(table: Table, rows: Sequence[Row]) -> Insert:
    """One insert for all rows; they have the same keys."""
    names = list(rows[0])
    given = recordset(table, names, rows)
    return insert(table).from_select(names, select(*(given.c[name] for name in names)))


def upserted(table: Table, rows: Sequence[Row]) -> Insert:
    """One insert that updates what is there by primary key, and leaves alone what would stay the same."""
    statement = inserted(table, rows)
    others = [name for name in rows[0] if not table.c[name].primary_key]
    differs = or_(*(table.c[name].is_distinct_from(statement.excluded[name]) for name in others))
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={name: statement.excluded[name] for name in others},
        where=differs,
    )


def columns_of(table: Table, kind: type[msgspec.Struct]) -> Select[Any]:
    """The columns that the value is made of."""
    return select(*(table.c[name] for name in kind.__struct_fields__))


def in_chunks(rows: Iterable[T]) -> Iterable[Sequence[T]]:
    """So many at a time as one statement may take."""
    iterator = iter(rows)
    while some := list(islice(iterator, _ROWS_AT_ONCE)):
        yield some
