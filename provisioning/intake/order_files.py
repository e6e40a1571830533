"""Order files: CSV, or JSON {"orders": [{"order_number": …, "lines": […]}]}, with the names of the shop's view.

Whole or not at all: FileRefusedError lists every problem with its line and column.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from provisioning.domain.errors import InputError
from provisioning.domain.ids import LineKey
from provisioning.domain.order import ShopLine
from provisioning.intake.order_cells import CELLS, REQUIRED, Cells
from provisioning.intake.problems import Problem, refuse_if_any
from provisioning.intake.reading import as_text, read_bytes, rows_of

_Raw = tuple[str, Mapping[str, Any]]  # place, cells


def read_orders(path: Path, now: datetime) -> list[ShopLine]:
    """The lines of a file. Raises InputError; `now` is when a line was placed that does not say so itself."""
    return parse_orders(path.name, read_bytes(path), now)


def parse_orders(name: str, content: bytes, now: datetime) -> list[ShopLine]:
    """As `read_orders`, from bytes. JSON when it begins like JSON, whatever the name says."""
    text = as_text(name, content)
    raw = _from_json(name, text) if text.lstrip().startswith(("{", "[")) else _from_csv(name, text)
    problems: list[Problem] = []
    lines = [line for place, cells in raw if (line := _line(place, cells, now, problems))]
    problems += _repeated(lines)
    refuse_if_any(name, problems)
    return [line for _, line in lines]


def _from_csv(name: str, text: str) -> Iterator[_Raw]:
    rows = rows_of(name, text)
    _, header = next(rows, (1, []))
    names = [column.lower().replace(" ", "_") for column in header]
    refuse_if_any(name, [*_header_problems(names)])
    for number, cells in rows:
        if len(cells) > len(names):
            sentence = f"{len(cells)} cells where the header has {len(names)}; a text with a comma needs quotes."
            refuse_if_any(name, [Problem(f"line {number}", "", sentence)])
        if len(cells) < len(names):
            sentence = f"{len(cells)} cells where the header has {len(names)}; the file may be cut off here."
            refuse_if_any(name, [Problem(f"line {number}", "", sentence)])
        yield f"line {number}", dict(zip(names, cells, strict=True))


def _header_problems(names: list[str]) -> Iterator[Problem]:
    for name in sorted(REQUIRED - set(names)):
        yield Problem("line 1", name, "this column is missing.")
    for name in dict.fromkeys(names):
        if name not in CELLS:
            yield Problem("line 1", name or "(no name)", f"no such column; there are {', '.join(CELLS)}.")
        elif names.count(name) > 1:
            yield Problem("line 1", name, "this column is there twice.")


def _from_json(name: str, text: str) -> Iterator[_Raw]:
    try:
        tree = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"{name} is cut off or no JSON: {error}.") from error
    orders = tree.get("orders") if isinstance(tree, dict) else None
    if not isinstance(orders, list):
        raise InputError(f'{name} must be an object with a list "orders".')
    for number, order in enumerate(orders, start=1):
        yield from _lines_of(name, number, order)


def _lines_of(name: str, number: int, order: Any) -> Iterator[_Raw]:
    """What the order says holds for each of its lines, unless the line says otherwise."""
    lines = order.get("lines") if isinstance(order, dict) else None
    if not isinstance(lines, list) or not lines:
        refuse_if_any(name, [Problem(f"order {number}", "lines", "an order is an object with a list of lines.")])
        return
    common = {column: value for column, value in order.items() if column != "lines"}
    for position, line in enumerate(lines, start=1):
        place = f"order {number}, line {position}"
        if not isinstance(line, dict):
            refuse_if_any(name, [Problem(place, "", "a line is an object.")])
        yield place, {**common, **line}


def _line(place: str, raw: Mapping[str, Any], now: datetime, problems: list[Problem]) -> tuple[str, ShopLine] | None:
    cells = Cells(place, raw)
    placed_at = cells.moment("placed_at") or now.astimezone(UTC)
    line = ShopLine(
        key=LineKey("", cells.text("order_number"), cells.text("line_number")),
        status=cells.status(),
        placed_at=placed_at,
        changed_at=placed_at,
        organisation_code=cells.text("organisation_code"),
        actor=cells.optional("actor") or "",
        article_code=cells.text("article_code"),
        quantity=cells.quantity(),
        quantity_is_total=cells.yes("quantity_is_total"),
        unit_price_cents=cells.count("unit_price_cents"),
        starts_on=cells.day("starts_on"),
        ends_on=cells.day("ends_on"),
        tenant_hint=cells.optional("tenant_hint"),
        reference_number=cells.optional("reference_number"),
        subjects=cells.subjects(),
        requester_reference=cells.optional("requester_reference"),
        digest="",
    )
    cells.check_dates(line.starts_on, line.ends_on)
    problems += cells.problems
    return None if cells.problems else (place, line)


def _repeated(lines: list[tuple[str, ShopLine]]) -> Iterator[Problem]:
    first: dict[LineKey, str] = {}
    for place, line in lines:
        if line.key in first:
            sentence = f"line {line.key.line_number} of order {line.key.order_number} is already at {first[line.key]}."
            yield Problem(place, "line_number", sentence)
        first.setdefault(line.key, place)
