"""How the command speaks: JSON for programs, tables within eighty columns for people."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from textwrap import fill
from typing import Any, NamedTuple

import msgspec

SHORT = 8  # characters of an id: enough to tell thousands apart, and what every command accepts
WIDTH = 80
# What a shop or register wrote must not steer the terminal of whoever looks at it.
_CONTROLS = {*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")}
_STEERING = dict.fromkeys(_CONTROLS, "\N{REPLACEMENT CHARACTER}")


class Column(NamedTuple):
    """One column: its title and what it shows of a row. A `fixed` one is never cut or broken."""

    title: str
    cell: Callable[[Any], str]
    fixed: bool = False
    right: bool = False


class Speech:
    """Writes to standard output, in one of two manners."""

    def __init__(self) -> None:
        self.as_json = False

    def show(self, value: object, text: str) -> None:
        """The value as JSON, or the text as it is."""
        self._write(to_json(value) if self.as_json else printable(text))

    def show_rows(self, rows: Sequence[Any], columns: Sequence[Column], otherwise: str) -> None:
        """The rows as JSON, or as a table; `otherwise` is said to people when there are none."""
        if self.as_json:
            self._write(to_json(rows))
        else:
            self._write(table(rows, columns) if rows else otherwise)

    def show_next(self, value: object, text: str) -> None:
        """One of many answers of a command that goes on: the value as JSON on one line, or the text; seen at once."""
        self._write(msgspec.json.encode(value).decode() if self.as_json else printable(text))
        sys.stdout.flush()

    def _write(self, text: str) -> None:
        sys.stdout.write(text.rstrip("\n") + "\n")


def to_json(value: object) -> str:
    """JSON, indented, with times in ISO 8601 and sets as lists."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def table(rows: Sequence[Any], columns: Sequence[Column], width: int = WIDTH) -> str:
    """The rows under their titles, at most `width` characters a line; long text is wrapped in its column."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for column in columns:
        grid.add_column(
            column.title, no_wrap=column.fixed, overflow="fold", justify="right" if column.right else "left"
        )
    for row in rows:
        # cells are text, not markup: a name may hold square brackets
        grid.add_row(*(_plain(column.cell(row)) for column in columns))
    console = Console(width=width, color_system=None, highlight=False, legacy_windows=False)
    with console.capture() as written:
        console.print(grid)
    return "\n".join(line.rstrip() for line in written.get().splitlines())


def printable(text: str) -> str:
    """Without characters that steer a terminal; lines and tabs stay."""
    return text.translate(_STEERING)


def short(identifier: str | None) -> str:
    """The first characters of an id; a dash when there is none."""
    return identifier[:SHORT] if identifier else "-"


def moment(at: datetime | None) -> str:
    """A moment to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M}" if at else "-"


def spaced(code: str | None) -> str:
    """A state or kind as words."""
    return code.replace("_", " ") if code else "-"


def sheet(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values under each other, the values aligned, long ones wrapped."""
    width = max((len(name) for name, _ in pairs), default=0) + 2
    lines = (_wrapped(f"{name:<{width}}{value}", width) for name, value in pairs)
    return "\n".join(lines)


def paragraph(text: str) -> str:
    """A sentence or two, each line within the width; a path, an address or an id in it is never broken."""
    return "\n".join(map(_refolded, text.split("\n")))


def _refolded(line: str) -> str:
    if len(line) <= WIDTH:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return fill(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _wrapped(line: str, indent: int) -> str:
    return fill(line, WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(printable(text))
