"""One row of the shop's view becomes a ShopLine, whatever the shop's database makes of its types."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ids import LineKey
from provisioning.domain.order import LONGEST_TEXT, ShopLine

COLUMNS = (
    "order_number",
    "line_number",
    "status",
    "placed_at",
    "changed_at",
    "organisation_code",
    "actor",
    "article_code",
    "quantity",
    "quantity_is_total",
    "unit_price_cents",
    "starts_on",
    "ends_on",
    "tenant_hint",
    "reference_number",
    "subjects",
    "requester_reference",
)

_WHOLE = re.compile(r"[+-]?\d{1,18}(\.0+)?", re.ASCII)
_TRUE = frozenset({"1", "t", "true", "y", "yes"})
_SAYS_WHEN_NOT_WHAT = frozenset({"key", "changed_at", "digest"})
T = TypeVar("T")


class _Cells:
    """The cells of one row that have a type; `unreadable`: those that were none of theirs, and could be left out."""

    def __init__(self, key: LineKey, row: Mapping[str, Any]) -> None:
        self._key, self._row = key, row
        self.unreadable: list[str] = []

    def read(self, column: str, as_type: Callable[[Any], T]) -> T:
        try:
            return as_type(self._row[column])
        except (ValueError, TypeError, ArithmeticError):
            kind = as_type.__name__.removeprefix("_").replace("_", " ")
            raise InputError(f"Order line {self._key}: {column} is no {kind} ({self._row[column]!r}).") from None

    def read_if_it_can_be(self, column: str, as_type: Callable[[Any], T | None]) -> T | None:
        try:
            return self.read(column, as_type)
        except InputError:
            self.unreadable.append(column)
            return None


def shop_line(source: str, row: Mapping[str, Any]) -> ShopLine:
    """Raises InputError, which names line and column, when a date or price is none at all."""
    key = LineKey(source, _text(row["order_number"]), _text(row["line_number"]))
    cells = _Cells(key, row)
    line = ShopLine(
        key=key,
        status=_text(row["status"]),
        placed_at=cells.read("placed_at", _moment),
        changed_at=cells.read("changed_at", _moment),
        organisation_code=_text(row["organisation_code"]),
        actor=_text(row["actor"]),
        article_code=_text(row["article_code"]),
        quantity=_quantity(row["quantity"]),
        quantity_is_total=_text(row["quantity_is_total"]).lower() in _TRUE,
        unit_price_cents=cells.read_if_it_can_be("unit_price_cents", _amount),
        starts_on=cells.read_if_it_can_be("starts_on", _day),
        ends_on=cells.read_if_it_can_be("ends_on", _day),
        tenant_hint=_text(row["tenant_hint"]) or None,
        reference_number=_text(row["reference_number"]) or None,
        subjects=_subjects(row["subjects"]),
        requester_reference=_text(row["requester_reference"]) or None,
        digest="",
    )
    if cells.unreadable:  # the order cannot be carried out as meant: a quantity that is no number holds it, in sight
        said = f"{line.quantity} ({', '.join(cells.unreadable)} cannot be read)"
        line = msgspec.structs.replace(line, quantity=said)
    return msgspec.structs.replace(line, digest=digest_of(line))


def digest_of(line: ShopLine) -> str:
    """The fingerprint of what the row says; `changed_at` only says when, so touching a row changes nothing."""
    said = {name: field for name, field in msgspec.structs.asdict(line).items() if name not in _SAYS_WHEN_NOT_WHAT}
    key = [line.key.order_number, line.key.line_number]
    return sha256(msgspec.json.encode([key, said], order="deterministic")).hexdigest()


def _text(value: Any) -> str:
    """Without what no column of ours can hold, and bounded: one odd row must not keep all others from being read."""
    text = "" if value is None else str(value).strip().replace("\0", "\N{REPLACEMENT CHARACTER}")
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[: LONGEST_TEXT - 20]}… {sha256(text.encode()).hexdigest()[:16]}"


def _quantity(value: Any) -> int | str:
    text = _text(value)
    return int(Decimal(text)) if _WHOLE.fullmatch(text) else text


def _amount(value: Any) -> int | None:
    text = _text(value)
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(Decimal(text))


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = _text(value)
    return date.fromisoformat(text[:10]) if text else None


def _subjects(value: Any) -> tuple[str, ...]:
    """What is no JSON list is one reference, which nobody will find and somebody will see."""
    given = _decoded(value) if isinstance(value, str) else value
    items = given if isinstance(given, list | tuple) else [given]
    return tuple(text for text in map(_text, items) if text)


def _decoded(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text
