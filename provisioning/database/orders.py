"""Order lines in our keeping. The people they name rest in `subject_references` only (no direct identifiers here)."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, case, func, literal, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from provisioning.database.references import SqlReferences, is_of
from provisioning.database.store import Store, row_of
from provisioning.database.tables.orders import order_lines, references, watermarks
from provisioning.domain.errors import InputError, TransitionError
from provisioning.domain.ids import Actor, LineKey
from provisioning.domain.lifecycle import LINE_TRANSITIONS, LineState
from provisioning.domain.order import OrderLine, ShopLine
from provisioning.domain.reasons import Reason

_OPEN = [state for state, following in LINE_TRANSITIONS.items() if following]
_DELIVERED = [LineState.ACCEPTED, LineState.COMPLETED, LineState.PARTIALLY_COMPLETED]
_WHOLE_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)

_named = (
    select(
        func.array_agg(
            aggregate_order_by(func.coalesce(references.c.subject_id, references.c.reference), references.c.ordinal)
        )
    )
    .where(*(references.c[name] == order_lines.c[name] for name in LineKey.__struct_fields__))
    .scalar_subquery()
)


class SqlOrders(Store):
    def watermark(self, source: str) -> datetime | None:
        return self._connection.scalar(select(watermarks.c.changed_at).where(watermarks.c.source == source))

    def set_watermark(self, source: str, changed_at: datetime) -> None:
        statement = insert(watermarks).values(source=source, changed_at=changed_at)
        news = {"changed_at": changed_at}
        self._connection.execute(statement.on_conflict_do_update(index_elements=["source"], set_=news))

    def digests(self, source: str, since: datetime | None) -> dict[LineKey, str]:
        lines = order_lines.c
        query = select(lines.order_number, lines.line_number, lines.digest).where(lines.source == source)
        if since is not None:
            query = query.where(lines.changed_at >= since)
        return {LineKey(source, order, line): digest for order, line, digest in self._connection.execute(query)}

    def open_keys(self, source: str) -> set[LineKey]:
        lines = order_lines.c
        query = select(lines.order_number, lines.line_number).where(lines.source == source, lines.state.in_(_OPEN))
        return {LineKey(source, order, line) for order, line in self._connection.execute(query)}

    def find(self, key: LineKey) -> OrderLine | None:
        return next(iter(self._lines(lines_with_people().where(is_of(order_lines, key)))), None)

    def receive(self, shop: ShopLine, at: datetime) -> bool:
        row = _row_of(shop) | {"state": LineState.RECEIVED, "warnings": [], "received_at": at}
        is_new = self._changed(insert(order_lines).values(row).on_conflict_do_nothing()) == 1
        if is_new:
            self._references.keep(shop.key, shop.subjects, at)
        return is_new

    def replace_shop(self, shop: ShopLine) -> None:
        """Also the people it names: those of before are forgotten. Raises InputError when there is no such line."""
        corrected = update(order_lines).where(is_of(order_lines, shop.key)).values(_row_of(shop))
        received_at = self._connection.scalar(corrected.returning(order_lines.c.received_at))
        if received_at is None:
            raise InputError(f"There is no order line {shop.key}.")
        self._references.replace(shop.key, shop.subjects, received_at)

    def note_late_change(self, shop: ShopLine, warning: Reason) -> None:
        others = func.array_remove(order_lines.c.warnings, warning)
        noted = {"status": shop.status, "changed_at": shop.changed_at, "digest": shop.digest}
        late = update(order_lines).where(is_of(order_lines, shop.key))
        self._connection.execute(late.values(warnings=func.array_append(others, warning), **noted))

    def set_state(
        self,
        key: LineKey,
        state: LineState,
        reason: Reason | None,
        at: datetime,
        warnings: Sequence[Reason] = (),
        released_by: Actor | None = None,
    ) -> None:
        """Raises TransitionError when the table of transitions does not have it, InputError for no such line."""
        sources = [source for source, following in LINE_TRANSITIONS.items() if state in {source, *following}]
        lines = order_lines.c
        news: dict[str, Any] = {
            "state": state,
            "reason": reason,
            "judged_at": at,
            "held_since": _held_since(state, at),
            "released_by": func.coalesce(literal(released_by), lines.released_by),
        }
        if warnings:
            news["warnings"] = list(warnings)
        moved = update(order_lines).where(is_of(order_lines, key), lines.state.in_(sources)).values(news)
        if not self._changed(moved):
            raise self._refusal(key, state)

    def list_by(
        self, states: Collection[LineState] = (), order_number: str | None = None, limit: int = 1000
    ) -> list[OrderLine]:
        lines = order_lines.c
        query = lines_with_people().order_by(lines.received_at, lines.order_number, lines.line_number)
        if states:
            query = query.where(order_lines.c.state.in_(states))
        if order_number is not None:
            query = query.where(order_lines.c.order_number == order_number)
        return self._lines(query.limit(limit))

    def list_held(self, organisation: str, reasons: Collection[Reason] = ()) -> list[OrderLine]:
        lines = order_lines.c
        query = lines_with_people().where(lines.organisation_code == organisation, lines.state == LineState.HELD)
        if reasons:
            query = query.where(lines.reason.in_(reasons))
        return self._lines(query.order_by(lines.held_since))

    def similar(self, organisation: str, article: str, quantity: int, since: datetime) -> list[OrderLine]:
        lines = order_lines.c
        is_alike: ColumnElement[bool] = (
            (lines.organisation_code == organisation)
            & (lines.article_code == article)
            & (lines.quantity == str(quantity))
        )
        query = lines_with_people().where(is_alike, lines.placed_at >= since, lines.state.in_(_DELIVERED))
        return self._lines(query.order_by(lines.placed_at))

    @property
    def _references(self) -> SqlReferences:
        return SqlReferences(self._connection)

    def _lines(self, query: Select[Any]) -> list[OrderLine]:
        return [line_of(row) for row in self._rows(query)]

    def _refusal(self, key: LineKey, state: LineState) -> TransitionError | InputError:
        present = self._connection.scalar(select(order_lines.c.state).where(is_of(order_lines, key)))
        if present is None:
            return InputError(f"There is no order line {key}.")
        return TransitionError(f"Order line {key} may not go from {present} to {state}.")


def _held_since(state: LineState, at: datetime) -> ColumnElement[Any] | None:
    if state is not LineState.HELD:
        return None
    # Held again for another reason is still held since the first: the age is what the school has waited.
    return case((order_lines.c.state == LineState.HELD, order_lines.c.held_since), else_=literal(at))


def lines_with_people() -> Select[Any]:
    return select(order_lines, func.coalesce(_named, []).label("subjects"))


def _row_of(shop: ShopLine) -> dict[str, Any]:
    row = row_of(shop) | msgspec.structs.asdict(shop.key) | {"quantity": str(shop.quantity)}
    del row["key"], row["subjects"]
    return row


def line_of(row: dict[str, Any]) -> OrderLine:
    quantity = row["quantity"]
    shop = row | {
        "key": LineKey(row["source"], row["order_number"], row["line_number"]),
        "quantity": int(quantity) if _WHOLE_NUMBER.fullmatch(quantity) else quantity,
    }
    return msgspec.convert(row | {"shop": msgspec.convert(shop, ShopLine)}, OrderLine)
