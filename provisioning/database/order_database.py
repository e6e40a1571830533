"""The default order database: for those without a shop, behind the same view that a shop would offer."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    MetaData,
    Table,
    Text,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.schema import CreateView

from provisioning.database import order_source
from provisioning.database.order_source import SqlOrderSource
from provisioning.database.shop_rows import COLUMNS, digest_of
from provisioning.domain.ids import LineKey
from provisioning.domain.order import ShopLine

_METADATA = MetaData()
_LINES = Table(
    "submitted_order_lines",
    _METADATA,
    Column("order_number", Text, primary_key=True),
    Column("line_number", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("placed_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, index=True),
    Column("organisation_code", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("article_code", Text, nullable=False),
    Column("quantity", Text, nullable=False),  # as somebody wrote it: judging is not the shop's business
    Column("quantity_is_total", Boolean, nullable=False),
    Column("unit_price_cents", BigInteger),
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("tenant_hint", Text),
    Column("reference_number", Text),
    Column("subjects", Text),
    Column("requester_reference", Text),
)


def create(owner_url: str, reader: str | None = None) -> None:
    """Make table and view unless they are there; `reader` is the role that the service reads them as."""
    engine = order_source.create(owner_url)
    try:
        with engine.begin() as connection:
            _METADATA.create_all(connection)
            _make_view(connection)
            if reader is not None:
                role = engine.dialect.identifier_preparer.quote(reader)
                connection.execute(text(f"GRANT SELECT ON licence_order_lines TO {role}"))
    finally:
        engine.dispose()


class SqlOrderDesk:
    """Writes there what a shop would have written."""

    def __init__(self, engine: Engine, name: str = "orders") -> None:
        self.name = name
        self._engine = engine

    def submit(self, lines: Sequence[ShopLine]) -> int:
        """Returns how many lines are new or say something else than before; the same again changes nothing."""
        given = {line.key: _in_utc(line) for line in lines}
        known = {line.key: line.digest for line in SqlOrderSource(self._engine, self.name).lines(given.keys())}
        new = [line for key, line in given.items() if key not in known]
        changed = [line for key, line in given.items() if key in known and known[key] != digest_of(line)]
        with self._engine.begin() as connection:
            if new:
                connection.execute(insert(_LINES), [_row_of(line) for line in new])
            for line in changed:
                connection.execute(update(_LINES).where(_is(line.key)).values(_row_of(line)))
        return len(new) + len(changed)


def _make_view(connection: Connection) -> None:
    if order_source.VIEW.name not in inspect(connection).get_view_names():
        connection.execute(CreateView(select(*(_LINES.c[name] for name in COLUMNS)), order_source.VIEW.name))


def _in_utc(line: ShopLine) -> ShopLine:
    moments = {name: getattr(line, name).astimezone(UTC) for name in ("placed_at", "changed_at")}
    return msgspec.structs.replace(line, **moments)


def _is(key: LineKey) -> Any:
    return (_LINES.c.order_number == key.order_number) & (_LINES.c.line_number == key.line_number)


def _row_of(line: ShopLine) -> dict[str, Any]:
    row = msgspec.structs.asdict(line) | {
        "order_number": line.key.order_number,
        "line_number": line.key.line_number,
        "quantity": str(line.quantity),
        "subjects": msgspec.json.encode(line.subjects).decode() if line.subjects else None,
    }
    return {name: row[name] for name in COLUMNS}
