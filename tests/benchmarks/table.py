"""The rows for people, 80 columns wide."""

import textwrap
from collections.abc import Iterable, Iterator

from tests.benchmarks.rows import Row

_WIDTH = 80
_LINE = "{:<42} {:>11} {:<9} {:>10}  {}"
_WORDS = {True: "ok", False: "NO", None: "–"}


def table(rows: Iterable[Row]) -> Iterator[str]:
    yield _LINE.format("what", "value", "unit", "budget", "")
    yield "─" * _WIDTH
    for row in rows:
        verdict = "void" if row.is_void else _WORDS[row.ok]
        yield _LINE.format(row.name, _figure(row.value), row.unit, str(row.bound or ""), verdict)
        yield from textwrap.wrap(_circumstances(row), _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:,.4g}"


def _circumstances(row: Row) -> str:
    clock = f"clock ×{row.clock_factor:g}" if row.clock_factor != 1 else ""
    lag = f"lag {row.lag:g} s" if row.lag else ""
    return "; ".join(part for part in (row.note, clock, lag, f"machine {row.cpu:.0%} busy") if part)
