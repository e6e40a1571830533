"""The shop's orders, read through the view `licence_order_lines`; any database that SQLAlchemy reads will do."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    String,
    cast,
    column,
    create_engine,
    event,
    func,
    make_url,
    select,
    table,
    tuple_,
)
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import IntegrityError

from provisioning.database.shop_rows import COLUMNS, shop_line
from provisioning.domain.errors import ConflictError, UnavailableError
from provisioning.domain.ids import LineKey
from provisioning.domain.order import ShopLine

VIEW = table("licence_order_lines", *map(column, COLUMNS))  # untyped: values arrive as the shop's driver has them
CONNECT_TIMEOUT = timedelta(seconds=5)
STATEMENT_TIMEOUT = timedelta(seconds=60)
_ROWS_AT_ONCE = 1000
_KEYS_AT_ONCE = 400  # two parameters each; SQLite takes 999


def create(url: str) -> Engine:
    """An engine for the order database; whatever goes wrong there is an UnavailableError here."""
    # hidden: an error's text goes to the log, and orders name people
    engine = create_engine(url, pool_size=1, pool_pre_ping=True, hide_parameters=True, connect_args=_connect_args(url))
    event.listen(engine, "handle_error", _translate)
    return engine


class SqlOrderSource:
    """`name` is the source in the key of every line."""

    def __init__(self, engine: Engine, name: str = "orders") -> None:
        self.name = name
        self._engine = engine

    def changed_since(self, moment: datetime | None) -> Iterator[ShopLine]:
        """In the order in which they changed; all of them when there is no moment."""
        query = select(VIEW).order_by(VIEW.c.changed_at, VIEW.c.order_number, VIEW.c.line_number)
        return self._lines(query if moment is None else query.where(self._changed_from(moment)))

    def all_digests(self) -> dict[LineKey, str]:
        return {line.key: line.digest for line in self._lines(select(VIEW))}

    def lines(self, keys: Collection[LineKey]) -> list[ShopLine]:
        """Those that are there; the keys of another source are not."""
        wanted = iter(sorted((key.order_number, key.line_number) for key in keys if key.source == self.name))
        named = tuple_(cast(VIEW.c.order_number, String), cast(VIEW.c.line_number, String))
        found: list[ShopLine] = []
        while some := list(islice(wanted, _KEYS_AT_ONCE)):
            found += self._lines(select(VIEW).where(named.in_(some)))
        return found

    def _lines(self, query: Select[Any]) -> Iterator[ShopLine]:
        with (
            self._engine.connect() as connection,
            connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query) as result,
        ):
            for row in result:
                yield shop_line(self.name, dict(zip(COLUMNS, row, strict=True)))

    def _changed_from(self, moment: datetime) -> ColumnElement[bool]:
        if self._engine.dialect.name == "sqlite":  # has text for moments, in whichever of its notations
            return func.datetime(VIEW.c.changed_at) >= func.datetime(moment.isoformat())
        return VIEW.c.changed_at >= moment


def _connect_args(url: str) -> dict[str, Any]:
    if make_url(url).get_backend_name() != "postgresql":
        return {}
    timeout = f"-c statement_timeout={int(STATEMENT_TIMEOUT.total_seconds() * 1000)}"
    return {"connect_timeout": int(CONNECT_TIMEOUT.total_seconds()), "options": f"-c timezone=UTC {timeout}"}


def _translate(context: ExceptionContext) -> None:
    if isinstance(context.sqlalchemy_exception, IntegrityError):
        raise ConflictError("Somebody submitted one of these order lines in between. Look again.") from None
    lines = str(context.original_exception).strip().splitlines()
    told = lines[0] if lines else type(context.original_exception).__name__
    raise UnavailableError(f"The order database cannot be read now: {told}") from context.original_exception
